/**
 * A gentle load on the demo shop, by the service's own calls: people buy, put things aside, pay or give up, send back,
 * and the warehouse fills the shelves. What happens is drawn from a seed, so that it is the same at every start.
 */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { HoldService } from "../../../src/gen/inventory/v1/holds_pb.ts";
import { InventoryService } from "../../../src/gen/inventory/v1/inventory_pb.ts";
import { StockService } from "../../../src/gen/inventory/v1/stock_pb.ts";
import { pause } from "../../../src/base/bounded_wait.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import type { DemoGoods } from "./catalogue.ts";
import { drawOf } from "./random.ts";

const SEED = 7;
/** Between two calls, on average; a few a second. */
const PAUSE_MS = 350;
/** After a call that failed, so that a service that is away is not hurried. */
const FAILED_PAUSE_MS = 3_000;
const CALL_MS_MAX = 5_000;
/** Own orders that may be sent back, and own holds that may be paid for. */
const REMEMBERED_MAX = 50;
/** What a shop is answered when it asks for too much, or too late; it goes on. */
const ANSWERS: readonly Code[] = [Code.FailedPrecondition, Code.NotFound, Code.Aborted];

/** What the load is made with. */
export interface LoadOptions {
  readonly transport: Transport;
  /** The most sought after first. */
  readonly goods: readonly DemoGoods[];
  /** In front of order ids, and another one at every start. */
  readonly prefix: string;
  readonly log: Log;
}

/** Goes on until the signal aborts; never throws for what the service answers. Answers how many calls succeeded. */
export async function runLoad({ transport, goods, prefix, log }: LoadOptions, signal: AbortSignal): Promise<number> {
  const draw = drawOf(SEED);
  const inventory = createClient(InventoryService, transport);
  const holds = createClient(HoldService, transport);
  const stock = createClient(StockService, transport);
  const options = { signal, timeoutMs: CALL_MS_MAX };
  const sold: string[] = [];
  const held: string[] = [];
  let number = 0;
  const newId = () => `${prefix}-${++number}`;
  const pick = () => goods[Math.floor(goods.length * draw.number() ** 3)]!;
  const lines = () => {
    const { goodsId, locationIds } = pick();
    return [{ goodsId, locationId: draw.isSo(0.7) ? 0 : draw.one(locationIds), num: draw.one([1, 1, 1, 2]) }];
  };
  const remember = (ids: string[], orderId: string) => {
    ids.push(orderId);
    if (ids.length > REMEMBERED_MAX) ids.shift();
  };
  const forget = (ids: string[]) => ids.splice(draw.below(ids.length), 1)[0]!;
  const sell = async () => {
    const { orderId } = await inventory.sell({ orderId: newId(), goodsInfo: lines(), buyerId: "walk-in" }, options);
    remember(sold, orderId);
  };
  const restock = async () => {
    const { goodsId } = pick();
    const delta = 6 * (1 + draw.below(4));
    await stock.adjustInv({ operationId: newId(), lines: [{ goodsId, delta }], reason: "delivery" }, options);
  };
  const reserve = async () => {
    const orderId = newId();
    await holds.reserve({ orderId, goodsInfo: lines(), buyerId: `guest-${draw.below(90)}` }, options);
    remember(held, orderId);
  };
  const next = () => {
    const which = draw.number();
    if (which < 0.55) return sell();
    if (which < 0.72) return reserve();
    if (which < 0.84) return held.length === 0 ? sell() : holds.confirmHold({ orderId: forget(held) }, options);
    if (which < 0.88) return held.length === 0 ? sell() : holds.releaseHold({ orderId: forget(held) }, options);
    if (which < 0.92) return sold.length === 0 ? sell() : inventory.rollback({ orderId: forget(sold) }, options);
    return restock();
  };
  let succeeded = 0;
  while (!signal.aborted) {
    let pauseMs = PAUSE_MS * (0.4 + 1.2 * draw.number());
    try {
      await next();
      succeeded++;
    } catch (error) {
      if (signal.aborted) break;
      const { code, rawMessage } = ConnectError.from(error);
      if (!ANSWERS.includes(code)) {
        pauseMs = FAILED_PAUSE_MS;
        log.debug({ code: Code[code], message: rawMessage }, "a call of the demo failed");
      }
    }
    await pause(pauseMs, signal);
  }
  return succeeded;
}
