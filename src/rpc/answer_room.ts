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
  const status = statusOf(error);
  // Its size in JSON takes long to find out; as protobuf it is known at once, and never larger.
  const least = status.details.reduce((sum, { value }) => sum + value.length, 0);
  if (room.has(least) && room.take(jsonBytes(status) + ERROR_BYTES)) return { error: status, truncated: false };
  const message = `${status.message.slice(0, MESSAGE_CHARACTERS_KEPT)}…`;
  return { error: create(StatusSchema, { code: status.code, message }), truncated: true };
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

function jsonBytes(status: Status): number {
  return new TextEncoder().encode(JSON.stringify(toJson(StatusSchema, status, ANSWER_JSON))).length;
}
