/** The bounds of the messages of every method of ours. */
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { inventory as ArticleService } from "../gen/article/inventory_pb.ts";
import { SellInfoSchema } from "../gen/article/inventory_pb.ts";
import {
  BatchInvDetailRequestSchema,
  InventoryService,
  RollbackBatchRequestSchema,
  RollbackRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
} from "../gen/inventory/v1/inventory_pb.ts";
import { LockService } from "../gen/inventory/v1/lock_pb.ts";
import { BATCH_GOODS_MAX } from "./inventory/batch.ts";
import type { CountBound, MessageBounds } from "../rpc/messages/message_bounds.ts";

/** What the bounds are derived from. */
export interface BoundSettings {
  /** Bytes of the largest message of all: of a batch. */
  readonly requestBytesMax: number;
  readonly orderLinesMax: number;
  readonly batchOrdersMax: number;
}

/** A message of a few numbers and ids, with a client's fields of its own that are not read. */
const SMALL_BYTES_MAX = 4 * 1024;
/** A line as JSON with line breaks takes some 70 bytes, as protobuf 24. */
const LINE_BYTES = 128;
/** A goods id in a JSON list, on a line of its own. */
const GOODS_ID_BYTES = 24;
/** A line that can be valid: its tag, its length, and two numbers that are not 0. A shorter one is refused later anyway. */
const LINE_BYTES_MIN = 6;

/** The bounds of every unary method of ours; undefined for methods of others. */
export function messageBounds(settings: BoundSettings): (method: DescMethod) => MessageBounds | undefined {
  const { requestBytesMax, orderLinesMax, batchOrdersMax } = settings;
  const bytes = (max: number) => Math.min(max, requestBytesMax);
  const lines = (desc: DescField): CountBound => ({ desc, max: orderLinesMax, field: desc.name, what: "lines" });
  const small: MessageBounds = { bytesMax: bytes(SMALL_BYTES_MAX), counts: [] };
  const order = (desc: DescField): MessageBounds => ({
    bytesMax: bytes(SMALL_BYTES_MAX + orderLinesMax * LINE_BYTES),
    counts: [lines(desc)],
  });
  const batch = (parts: DescField, what: string, linesOf: DescField): MessageBounds => ({
    bytesMax: requestBytesMax,
    parts,
    counts: [
      { desc: parts, max: batchOrdersMax, field: parts.name, what },
      // One order with too many lines is refused by itself; more than ever fit as valid ones are the batch's fault.
      {
        desc: linesOf,
        max: Math.max(orderLinesMax + 1, Math.floor(requestBytesMax / LINE_BYTES_MIN)),
        field: parts.name,
        what: "lines in all",
      },
    ],
  });
  const v1 = InventoryService.method;
  const article = ArticleService.method;
  const bounds = new Map<DescMethod, MessageBounds>([
    [v1.setInv, small],
    [v1.invDetail, small],
    [v1.sell, order(SellRequestSchema.field.goodsInfo)],
    [v1.rollback, order(RollbackRequestSchema.field.goodsInfo)],
    [v1.sellBatch, batch(SellBatchRequestSchema.field.orders, "orders", SellRequestSchema.field.goodsInfo)],
    [
      v1.rollbackBatch,
      batch(RollbackBatchRequestSchema.field.rollbacks, "rollbacks", RollbackRequestSchema.field.goodsInfo),
    ],
    [v1.batchInvDetail, {
      bytesMax: bytes(SMALL_BYTES_MAX + BATCH_GOODS_MAX * GOODS_ID_BYTES),
      counts: [{
        desc: BatchInvDetailRequestSchema.field.goodsIds,
        max: BATCH_GOODS_MAX,
        field: "goods_ids",
        what: "goods ids",
      }],
    }],
    [article.setInv, small],
    [article.invDetail, small],
    [article.sell, order(SellInfoSchema.field.goodsInfo)],
    [article.rollback, order(SellInfoSchema.field.goodsInfo)],
    [LockService.method.status, small],
  ]);
  return (method) => bounds.get(method);
}
