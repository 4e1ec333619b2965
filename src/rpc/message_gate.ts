/**
 * One message before anything is made of it: whether it can be read, and is within the bounds of its method. It is decided on
 * the bytes, whatever the encoding, so that a message costs no more than it has bytes until its first rule is looked at.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ENTRY_BYTES } from "./message_budget.ts";
import type { MessageBounds } from "./message_bounds.ts";
import { binaryScanner, type Scan, TooManyEntries, UnreadableMessage } from "./scan_binary.ts";
import { jsonScanner } from "./scan_json.ts";
import type { UnreadableMessages } from "./unreadable_messages.ts";
import { Violations } from "./validation.ts";

/** Entries beyond what there may be that are still counted, so that most callers are told how many they sent. */
const COUNTED_BEYOND = 10_000;

/** The encodings of a message. */
export type Encoding = "binary" | "json";

/** The gate of one method's messages. */
export interface MessageGate {
  readonly bytesMax: number;
  /** Whether a call sends one message only. */
  readonly isSingle: boolean;
  /**
   * What the message becomes once it is read, in bytes.
   *
   * @throws ConnectError INVALID_ARGUMENT for one that can't be read, has fields that it must not have, or too many entries
   */
  check(bytes: Uint8Array, encoding: Encoding): number;
}

/**
 * Makes the gate of a method.
 *
 * @throws Error where its requests have maps, groups, or types with a JSON form of their own
 */
export function createMessageGate(
  method: DescMethod,
  bounds: MessageBounds,
  unreadable: UnreadableMessages,
): MessageGate {
  const countsMax = new Map(bounds.counts.map(({ desc, max }) => [desc, max + COUNTED_BEYOND]));
  const scanBinary = binaryScanner(method.input, countsMax);
  const scanJson = jsonScanner(method.input, countsMax);
  const name = `${method.parent.typeName}/${method.name}`;
  return {
    bytesMax: bounds.bytesMax,
    isSingle: method.methodKind === "unary" || method.methodKind === "server_streaming",
    check(bytes, encoding) {
      const violations = new Violations();
      const { counts, entries } = scan(bytes, encoding, violations);
      for (const { desc, max, field, what } of bounds.counts) {
        const count = counts.get(desc) ?? 0;
        if (count > max) violations.add(field, `expected at most ${max} ${what}, got ${count}`);
      }
      violations.check();
      return bytes.length + entries * ENTRY_BYTES;
    },
  };

  function scan(bytes: Uint8Array, encoding: Encoding, violations: Violations): Scan {
    try {
      if (encoding === "binary") return scanBinary(bytes);
      return scanJson(textOf(bytes), (field, description) => violations.add(field, description));
    } catch (error) {
      if (error instanceof TooManyEntries) {
        const { max, field, what } = bounds.counts.find(({ desc }) => desc === error.desc)!;
        violations.add(field, `expected at most ${max} ${what}, got more than ${max + COUNTED_BEYOND}`);
        violations.check();
      }
      if (!(error instanceof UnreadableMessage)) throw error;
      unreadable.note(name, error.message);
      throw new ConnectError(`the message can't be read: ${error.message}`, Code.InvalidArgument);
    }
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableMessage("the JSON is not UTF-8");
  }
}
