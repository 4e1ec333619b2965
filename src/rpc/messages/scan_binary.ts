/**
 * A look at a message in protobuf's binary form that makes nothing of it: whether it can be read at all, and how many
 * entries it would become. Reading makes an object of each entry, so that a megabyte of empty ones becomes some hundred
 * megabytes in one go. Pure.
 *
 * What passes is read without a fault: tags, wire types, lengths and the UTF-8 of strings are as the schema has them.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isUtf8 } from "node:buffer";

/** What a message would become. */
export interface Scan {
  /** Entries of the fields that are counted, over the whole message. */
  readonly counts: ReadonlyMap<DescField, number>;
  /** All messages and entries in it. */
  readonly entries: number;
  /**
   * Where the entries of the field stand that was asked for: first and end of each, by turns, in bytes or in
   * characters.
   */
  readonly parts: readonly number[];
}

/** How many entries a repeated field may have, wherever in the message. */
export type CountsMax = ReadonlyMap<DescField, number>;

/** A field has more entries than it may. How many is not known: nothing is looked at beyond. */
export class TooManyEntries extends Error {
  override name = "TooManyEntries";

  constructor(readonly desc: DescField) {
    super(`too many entries of ${desc.name}`);
  }
}

/** A message that can't be read, and why. */
export class UnreadableMessage extends Error {
  override name = "UnreadableMessage";
}

/** Deepest nesting, of messages and of groups that are skipped, as the reader has it. */
const DEPTH_MAX = 100;
const WIRE = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** What is expected of a field, ready to be looked up by its number. */
interface FieldPlan {
  readonly desc: DescField;
  readonly wire: number;
  readonly isList: boolean;
  readonly isString: boolean;
  readonly message: MessagePlan | undefined;
}

type MessagePlan = Map<number, FieldPlan>;

const FIXED64: ReadonlySet<ScalarType> = new Set([ScalarType.DOUBLE, ScalarType.FIXED64, ScalarType.SFIXED64]);
const FIXED32: ReadonlySet<ScalarType> = new Set([ScalarType.FLOAT, ScalarType.FIXED32, ScalarType.SFIXED32]);

/**
 * Makes the scanner of one type of message. It throws UnreadableMessage for what can't be read, and TooManyEntries as
 * soon as a field has more entries than `max` says.
 *
 * @param parts the repeated field of messages whose entries' places are kept
 * @throws Error for a schema that it can't scan: one with maps or groups
 */
export function binaryScanner(
  schema: DescMessage,
  max: CountsMax,
  parts?: DescField,
): (bytes: Uint8Array) => Scan {
  const plan = planOf(schema, new Map());
  return (bytes) => {
    const scan = new Scanner(bytes, max, parts);
    scan.message(plan, bytes.length, 1);
    return scan;
  };
}

