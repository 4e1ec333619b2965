/**
 * How large the verdicts of a batch may be, so that the answer is never refused for its size: by then orders are sold,
 * and the caller would not hear of it.
 *
 * Every verdict has {@link VERDICT_BYTES_MAX} of its own, and what the whole answer has beyond that goes to those that
 * need more, first come, first served. One that gets nothing is cut until it fits its own. Sizes are those in JSON,
 * which are the larger ones: the same messages are shorter as protobuf.
 */
import { create, type JsonObject, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { type Any, anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { BadRequestSchema } from "../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import type { LineSchema, ShortStockSchema } from "../gen/inventory/v1/inventory_pb.ts";
import { ANSWER_JSON } from "./answer_json.ts";

/** What each verdict may take whatever the others take: with 10,000 of them 4 MB, of an answer of 4 MiB. */
export const VERDICT_BYTES_MAX = 400;
/** What stands around the verdicts: `{"verdicts":[]}`. */
const ENVELOPE_BYTES = 32;
/** What stands around an error: `{"error":,"truncated":false},`. */
const ERROR_BYTES = 32;
/** A verdict that was applied, without its lines: two ids of 64 characters and what stands around them, or a time. */
const APPLIED_BYTES_MAX = 240;
/** `{"@type":"type.googleapis.com/inventory.v1.ShortStock"}`, about. */
const DETAIL_BYTES_MIN = 50;
/** `{"field":"","description":"","reason":""}`, to which come the texts. */
const VIOLATION_BYTES_MIN = 41;
/** Of the type's name in an Any. */
const TYPE_PREFIX = "type.googleapis.com/";
const UTF8 = new TextEncoder();
/** `,"sku":""` */
const NO_SKU_BYTES = 9;
/** As all lines without a sku are. */
const ASCII = /^[ -~]*$/;
/** Of a message that is cut; at 6 bytes a character, the most that JSON makes of one, it still fits. */
const MESSAGE_CHARACTERS_KEPT = 50;

/** The budget of one answer. */
export class AnswerBudget {
  #bytesLeft: number;
  /** Errors as they were written for this answer: one that befell many parts is written once. */
  readonly #written = new WeakMap<ConnectError, Written>();

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

  /** Whether a verdict of that size fits, and if so, takes it. */
  take(bytes: number): boolean {
    if (!this.has(bytes)) return false;
    this.#bytesLeft -= Math.max(bytes - VERDICT_BYTES_MAX, 0);
    return true;
  }

  /** The error as a message, and its size. The same error is not written again. */
  written(error: ConnectError): Written {
    const known = this.#written.get(error);
    if (known !== undefined) return known;
    const written = write(error);
    this.#written.set(error, written);
    return written;
  }
}

/**
 * An error as it stands in a verdict; cut to its code and the beginning of its message where there is no budget left.
 */
export function errorIn(budget: AnswerBudget, error: ConnectError): { error: Status; truncated: boolean } {
  // What can't fit is not written out to find its size: that takes 0.1 ms for an error of 50 details.
  if (budget.has(leastBytes(error))) {
    const { status, bytes } = budget.written(error);
    if (budget.take(bytes)) return { error: status, truncated: false };
  }
  const message = `${error.rawMessage.slice(0, MESSAGE_CHARACTERS_KEPT)}…`;
  return { error: create(StatusSchema, { code: error.code, message }), truncated: true };
}

/** An answer with lines as it stands in a verdict; without its lines where there is no budget left. */
export function linesIn<T extends WithLines>(budget: AnswerBudget, answer: T): { answer: T; truncated: boolean } {
  const { goodsInfo = [], short = [] } = answer;
  const bytes = APPLIED_BYTES_MAX + jsonLength(goodsInfo) + jsonLength(short);
  if (budget.take(bytes)) return { answer, truncated: false };
  return { answer: { ...answer, goodsInfo: [], ...(short.length === 0 ? {} : { short: [] }) }, truncated: true };
}

/** What a text takes in JSON, without its quotes. */
export function textBytes(text: string): number {
  return text === "" ? 0 : utf8Length(JSON.stringify(text)) - 2;
}

function jsonLength(value: readonly unknown[]): number {
  // Those that have no sku are written with an empty one.
  return utf8Length(JSON.stringify(value)) + value.length * NO_SKU_BYTES;
}

function utf8Length(text: string): number {
  return ASCII.test(text) ? text.length : UTF8.encode(text).length;
}

/** Lines of an answer, and those of which less was taken than asked for. */
interface WithLines {
  readonly goodsInfo?: MessageInitShape<typeof LineSchema>[];
  readonly short?: MessageInitShape<typeof ShortStockSchema>[];
}

/** An error as a message, and what it takes as JSON in a verdict. */
interface Written {
  readonly status: Status;
  readonly bytes: number;
}

function write({ code, rawMessage: message, details }: ConnectError): Written {
  const parts = details.map(writeDetail);
  const status = create(StatusSchema, { code, message, details: parts.map(({ any }) => any) });
  return { status, bytes: ERROR_BYTES + jsonBytes({ code, message, details: parts.map(({ json }) => json) }) };
}

/**
 * Its JSON is of the message and not of the Any, which would be unpacked for it: half of the 0.1 ms of 50 violations.
 */
function writeDetail(detail: ConnectError["details"][number]): { any: Any; json: JsonValue } {
  if (!("desc" in detail)) {
    const any = create(AnySchema, { typeUrl: `${TYPE_PREFIX}${detail.type}`, value: detail.value });
    return { any, json: toJson(AnySchema, any, ANSWER_JSON) };
  }
  const message = create(detail.desc, detail.value);
  // None of our details is one of the messages that JSON writes in a form of their own, under "value".
  const fields = toJson(detail.desc, message, ANSWER_JSON) as JsonObject;
  return { any: anyPack(detail.desc, message), json: { "@type": `${TYPE_PREFIX}${detail.desc.typeName}`, ...fields } };
}

/** A part of an error's size in JSON that is known at once: never more than all of it. */
function leastBytes({ rawMessage, details }: ConnectError): number {
  return details.reduce((sum, detail) => sum + leastDetailBytes(detail), rawMessage.length);
}

function leastDetailBytes(detail: ConnectError["details"][number]): number {
  if (!("desc" in detail)) return detail.value.length;
  const violations = (detail.value as MessageInitShape<typeof BadRequestSchema>).fieldViolations ?? [];
  // With the texts, or many of those that can't fit would be written: their size is twice what stands around them.
  let bytes = DETAIL_BYTES_MIN + violations.length * VIOLATION_BYTES_MIN;
  for (const { field = "", description = "" } of violations) bytes += field.length + description.length;
  return bytes;
}

function jsonBytes(json: JsonValue): number {
  return UTF8.encode(JSON.stringify(json)).length;
}
