/**
 * One message before anything is made of it: whether it can be read, and is within the bounds of its method. It is
 * decided on the bytes, whatever the encoding, so that a message costs no more than it has bytes until its first rule
 * is looked at.
 */
import type { Log } from "../../telemetry/log.ts";
import { RareLine } from "../../telemetry/rare_line.ts";
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import type { PartsSource } from "./batch_parts.ts";
import { ENTRY_BYTES } from "./budget.ts";
import { binaryScanner, type Scan, TooManyEntries, UnreadableMessage } from "./scan_binary.ts";
import { jsonScanner } from "./scan_json.ts";
import { LARGE_BYTES } from "./turns.ts";
import { unreadableMessage, Violations } from "../errors.ts";

/** Entries beyond what there may be that are still counted, so that most callers learn how many they sent. */
const COUNTED_BEYOND = 10_000;

/** How often a repeated field may come in one message, wherever in it. */
export interface CountBound {
  readonly desc: DescField;
  readonly max: number;
  /** Who is named when there are more: a field of the request. */
  readonly field: string;
  /** What there may be at most, such as "lines". */
  readonly what: string;
}

/**
 * What one message of a method may be before any rule of its service is looked at. It is checked on the bytes, so that
 * nothing is made of a message that is over it.
 */
export interface MessageBounds {
  /** Bytes, unpacked, in whatever encoding. */
  readonly bytesMax: number;
  readonly counts: readonly CountBound[];
  /** The only field of the message, where it is a batch: a large one is read part by part, and not as a whole. */
  readonly parts?: DescField;
}

/** The encodings of a message. */
export type Encoding = "binary" | "json";

/** A message that passed. */
export interface Checked {
  /** What it becomes once it is read, in bytes. */
  readonly becomes: number;
  /** Where it is a large batch, which is not read as a whole. */
  readonly parts?: PartsSource | undefined;
}

/** The check of one method's messages. */
export interface MessageCheck {
  readonly bytesMax: number;
  /** Whether a call sends one message only. */
  readonly isSingle: boolean;
  /**
   * @throws ConnectError INVALID_ARGUMENT for one that can't be read, has fields that it must not have, or too many
   * entries
   */
  check(bytes: Uint8Array, encoding: Encoding): Checked;
}

/**
 * Makes the check of a method's messages.
 *
 * @throws Error where its requests have maps, groups, or types with a JSON form of their own; or other fields beside
 *   parts
 */
export function createMessageCheck(
  method: DescMethod,
  bounds: MessageBounds,
  unreadable: UnreadableMessages,
): MessageCheck {
  const countsMax = new Map(bounds.counts.map(({ desc, max }) => [desc, max + COUNTED_BEYOND]));
  if (bounds.parts !== undefined && method.input.fields.length > 1) {
    throw new Error(`Cannot read ${method.input} part by part: it has other fields beside ${bounds.parts}`);
  }
  const scanBinary = binaryScanner(method.input, countsMax, bounds.parts);
  const scanJson = jsonScanner(method.input, countsMax, bounds.parts);
  const name = `${method.parent.typeName}/${method.name}`;
  return {
    bytesMax: bounds.bytesMax,
    isSingle: method.methodKind === "unary" || method.methodKind === "server_streaming",
    check(bytes, encoding) {
      const violations = new Violations();
      const { message, scan: { counts, entries, parts: ranges } } = scan(bytes, encoding, violations);
      for (const { desc, max, field, what } of bounds.counts) {
        const count = counts.get(desc) ?? 0;
        if (count > max) violations.add(field, `expected at most ${max} ${what}, got ${count}`);
      }
      violations.check();
      const isInParts = bounds.parts !== undefined && bytes.length > LARGE_BYTES;
      return {
        becomes: bytes.length + entries * ENTRY_BYTES,
        parts: isInParts ? { message: alone(message), ranges } : undefined,
      };
    },
  };

  function scan(
    bytes: Uint8Array,
    encoding: Encoding,
    violations: Violations,
  ): { readonly message: PartsSource["message"]; readonly scan: Scan } {
    try {
      if (encoding === "binary") return { message: bytes, scan: scanBinary(bytes) };
      const message = textOf(bytes);
      return { message, scan: scanJson(message, (field, description) => violations.add(field, description)) };
    } catch (error) {
      if (error instanceof TooManyEntries) {
        const { max, field, what } = bounds.counts.find(({ desc }) => desc === error.desc)!;
        violations.add(field, `expected at most ${max} ${what}, got more than ${max + COUNTED_BEYOND}`);
        violations.check();
      }
      if (!(error instanceof UnreadableMessage)) throw error;
      unreadable.note(name, error.message);
      throw unreadableMessage(error.message);
    }
  }
}

/** Bytes are copied out of a buffer that was made for more, which would be kept with them. */
function alone(message: PartsSource["message"]): PartsSource["message"] {
  if (typeof message === "string") return message;
  return message.buffer.byteLength - message.length > LARGE_BYTES ? new Uint8Array(message) : message;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableMessage("the JSON is not UTF-8");
  }
}

/**
 * Messages that can't be read: counted, and logged in one line now and then. They are faults of their callers, not of
 * the service, and anyone can send as many as they like.
 */
export class UnreadableMessages {
  #count = 0;
  readonly #line: RareLine;

  /** @param nowMs a clock that runs forward */
  constructor(log: Log, nowMs?: () => number) {
    this.#line = new RareLine(log, "messages that can't be read were refused", nowMs);
  }

  /** How many could not be read since the start. */
  get count(): number {
    return this.#count;
  }

  /** Counts one. A line counts all since the line before, and shows the latest of them. */
  note(method: string, reason: string): void {
    this.#count++;
    this.#line.note({ method, reason });
  }
}
