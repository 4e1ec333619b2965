/**
 * A look at a message in JSON before JSON.parse, which bends numbers, forgets all but the last of equal keys, and makes
 * objects of whatever it is given. Pure: one pass over the text, along the schema.
 *
 * What passes is JSON, has only fields that exist, each once, in either spelling, and numbers only where protobuf's
 * JSON mapping has them and only those that a field takes exactly. All that is wrong with fields is found, not only the
 * first; but no more than anybody reads.
 */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import {
  type FieldPlan,
  INTEGER_RANGES,
  isDigit,
  jsonPlan,
  KINDS,
  type MessagePlan,
  NUMBER,
  PLAIN_INTEGER,
  shortened,
  type TextForm,
  wholeNumber,
} from "./json_mapping.ts";
import { stringEnd } from "./json_string.ts";
import { type CountsMax, type Scan, TooManyEntries, UnreadableMessage } from "./scan_binary.ts";

/** A field that breaks a rule of the encoding: its path, such as `orders[2].order_id`, and the rule. */
export type FieldFault = (field: string, description: string) => void;

/** Deepest nesting, in fields that exist and in those that don't. */
const DEPTH_MAX = 100;
/** Faults after which nothing more is looked for: 90,000 unknown keys took 200 ms. */
const FAULTS_MAX = 1_000;
/** Digits of a number that is exact as a double. */
const SMALL_DIGITS_MAX = 15;
const LITERAL = /true|false|null/y;

/**
 * Makes the scanner of one type of message. It throws UnreadableMessage for what is no JSON object at all,
 * TooManyEntries as `binaryScanner` does, and calls `fault` for each field that breaks a rule; after a thousand of them
 * it stops. For a schema that it can't scan it is not made: Error, see `jsonPlan`.
 */
export function jsonScanner(
  schema: DescMessage,
  max: CountsMax,
  parts?: DescField,
): (text: string, fault: FieldFault) => Scan {
  const plan = jsonPlan(schema);
  return (text, fault) => {
    const scanner = new Scanner(text, max, fault, parts);
    try {
      scanner.whole(plan);
    } catch (error) {
      if (!(error instanceof TooManyFaults)) throw error;
    }
    return scanner;
  };
}

class TooManyFaults extends Error {}

