/** Whole quantities as people and sheets write them. */
import { INT32_MAX, readWritten } from "../parts/written_numbers.ts";

/** Why a text is no quantity. */
export type NumberProblem = "empty" | "not_a_number" | "below_zero" | "not_whole" | "ambiguous" | "too_large";

/** A quantity, or why it is none. */
export type ReadNumber = { readonly value: number } | { readonly problem: NumberProblem };

/** Reads a quantity, from 0 on. */
export function readQuantity(text: string): ReadNumber {
  const value = readWritten(text);
  if (typeof value === "string") return { problem: value };
  if (!Number.isInteger(value)) return { problem: "not_whole" };
  if (value < 0) return { problem: "below_zero" };
  return value > INT32_MAX ? { problem: "too_large" } : { value };
}
