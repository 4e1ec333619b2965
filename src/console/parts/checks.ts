/**
 * What people type, read by the bounds that the API has, so that most mistakes are seen before anything is sent. Pure.
 */
import { INT32_MAX, readWritten } from "./written_numbers.ts";

/** Longest time that a hold lasts, in ms. */
export const HOLD_TTL_MS_MAX = 31 * 24 * 3_600_000;

/** What is wrong with a text: a key of the words, and what they are filled with. */
export interface Problem {
  readonly problem:
    | "empty"
    | "no_number"
    | "out_of_bounds"
    | "zero"
    | "no_duration"
    | "bad_id"
    | "bad_buyer"
    | "bad_uri"
    | "bad_text"
    | "same_location"
    | "no_lines"
    | "too_many_lines"
    | "not_above";
  readonly min?: number;
  readonly max?: number;
}

/** What was read, or what is wrong. */
export type Read<T> = { readonly value: T } | Problem;

/** Whether something is wrong. */
export function isProblem<T>(read: Read<T>): read is Problem {
  return "problem" in read;
}

/** What it is; undefined where something is wrong. */
export function valueOf<T>(read: Read<T>): T | undefined {
  return isProblem(read) ? undefined : read.value;
}

/** A whole number; what may be a fraction, or a slip of the comma, is none. */
export function readWhole(text: string, { min, max }: { readonly min: number; readonly max: number }): Read<number> {
  const value = readWritten(text);
  if (value === "empty") return { problem: "empty" };
  if (typeof value === "string" || !Number.isInteger(value)) return { problem: "no_number" };
  return value < min || value > max ? { problem: "out_of_bounds", min, max } : { value };
}

/** A number of units above or below 0. */
export function readDelta(text: string): Read<number> {
  const read = readWhole(text, { min: -INT32_MAX, max: INT32_MAX });
  return valueOf(read) === 0 ? { problem: "zero" } : read;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as "90s", "15m", "2h", "1d", or several as "1h 30m", in ms; a number alone is minutes. */
export function readDuration(text: string, { min, max }: { readonly min: number; readonly max: number }): Read<number> {
  const written = plain(text).replaceAll(/\s/g, "").toLowerCase();
  if (written === "") return { problem: "empty" };
  if (!/^(\d{1,12}(ms|s|m|h|d)?)+$/.test(written)) return { problem: "no_duration" };
  const value = [...written.matchAll(/(\d+)(ms|s|m|h|d)?/g)]
    .reduce((sum, [, num, unit = "m"]) => sum + Number(num) * (UNIT_MS[unit] as number), 0);
  return value < min || value > max ? { problem: "out_of_bounds", min, max } : { value };
}

/** A time as {@link readDuration} reads it. */
export function durationText(ms: number): string {
  if (ms === 0) return "0s";
  let left = ms;
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const unitMs = UNIT_MS[unit] as number;
    const num = Math.floor(left / unitMs);
    left -= num * unitMs;
    if (num > 0) parts.push(`${num}${unit}`);
  }
  return parts.join(" ");
}

/** A goods as people name it: digits are its id, anything else its SKU, and `sku:` before it makes any text one. */
export type GoodsName = { readonly goodsId: number } | { readonly sku: string };

/** @throws nothing: what can't be a goods is a problem. */
export function readGoods(text: string): Read<GoodsName> {
  const name = text.normalize("NFC").trim();
  if (name === "") return { problem: "empty" };
  const sku = /^sku:(.*)$/is.exec(name)?.[1];
  if (sku === undefined && /^\d+$/.test(name)) {
    const goodsId = Number(name);
    return goodsId > 0 && goodsId <= INT32_MAX
      ? { value: { goodsId } }
      : { problem: "out_of_bounds", min: 1, max: INT32_MAX };
  }
  return readSku(sku ?? name);
}

function readSku(sku: string): Read<GoodsName> {
  // deno-lint-ignore no-control-regex
  return sku === "" || [...sku].length > 64 || /[\u0000-\u001f\u007f-\u009f]/.test(sku)
    ? { problem: "bad_text", max: 64 }
    : { value: { sku } };
}

/** An id of an order. */
export function readOrderId(text: string): Read<string> {
  return readBy(text.trim(), /^[A-Za-z0-9._:-]{1,64}$/, "bad_id");
}

/** Whose order it is; empty is nobody's. */
export function readBuyer(text: string): Read<string> {
  return text.trim() === "" ? { value: "" } : readBy(text.trim(), /^[!-~]{1,64}$/, "bad_buyer");
}

/** Where more about it stands; empty is nowhere. What a URI can't contain is percent-encoded. */
export function readDocument(text: string): Read<string> {
  const written = text.trim();
  if (written === "") return { value: "" };
  return readBy(written.replaceAll(/[^!-~]+/gu, encoded), /^[!-~]{1,512}$/, "bad_uri");
}

function encoded(text: string): string {
  // Half of a pair, which no encoding has.
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
}

/** How a shortfall ended: printable ASCII. */
export function readResolution(text: string): Read<string> {
  return text.trim() === "" ? { problem: "empty" } : readBy(text.trim(), /^[ -~]{1,512}$/, "bad_text");
}

function readBy(text: string, rule: RegExp, problem: "bad_id" | "bad_buyer" | "bad_uri" | "bad_text"): Read<string> {
  if (text === "") return { problem: "empty" };
  return rule.test(text) ? { value: text } : { problem };
}

/** Digits and signs in the width that ASCII has. */
function plain(text: string): string {
  return text.normalize("NFKC").trim();
}
