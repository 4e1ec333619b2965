/**
 * inventory.v1.InventoryService: decodes a request, has the lanes decide it, encodes the answer.
 */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { InventoryService } from "../gen/inventory/v1/inventory_pb.ts";
import type { Applied, Level, Operation } from "../inventory/model.ts";
import { Failure } from "../lanes/failure.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { failureError, refusalError } from "./errors.ts";
import { callSignal } from "./interceptors.ts";
import { checkGoodsId, readId, readLines, Violations } from "./validation.ts";

/** What the service works with. */
export interface InventoryServiceOptions {
  readonly lanes: Lanes;
  readonly orderLinesMax: number;
  /** Makes ids for orders and operations that the caller gave none: UUIDv7. */
  readonly newId: () => string;
}

/** The handlers of the service; they throw ConnectError only, for whatever the caller can know. */
export function createInventoryService(options: InventoryServiceOptions): ServiceImpl<typeof InventoryService> {
  const { lanes, orderLinesMax, newId } = options;
  return {
    async setInv({ goodsId, num }, context) {
      const violations = new Violations();
      checkGoodsId(violations, "goods_id", goodsId);
      if (num < 0) violations.add("num", `expected a quantity of 0 or more, got ${num}`);
      violations.check();
      const answer = await apply(lanes, { kind: "set", operationId: newId(), goodsId, num }, context);
      if (answer.kind !== "set") throw unexpected(answer);
      return levelMessage(answer.level);
    },

    async invDetail({ goodsId }, context) {
      const violations = new Violations();
      checkGoodsId(violations, "goods_id", goodsId);
      violations.check();
      const level = await reported(() => lanes.level(goodsId, callSignal(context)));
      if (level === undefined) throw refusalError({ reason: "unknown_goods", goodsIds: [goodsId] });
      return levelMessage(level);
    },

    async sell(request, context) {
      const violations = new Violations();
      const orderId = readId(violations, "order_id", request.orderId) ?? newId();
      const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: true });
      violations.check();
      const answer = await apply(lanes, { kind: "sell", orderId, lines }, context, { order_id: orderId });
      if (answer.kind !== "sell") throw unexpected(answer);
      return { goodsInfo: [...answer.order.lines], orderId, soldAt: timestampFromMs(answer.order.atMs) };
    },

    async rollback(request, context) {
      const violations = new Violations();
      const orderId = readId(violations, "order_id", request.orderId);
      const rollbackId = readId(violations, "rollback_id", request.rollbackId);
      const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: false });
      if (orderId === undefined && request.goodsInfo.length === 0) {
        violations.add("order_id", "expected an order_id, or at least one line in goods_info");
      }
      violations.check();
      if (orderId === undefined) {
        const operationId = rollbackId ?? newId();
        const answer = await apply(lanes, { kind: "give_back", operationId, lines }, context, {
          rollback_id: operationId,
        });
        if (answer.kind !== "rollback") throw unexpected(answer);
        return { goodsInfo: [...answer.given], rollbackId: operationId };
      }
      const answer = await apply(lanes, { kind: "rollback", rollbackId, orderId, lines }, context);
      if (answer.kind !== "rollback") throw unexpected(answer);
      return { goodsInfo: [...answer.given], orderId, rollbackId: rollbackId ?? "" };
    },
  };
}

/** Applies and answers; `ids` go into an error after which the caller must not send a new id. */
async function apply(
  lanes: Lanes,
  operation: Operation,
  context: HandlerContext,
  ids?: Readonly<Record<string, string>>,
): Promise<Applied> {
  const verdict = await reported(() => lanes.apply(operation, callSignal(context)), ids);
  if (!verdict.ok) throw refusalError(verdict.refusal);
  return verdict;
}

async function reported<T>(work: () => Promise<T>, ids?: Readonly<Record<string, string>>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Failure ? failureError(error, ids) : error;
  }
}

function levelMessage({ goodsId, onHand, reserved, version }: Level) {
  return { goodsId, num: onHand - reserved, onHand, reserved, version: BigInt(version) };
}

function unexpected(answer: Applied): Error {
  return new Error(`The lanes answered a ${answer.kind} to another operation`);
}
