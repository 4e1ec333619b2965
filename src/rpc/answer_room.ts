/**
 * How large the verdicts of a batch may be, so that the answer is never refused for its size: by then orders are sold,
 * and the caller would not hear of it.
 *
 * Every verdict has {@link VERDICT_BYTES_MAX} of its own, and what the whole answer has beyond that goes to those that
 * need more, first come, first served. One that gets nothing is cut until it fits its own. Sizes are those in JSON, which
 * are the larger ones: the same messages are shorter as protobuf.
 */
import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { BadRequestSchema } from "../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import type { LineSchema } from "../gen/inventory/v1/inventory_pb.ts";
import { ANSWER_JSON } from "./answer_json.ts";

/** What each verdict may take whatever the others take: with 10,000 of them 4 MB, of an answer of 4 MiB. */
export const VERDICT_BYTES_MAX = 400;
/** What stands around the verdicts: `{"verdicts":[]}`. */
const ENVELOPE_BYTES = 32;
/** What stands around an error: `{"error":,"truncated":false},`. */
const ERROR_BYTES = 32;
/** A verdict that was applied, without its lines: two ids of 64 characters and what stands around them, or a time. */
const APPLIED_BYTES_MAX = 240;
/** `{"@type":"type.googleapis.com/inventory.v1.ShortStock"}`, about, and `{"field":"","description":"","reason":""}`. */
const DETAIL_BYTES_MIN = 50;
const VIOLATION_BYTES_MIN = 45;
/** Of a message that is cut; at 6 bytes a character, the most that JSON makes of one, it still fits. */
const MESSAGE_CHARACTERS_KEPT = 50;

/** The room of one answer. */
export class AnswerRoom {
  #bytesLeft: number;

  /** @throws RangeError when so many verdicts may not fit even if each is cut */
  constructor(bytesMax: number, verdicts: number) {
    this.#bytesLeft = bytesMax - ENVELOPE_BYTES - verdicts * VERDICT_BYTES_MAX;
    if (this.#bytesLeft < 0) {
      throw new RangeError(`Cannot answer ${verdicts} verdicts of ${VERDICT_BYTES_MAX} bytes within ${bytesMax}`);
    }
  }

  /** Whether a verdict of that size would fit now. */
  has(bytes: number): boolean {
    return bytes - VERDICT_BYTES_MAX <= Math.max(this.#bytesLeft, 0);
  }

  /** Whether a verdict of that size fits, and if so, takes its room. */
  take(bytes: number): boolean {
    if (!this.has(bytes)) return false;
    this.#bytesLeft -= Math.max(bytes - VERDICT_BYTES_MAX, 0);
    return true;
  }
}

/** An error as it stands in a verdict; cut to its code and the beginning of its message where there is no room. */
export function errorIn(room: AnswerRoom, error: ConnectError): { error: Status; truncated: boolean } {
  // What can't fit is not written out to find its size: that takes 1 ms for an error of 70 details.
  if (room.has(leastBytes(error))) {
    const status = statusOf(error);
    if (room.take(jsonBytes(status) + ERROR_BYTES)) return { error: status, truncated: false };
  }
  const message = `${error.rawMessage.slice(0, MESSAGE_CHARACTERS_KEPT)}…`;
  return { error: create(StatusSchema, { code: error.code, message }), truncated: true };
}

/** An answer with lines as it stands in a verdict; without its lines where there is no room. */
export function linesIn<T extends { readonly goodsInfo?: MessageInitShape<typeof LineSchema>[] }>(
  room: AnswerRoom,
  answer: T,
): { answer: T; truncated: boolean } {
  const bytes = APPLIED_BYTES_MAX + JSON.stringify(answer.goodsInfo ?? []).length;
  if (room.take(bytes)) return { answer, truncated: false };
  return { answer: { ...answer, goodsInfo: [] }, truncated: true };
}

/** The error of a single call as a message: the same code, message and details. */
export function statusOf(error: ConnectError): Status {
  const details = error.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value }
  );
  return create(StatusSchema, { code: error.code, message: error.rawMessage, details });
}

/** A part of an error's size in JSON that is known at once: never more than all of it. */
function leastBytes({ details }: ConnectError): number {
  return details.reduce((sum, detail) => sum + leastDetailBytes(detail), 0);
}

function leastDetailBytes(detail: ConnectError["details"][number]): number {
  if (!("desc" in detail)) return detail.value.length;
  const violations = (detail.value as MessageInitShape<typeof BadRequestSchema>).fieldViolations ?? [];
  return DETAIL_BYTES_MIN + violations.length * VIOLATION_BYTES_MIN;
}

function jsonBytes(status: Status): number {
  return new TextEncoder().encode(JSON.stringify(toJson(StatusSchema, status, ANSWER_JSON))).length;
}
