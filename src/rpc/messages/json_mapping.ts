/**
 * Protobuf's JSON mapping, as far as a scan of a message needs it: the keys that its fields may have, and the numbers
 * that they can take exactly. Pure.
 */
import { type DescField, type DescMessage, fromJson, ScalarType } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";

/** A JSON number (RFC 8259, section 6) where a text stands at its `lastIndex`. */
export const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WHOLE_NUMBER = new RegExp(`^${NUMBER.source}$`);
/** An integer without an exponent. */
export const PLAIN_INTEGER = /^-?(?:0|[1-9]\d*)$/;
/** Of a number in JSON; a longer one is none that a field could take. */
const NUMBER_CHARACTERS_MAX = 64;

/** A key in an error; a longer one is cut. */
const KEY_CHARACTERS_MAX = 64;

const INT64_MIN = -(2n ** 63n);
/** The ranges of the integer types. */
export const INTEGER_RANGES: ReadonlyMap<ScalarType, readonly [min: bigint, max: bigint]> = new Map([
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32].map((type) => [type, [-(2n ** 31n), 2n ** 31n - 1n]]),
  ...[ScalarType.UINT32, ScalarType.FIXED32].map((type) => [type, [0n, 2n ** 32n - 1n]]),
  ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64].map((type) => [type, [INT64_MIN, 2n ** 63n - 1n]]),
  ...[ScalarType.UINT64, ScalarType.FIXED64].map((type) => [type, [0n, 2n ** 64n - 1n]]),
] as [ScalarType, [bigint, bigint]][]);

/** Whether the character is a decimal digit; none for the empty text. */
export function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

/** The value of a JSON number, where it is a whole one; exact, whatever its size. */
export function wholeNumber(text: string): bigint | undefined {
  if (text.length > NUMBER_CHARACTERS_MAX || !WHOLE_NUMBER.test(text)) return undefined;
  const [mantissa, exponent = "0"] = text.toLowerCase().split("e") as [string, string?];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length;
  if (digits === 0n) return 0n;
  if (Math.abs(shift) > NUMBER_CHARACTERS_MAX) return undefined;
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

/** A message that JSON writes as a string. */
export interface TextForm {
  /** What is expected, in words. */
  readonly expected: string;
  isReadable(text: string): boolean;
}

const TEXT_FORMS: ReadonlyMap<string, TextForm> = new Map([
  textForm(TimestampSchema, "a time such as 2026-11-28T12:00:00Z"),
  textForm(DurationSchema, "seconds such as 900s or 0.5s"),
]);

function textForm(schema: DescMessage, expected: string): [string, TextForm] {
  const isReadable = (text: string) => {
    try {
      return fromJson(schema, text) !== undefined;
    } catch {
      return false;
    }
  };
  return [schema.typeName, { expected, isReadable }];
}

/** One field; where it is a message, with the fields of that, or with its form as a string. */
export interface FieldPlan {
  readonly desc: DescField;
  readonly message: MessagePlan | undefined;
  readonly text: TextForm | undefined;
}

/** The schema of one message by the keys that JSON may have for its fields: a field has two spellings. */
export type MessagePlan = Map<string, FieldPlan>;

/**
 * Makes the plan of one type of message, and of those within it.
 *
 * @throws Error for one with maps, or with types that have another JSON form of their own than a time or a duration
 */
export function jsonPlan(schema: DescMessage, known = new Map<DescMessage, MessagePlan>()): MessagePlan {
  const found = known.get(schema);
  if (found !== undefined) return found;
  if (schema.file.proto.package === "google.protobuf") {
    throw new Error(`Cannot scan messages with ${schema}: it has a JSON form of its own`);
  }
  const plan: MessagePlan = new Map();
  known.set(schema, plan);
  for (const desc of schema.fields) {
    if (desc.fieldKind === "map") throw new Error(`Cannot scan messages with ${desc}: a map`);
    const text = desc.message === undefined ? undefined : TEXT_FORMS.get(desc.message.typeName);
    const isPlain = desc.message !== undefined && text === undefined;
    const field = { desc, text, message: isPlain ? jsonPlan(desc.message, known) : undefined };
    plan.set(desc.jsonName, field);
    plan.set(desc.name, field);
  }
  return plan;
}

/** What a JSON value is, by its first character; none for a number. */
export const KINDS: Readonly<Record<string, string>> = {
  "{": "an object",
  "[": "a list",
  '"': "a string",
  t: "true",
  f: "false",
  n: "null",
};

/** What a caller wrote, for an error: cut where it is long. */
export function shortened(key: string): string {
  return key.length <= KEY_CHARACTERS_MAX ? key : `${key.slice(0, KEY_CHARACTERS_MAX)}…`;
}
