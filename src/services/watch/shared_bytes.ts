/**
 * Changes as bytes, which all streams that have one share: it is encoded once, however many they are.
 *
 * A list of messages is on the wire what fields of its number are that nobody knows, one a message. So the bytes stand
 * where protobuf-es keeps such fields, and are written as they are. In JSON there is nothing of the kind.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type InvChange as InvChangeMessage,
  type InvChanges,
  InvChangeSchema,
  InvChangesSchema,
} from "../../gen/inventory/v1/watch_pb.ts";
import type { InvChange } from "../../watch/changes.ts";
import type { FoldedChange } from "../../watch/events.ts";

const NUMBER = InvChangesSchema.field.changes.number;
/** As long as a stream has a change, it has its bytes. */
const BYTES = new WeakMap<InvChange, Uint8Array>();

/** The changes, for a stream that is not JSON. `messageOf`: what one of them is. */
export function sharedChanges(
  changes: readonly FoldedChange[],
  messageOf: (change: FoldedChange) => InvChangeMessage,
): InvChanges {
  const message = create(InvChangesSchema);
  message.$unknown = changes.map((each) => ({
    no: NUMBER,
    wireType: WireType.LengthDelimited,
    data: each.folded === 0 ? sharedBytes(each, messageOf) : bytesOf(messageOf(each)),
  }));
  return message;
}

function sharedBytes(each: FoldedChange, messageOf: (change: FoldedChange) => InvChangeMessage): Uint8Array {
  const known = BYTES.get(each.change);
  if (known !== undefined) return known;
  const bytes = bytesOf(messageOf(each));
  BYTES.set(each.change, bytes);
  return bytes;
}

/** With its length, as the field has it. */
function bytesOf(message: InvChangeMessage): Uint8Array {
  return new BinaryWriter().bytes(toBinary(InvChangeSchema, message)).finish();
}
