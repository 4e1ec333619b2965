/** Numbers as people and sheets write them, in any of the locales that the console speaks. Pure. */

/** Largest quantity, goods id and location id. */
export const INT32_MAX = 2_147_483_647;

/** The number, or why it is none. */
export type WrittenNumber = number | "empty" | "not_a_number" | "ambiguous";

/** Spaces of all kinds and apostrophes, between digits as separators of thousands. */
const SPACED = /^[+-]?\d{1,3}(?:[ '\u2019]\d{3})+(?:\.\d+)?$/;
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const PLAIN = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * Reads "1,234", "1 234", "1'234", "12.00" and full-width digits with "，".
 *
 * "1.234" may be a thousand or a little more than one, and "12,5" a decimal or a slip: they are refused, not guessed.
 */
export function readWritten(text: string): WrittenNumber {
  // NFKC makes full-width characters, and spaces that do not break, into plain ones; the minus sign it leaves. What is
  // raised or a fraction it would make digits of the number before it: "5²" is not 52.
  if (/[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u218f\u2460-\u24ff]/.test(text)) return "not_a_number";
  const plain = text.normalize("NFKC").replace(/\u2212/g, "-").trim();
  if (plain === "") return "empty";
  if (/^[+-]?\d{1,3}(?:\.\d{3})+$/.test(plain) && !/^[+-]?0\./.test(plain)) return "ambiguous";
  if (!PLAIN.test(plain) && !GROUPED.test(plain) && !SPACED.test(plain)) return "not_a_number";
  // "-0" is 0.
  return Number(plain.replace(/[ ',\u2019]/g, "")) + 0;
}

/** Whether a text is a number with commas between thousands, and would be two cells of a line by commas. */
export function isGrouped(text: string): boolean {
  return GROUPED.test(text.trim());
}
