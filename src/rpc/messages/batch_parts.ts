/**
 * A large batch that is not read as a whole: it stays as it came until its turn, and its orders are then read one by
 * one. A message of a megabyte takes some 100 ms to read in one go, and becomes some twenty times its bytes.
 *
 * Connect's handlers get an empty message instead of it, and the service gets the orders from here.
 */
import { type DescMessage, fromBinary, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { unreadableMessage } from "../errors.ts";

/** What is kept of a range, in bytes. */
const RANGE_BYTES = 16;

/** A message, as bytes in protobuf's form or as text in JSON, and where its parts stand in it. */
export interface PartsSource {
  readonly message: Uint8Array | string;
  /** First and end of each, by turns. */
  readonly ranges: readonly number[];
}

/**
 * Waits for the turn of a batch; what it answers ends the turn. It rejects with the error to answer, or the signal's
 * reason.
 */
export type Turn = (signal: AbortSignal) => Promise<() => void>;

/** The parts of a batch, to be read in its turn. */
export interface Parts<R> {
  readonly count: number;
  readonly turn: Turn;
  /** @throws ConnectError INVALID_ARGUMENT for one that can't be read */
  read(at: number): R;
}

/** What a source takes while it is kept, in bytes: characters take one or two each. */
export function keptBytes({ message, ranges }: PartsSource): number {
  const bytes = typeof message === "string" ? 2 * message.length : message.length;
  return bytes + ranges.length / 2 * RANGE_BYTES;
}

const partsKey = createContextKey<{ source: PartsSource; turn: Turn } | undefined>(undefined, {
  description: "parts of a batch that is read one by one",
});

/** Has the service find the parts of its batch. */
export function setParts(values: ContextValues, source: PartsSource, turn: Turn): void {
  values.set(partsKey, { source, turn });
}

/**
 * The parts of a call's batch, each of this schema: those of `whole` where the message was small, and is read already.
 */
export function partsOf<D extends DescMessage>(
  values: ContextValues,
  schema: D,
  whole: readonly MessageShape<D>[],
): Parts<MessageShape<D>> {
  const parts = values.get(partsKey);
  if (parts === undefined) return { count: whole.length, turn: atOnce, read: (at) => whole[at]! };
  const { source: { message, ranges }, turn } = parts;
  return {
    count: ranges.length / 2,
    turn,
    read(at) {
      const [from, end] = [ranges[2 * at]!, ranges[2 * at + 1]!];
      try {
        return typeof message === "string"
          ? fromJsonString(schema, message.slice(from, end))
          : fromBinary(schema, message.subarray(from, end), { readUnknownFields: false });
      } catch (error) {
        throw unreadableMessage((error as Error).message);
      }
    },
  };
}

/** The turn of a batch that needs no capacity of its own. */
export function atOnce(): Promise<() => void> {
  return Promise.resolve(() => {});
}
