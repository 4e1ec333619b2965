/** Whole quantities as people and sheets write them, in any of the locales that the console speaks. */

/** Largest quantity, goods id and location id. */
export const INT32_MAX = 2_147_483_647;

/** Why a text is no quantity. */
export type NumberProblem = "empty" | "not_a_number" | "below_zero" | "not_whole" | "ambiguous" | "too_large";

/** A quantity, or why it is none. */
export type ReadNumber = { readonly value: number } | { readonly problem: NumberProblem };

/** Spaces of all kinds and apostrophes, between digits as separators of thousands. */
const SPACED = /^[+-]?\d{1,3}(?:[ '\u2019]\d{3})+(?:\.\d+)?$/;
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const PLAIN = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * Reads "1,234", "1 234", "1'234", "12.00" and full-width digits with "，" as whole numbers.
 *
 * "1.234" may be a thousand or a little more than one, and "12,5" a decimal or a slip: they are refused, not guessed.
 */
export function readQuantity(text: string): ReadNumber {
  // NFKC makes full-width characters, and spaces that do not break, into plain ones; the minus sign it leaves.
  const plain = text.normalize("NFKC").replace(/\u2212/g, "-").trim();
  if (plain === "") return { problem: "empty" };
  if (/^[+-]?\d{1,3}(?:\.\d{3})+$/.test(plain) && !/^[+-]?0\./.test(plain)) return { problem: "ambiguous" };
  if (!PLAIN.test(plain) && !GROUPED.test(plain) && !SPACED.test(plain)) return { problem: "not_a_number" };
  const value = Number(plain.replace(/[ ',\u2019]/g, ""));
  if (!Number.isInteger(value)) return { problem: "not_whole" };
  if (value < 0) return { problem: "below_zero" };
  return value > INT32_MAX ? { problem: "too_large" } : { value: value + 0 };
}

/** Whether a text is a number with commas between thousands, and would be two cells of a line by commas. */
export function isGrouped(text: string): boolean {
  return GROUPED.test(text.trim());
}
