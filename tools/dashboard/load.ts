/**
 * The load for the pictures, bounded in callers and in time: sales, batches, holds and reads of a few goods, with some
 * calls that are refused by right.
 */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../src/base/bounded_wait.ts";

const UNAUTHENTICATED = 401;
const KNOWN_MS_MAX = 5_000;
const GOODS = 40;
/** Some have so few units that they are sold out before the end. */
const UNITS = 100_000;
const FEW_UNITS = 200;
const HOLD_TTL = "8s";
const LIST_PAGE = 50;

/** Who calls, and where. */
export interface Shop {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives all goods their units, once the shop is known, which takes up to a second. Throws Error where refused. */
export async function stock(shop: Shop): Promise<void> {
  const isKnown = async () =>
    (await call(shop, "InventoryService/InvDetail", { goodsId: 1 })).status !== UNAUTHENTICATED;
  if (!await until(isKnown, KNOWN_MS_MAX)) throw new Error("the key of the shop is not taken");
  for (let goodsId = 1; goodsId <= GOODS; goodsId++) {
    const num = goodsId % 10 === 0 ? FEW_UNITS : UNITS;
    const { ok, text } = await call(shop, "InventoryService/SetInv", { goodsId, num });
    if (!ok) throw new Error(`goods ${goodsId} were not set: ${text}`);
  }
}

/** Calls by so many callers, each with a pause of `pauseMs` behind each call, for `forMs`. */
export async function sellFor(shop: Shop, callers: number, pauseMs: number, forMs: number): Promise<void> {
  const endsAt = performance.now() + forMs;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (performance.now() < endsAt) {
      await oneOf(shop).catch(() => {});
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }));
}

/** One call, of the kinds that a shop makes, by their weights. */
function oneOf(shop: Shop): Promise<unknown> {
  const drawn = Math.random();
  const orderId = crypto.randomUUID();
  if (drawn < 0.55) return call(shop, "InventoryService/Sell", { orderId, goodsInfo: [aLine(), aLine()] });
  if (drawn < 0.7) return call(shop, "InventoryService/InvDetail", { goodsId: aGoods() });
  if (drawn < 0.8) return hold(shop, orderId);
  if (drawn < 0.85) return sellAndGiveBack(shop, orderId);
  if (drawn < 0.9) return call(shop, "InventoryService/SellBatch", { orders: Array.from({ length: 50 }, anOrder) });
  if (drawn < 0.95) return call(shop, "QueryService/ListMovements", { goodsId: aGoods(), pageSize: LIST_PAGE });
  if (drawn < 0.97) {
    return call(shop, "InventoryService/Sell", { orderId, goodsInfo: [{ goodsId: 7, num: UNITS + 1 }] });
  }
  if (drawn < 0.985) return call({ ...shop, headers: {} }, "InventoryService/Sell", { orderId, goodsInfo: [aLine()] });
  return call(shop, "InventoryService/InvDetail", { goodsId: GOODS + 1 });
}

/** Some are confirmed; the others end by themselves. */
async function hold(shop: Shop, orderId: string): Promise<void> {
  await call(shop, "HoldService/Reserve", { orderId, goodsInfo: [aLine()], ttl: HOLD_TTL });
  if (Math.random() < 0.5) await call(shop, "HoldService/ConfirmHold", { orderId });
}

async function sellAndGiveBack(shop: Shop, orderId: string): Promise<void> {
  await call(shop, "InventoryService/Sell", { orderId, goodsInfo: [aLine()] });
  await call(shop, "InventoryService/Rollback", { orderId });
}

function anOrder() {
  return { orderId: crypto.randomUUID(), goodsInfo: [aLine()] };
}

function aLine() {
  return { goodsId: aGoods(), num: 1 + Math.floor(3 * Math.random()) };
}

/** Half of all calls want one of four goods. */
function aGoods(): number {
  return 1 + Math.floor((Math.random() < 0.5 ? 4 : GOODS) * Math.random());
}

async function call({ url, headers }: Shop, method: string, message: unknown) {
  const answer = await fetch(`${url}/inventory.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(message),
  });
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}