class Scanner implements Scan {
  readonly counts = new Map<DescField, number>();
  readonly parts: number[] = [];
  entries = 1;
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly max: CountsMax,
    private readonly partsOf: DescField | undefined,
  ) {}

  message(plan: MessagePlan, end: number, depth: number): void {
    if (depth > DEPTH_MAX) throw new UnreadableMessage(`messages nested more than ${DEPTH_MAX} deep`);
    while (this.#at < end) {
      const tag = this.#tag(end);
      const number = tag >>> 3;
      const wire = tag & 7;
      if (number === 0) throw new UnreadableMessage("a field with the number 0");
      const field = plan.get(number);
      if (field === undefined) this.#skip(wire, number, end, depth);
      else this.#field(field, wire, end, depth);
    }
  }

  #field(field: FieldPlan, wire: number, end: number, depth: number): void {
    if (field.isList && wire === WIRE.bytes && field.wire !== WIRE.bytes) return this.#packed(field, end);
    if (wire !== field.wire) {
      throw new UnreadableMessage(`field ${field.desc.name} has wire type ${wire}, expected ${field.wire}`);
    }
    if (field.isList) this.#count(field.desc);
    if (wire !== WIRE.bytes) return this.#value(wire, end);
    const from = this.#at;
    const length = this.#length(end);
    if (field.message !== undefined) {
      if (!field.isList) this.entries++;
      if (field.desc === this.partsOf) this.parts.push(this.#at, this.#at + length);
      return this.message(field.message, this.#at + length, depth + 1);
    }
    const bytes = this.bytes.subarray(this.#at, this.#at += length);
    if (field.isString && !isUtf8(bytes)) {
      throw new UnreadableMessage(`field ${field.desc.name}, at byte ${from}, is not UTF-8`);
    }
  }

  #packed(field: FieldPlan, end: number): void {
    const length = this.#length(end);
    const packedEnd = this.#at + length;
    while (this.#at < packedEnd) {
      this.#count(field.desc);
      this.#value(field.wire, packedEnd);
    }
  }

  #count(desc: DescField): void {
    this.entries++;
    const count = (this.counts.get(desc) ?? 0) + 1;
    if (count > (this.max.get(desc) ?? Infinity)) throw new TooManyEntries(desc);
    this.counts.set(desc, count);
  }

  #value(wire: number, end: number): void {
    if (wire === WIRE.varint) return void this.#varint(end);
    this.#forward(wire === WIRE.fixed64 ? 8 : 4, end);
  }

  #skip(wire: number, number: number, end: number, depth: number): void {
    if (wire === WIRE.bytes) return this.#forward(this.#length(end), end);
    if (wire !== WIRE.startGroup) {
      if (wire === WIRE.endGroup || wire > WIRE.fixed32) throw new UnreadableMessage(`wire type ${wire} of a field`);
      return this.#value(wire, end);
    }
    if (depth >= DEPTH_MAX) throw new UnreadableMessage(`groups nested more than ${DEPTH_MAX} deep`);
    for (;;) {
      if (this.#at >= end) throw new UnreadableMessage("a group without an end");
      const tag = this.#tag(end);
      if ((tag & 7) === WIRE.endGroup) {
        if (tag >>> 3 !== number) throw new UnreadableMessage("the end of a group that was not begun");
        return;
      }
      if (tag >>> 3 === 0) throw new UnreadableMessage("a field with the number 0");
      this.#skip(tag & 7, tag >>> 3, end, depth + 1);
    }
  }

  #length(end: number): number {
    const length = this.#varint(end);
    if (length > end - this.#at) {
      throw new UnreadableMessage(`a length of ${length} at byte ${this.#at}, where ${end - this.#at} bytes are left`);
    }
    return length;
  }

  #forward(count: number, end: number): void {
    if (count > end - this.#at) throw new UnreadableMessage(`the message ends within a field, at byte ${end}`);
    this.#at += count;
  }

  /** A tag is the one number that the reader takes only where it fits into 32 bits. */
  #tag(end: number): number {
    const from = this.#at;
    const tag = this.#varint(end);
    const length = this.#at - from;
    if (length > 5 || (length === 5 && this.bytes[this.#at - 1]! > 0x0f)) {
      throw new UnreadableMessage(`a tag of more than 32 bits, at byte ${from}`);
    }
    return tag;
  }

  /** The lowest 32 bits, as the reader has them. */
  #varint(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= end) throw new UnreadableMessage(`the message ends within a number, at byte ${end}`);
      const byte = this.bytes[this.#at++]!;
      if (shift < 35) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new UnreadableMessage(`a number of more than ten bytes, before byte ${this.#at}`);
  }
}

function planOf(schema: DescMessage, known: Map<DescMessage, MessagePlan>): MessagePlan {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const plan: MessagePlan = new Map();
  known.set(schema, plan);
  for (const desc of schema.fields) {
    const isGroup = desc.message !== undefined && "delimitedEncoding" in desc && desc.delimitedEncoding;
    if (desc.fieldKind === "map" || isGroup) throw new Error(`Cannot scan messages with ${desc}: a map or a group`);
    plan.set(desc.number, {
      desc,
      wire: wireOf(desc),
      isList: desc.fieldKind === "list",
      isString: desc.scalar === ScalarType.STRING,
      message: desc.message === undefined ? undefined : planOf(desc.message, known),
    });
  }
  return plan;
}

function wireOf({ message, scalar }: DescField): number {
  if (message !== undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return WIRE.bytes;
  // An enum has no scalar.
  if (scalar === undefined) return WIRE.varint;
  if (FIXED64.has(scalar)) return WIRE.fixed64;
  return FIXED32.has(scalar) ? WIRE.fixed32 : WIRE.varint;
}