class Scanner implements Scan {
  readonly counts = new Map<DescField, number>();
  readonly parts: number[] = [];
  entries = 1;
  #faults = 0;
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly max: CountsMax,
    private readonly found: FieldFault,
    private readonly partsOf: DescField | undefined,
  ) {}

  whole(plan: MessagePlan): void {
    this.#space();
    if (this.#next() !== "{") throw new UnreadableMessage(`expected a JSON object, got ${this.#found()}`);
    this.#object(plan, "", 1);
    this.#space();
    if (this.#at < this.text.length) throw new UnreadableMessage(`expected the end of the JSON, got ${this.#found()}`);
  }

  /** From its opening brace on. Without a plan its fields are those of a field that does not exist. */
  #object(plan: MessagePlan | undefined, path: string, depth: number): void {
    this.#deeper(depth);
    const seen = new Set<unknown>();
    this.#members("{", "}", () => {
      const key = this.#string();
      this.#space();
      this.#expect(":");
      this.#space();
      if (plan === undefined) return this.#value(undefined, path, depth);
      const field = plan.get(key);
      const name = path + (field?.desc.name ?? shortened(key));
      if (field === undefined) {
        this.#fault(name, "expected a field of the request, there is none of this name");
        return this.#value(undefined, name, depth);
      }
      if (seen.has(field)) this.#fault(name, "expected once, it is there twice");
      seen.add(field);
      if (field.desc.fieldKind !== "list") return this.#value(field, name, depth);
      if (this.#next() === "[") this.#list(field, name, depth + 1);
      else if (!this.#literal("null")) this.#mismatch(name, "a list");
    });
  }

  #list(field: FieldPlan | undefined, path: string, depth: number): void {
    this.#deeper(depth);
    const desc = field?.desc;
    const before = desc === undefined ? 0 : this.counts.get(desc) ?? 0;
    const max = (desc === undefined ? undefined : this.max.get(desc)) ?? Infinity;
    let count = 0;
    this.#members("[", "]", () => {
      this.entries++;
      if (before + count >= max) throw new TooManyEntries(desc!);
      const from = this.#at;
      if (field !== undefined && this.#next() === "n") this.#mismatch(`${path}[${count}]`, "a value");
      else this.#value(field, field === undefined ? path : `${path}[${count}]`, depth);
      if (desc !== undefined && desc === this.partsOf) this.parts.push(from, this.#at);
      count++;
    });
    if (desc !== undefined) this.counts.set(desc, before + count);
  }

  /** One value; of any kind where no field is known. */
  #value(field: FieldPlan | undefined, path: string, depth: number): void {
    const next = this.#next();
    if (field === undefined) return this.#anything(path, depth);
    if (next === "n") return void this.#anything(path, depth);
    const { desc, message, text } = field;
    if (message !== undefined) {
      if (next !== "{") return this.#mismatch(path, "an object");
      this.entries++;
      return this.#object(message, `${path}.`, depth + 1);
    }
    if (text !== undefined) return this.#text(text, path);
    const range = desc.scalar === undefined ? undefined : INTEGER_RANGES.get(desc.scalar);
    if (range !== undefined) return this.#integer(path, desc.scalar!, range);
    if (desc.scalar === ScalarType.STRING) {
      if (next !== '"') return this.#mismatch(path, "a string in quotes");
      if (!this.#string().isWellFormed()) this.#fault(path, "expected Unicode text, got half of a surrogate pair");
      return;
    }
    if (desc.scalar === ScalarType.BOOL) {
      if (next !== "t" && next !== "f") return this.#mismatch(path, "true or false");
      return this.#anything(path, depth);
    }
    if (desc.enum !== undefined) return this.#enum(path, desc.enum);
    if (next === "{" || next === "[") return this.#mismatch(path, "a single value");
    this.#anything(path, depth);
  }

  /** A name of the enum, which would be left out if it were another; or a number, which is the service's to look at. */
  #enum(path: string, { values }: DescEnum): void {
    if (this.#next() !== '"') return this.#integer(path, ScalarType.INT32, INTEGER_RANGES.get(ScalarType.INT32)!);
    const name = this.#string();
    if (values.some((value) => value.name === name)) return;
    const names = values.map((value) => value.name).join(", ");
    this.#fault(path, `expected one of ${names}, got ${shortened(JSON.stringify(name))}`);
  }

  /** A message that stands there as a string. */
  #text({ expected, isReadable }: TextForm, path: string): void {
    if (this.#next() !== '"') return this.#mismatch(path, expected);
    this.entries++;
    const text = this.#string();
    if (!isReadable(text)) this.#fault(path, `expected ${expected}, got ${shortened(JSON.stringify(text))}`);
  }

  /** A number of protobuf's JSON mapping: bare or in quotes, with an exponent or not, but whole and exact. */
  #integer(path: string, type: ScalarType, [min, max]: readonly [bigint, bigint]): void {
    const next = this.#next();
    if (this.#smallInteger(min, max)) return;
    const isQuoted = next === '"';
    if (!isQuoted && next !== "-" && !isDigit(next)) return this.#mismatch(path, "a whole number");
    const text = isQuoted ? this.#string() : this.#number();
    const isLong = max > 2n ** 32n;
    const value = wholeNumber(text);
    if (value === undefined || (isQuoted && isLong && !PLAIN_INTEGER.test(text))) {
      return this.#fault(path, `expected a whole number, got ${shortened(JSON.stringify(text))}`);
    }
    if (value < min || value > max) {
      return this.#fault(path, `expected ${min} to ${max} (${ScalarType[type].toLowerCase()}), got ${value}`);
    }
    if (isLong && !isQuoted && (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER)) {
      this.#fault(
        path,
        `expected a number that large in quotes: JSON numbers are exact up to ${Number.MAX_SAFE_INTEGER}`,
      );
    }
  }

  /** Whether there is a number of the plainest kind here, within the range; then it is passed over. */
  #smallInteger(min: bigint, max: bigint): boolean {
    let value = 0;
    let end = this.#at;
    for (let code = this.text.charCodeAt(end); code >= 0x30 && code <= 0x39; code = this.text.charCodeAt(++end)) {
      value = value * 10 + code - 0x30;
    }
    const digits = end - this.#at;
    const isPlain = digits > 0 && digits <= SMALL_DIGITS_MAX && (digits === 1 || this.#next() !== "0");
    if (!isPlain || ".eE".includes(this.text.charAt(end) || "e") || value < min || value > max) return false;
    this.#at = end;
    return true;
  }

  #mismatch(path: string, expected: string): void {
    this.#fault(path, `expected ${expected}, got ${KINDS[this.#next()] ?? "a number"}`);
    this.#anything(path, 1);
  }

  #anything(path: string, depth: number): void {
    const next = this.#next();
    if (next === "{") this.#object(undefined, path, depth + 1);
    else if (next === "[") this.#list(undefined, path, depth + 1);
    else if (next === '"') this.#string();
    else if (next === "-" || isDigit(next)) this.#number();
    else if (this.#match(LITERAL) === undefined) throw new UnreadableMessage(`expected JSON, got ${this.#found()}`);
  }

  /** Members between two brackets, by commas. */
  #members(open: string, close: string, member: () => void): void {
    this.#expect(open);
    this.#space();
    if (this.#next() === close) return void this.#at++;
    for (;;) {
      member();
      this.#space();
      if (this.#next() === close) return void this.#at++;
      this.#expect(",");
      this.#space();
    }
  }

  #string(): string {
    const from = this.#at;
    const end = stringEnd(this.text, from);
    if (end === undefined) throw new UnreadableMessage(`expected a string in JSON, got ${this.#found()}`);
    this.#at = end;
    const plain = this.text.slice(from + 1, end - 1);
    // What escapes stand for is left to JSON.parse.
    return plain.includes("\\") ? JSON.parse(this.text.slice(from, end)) : plain;
  }

  #number(): string {
    const text = this.#match(NUMBER);
    if (text === undefined) throw new UnreadableMessage(`expected a number in JSON, got ${this.#found()}`);
    return text;
  }

  #literal(text: string): boolean {
    if (!this.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#literal(text)) throw new UnreadableMessage(`expected "${text}" in the JSON, got ${this.#found()}`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #space(): void {
    while (" \t\n\r".includes(this.#next() || "end")) this.#at++;
  }

  #next(): string {
    return this.text.charAt(this.#at);
  }

  #found(): string {
    return this.#at < this.text.length ? `${JSON.stringify(this.#next())} at character ${this.#at}` : "its end";
  }

  #fault(field: string, description: string): void {
    this.found(field, description);
    if (++this.#faults >= FAULTS_MAX) throw new TooManyFaults();
  }

  #deeper(depth: number): void {
    if (depth > DEPTH_MAX) throw new UnreadableMessage(`JSON nested more than ${DEPTH_MAX} deep`);
  }
}
