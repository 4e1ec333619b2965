/** The bounds of the messages that several services have: a few numbers and ids, and an order with its lines. */
import type { DescField } from "@bufbuild/protobuf";
import type { MessageBounds } from "../rpc/messages/check.ts";

/** What the bounds are derived from. */
export interface BoundSettings {
  /** Bytes of the largest message of all: of a batch. */
  readonly requestBytesMax: number;
  readonly orderLinesMax: number;
  readonly batchOrdersMax: number;
}

/** A message of a few numbers and ids, with a client's fields of its own that are not read. */
export const SMALL_BYTES_MAX = 4 * 1024;
/** A line as JSON with line breaks takes some 70 bytes, as protobuf 24, and the longest sku that is not ASCII 256. */
const LINE_BYTES = 384;

/**
 * A line that can be valid: its tag, its length, and two numbers that are not 0. A shorter one is refused later anyway.
 */
const LINE_BYTES_MIN = 6;

/** A message without lists. */
export function smallBounds({ requestBytesMax }: Pick<BoundSettings, "requestBytesMax">): MessageBounds {
  return { bytesMax: Math.min(SMALL_BYTES_MAX, requestBytesMax), counts: [] };
}

/** One order, whose lines are the field `lines`. */
export function orderBounds(lines: DescField, { requestBytesMax, orderLinesMax }: BoundSettings): MessageBounds {
  return {
    bytesMax: Math.min(SMALL_BYTES_MAX + orderLinesMax * LINE_BYTES, requestBytesMax),
    counts: [{ desc: lines, max: orderLinesMax, field: lines.name, what: "lines" }],
  };
}

/** Many parts, called `what`, in the only field of the message; lines are in the fields `linesOf` of a part. */
export function batchBounds(
  parts: DescField,
  what: string,
  linesOf: readonly DescField[],
  { requestBytesMax, orderLinesMax, batchOrdersMax }: BoundSettings,
): MessageBounds {
  return {
    bytesMax: requestBytesMax,
    parts,
    counts: [
      { desc: parts, max: batchOrdersMax, field: parts.name, what },
      // One part with too many lines is refused by itself; more than ever fit as valid ones are the batch's fault.
      ...linesOf.map((desc) => ({
        desc,
        max: Math.max(orderLinesMax + 1, Math.floor(requestBytesMax / LINE_BYTES_MIN)),
        field: parts.name,
        what: "lines in all",
      })),
    ],
  };
}
