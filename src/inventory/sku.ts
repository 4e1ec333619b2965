/**
 * What a shop calls its goods: a sku. Pure.
 *
 * Two skus are the same where their forms NFC are, as one word can be typed as different code points. Nothing else
 * makes them the same: not case, not width, not what looks alike.
 */

/** Characters (code points) of a sku in its form NFC. */
export const SKU_LENGTH_MAX = 64;
/** More code units than the longest sku has in any form: the form NFC of more is not even made. */
const UNITS_MAX = 1024;
/** Control characters, line and paragraph separators, and halves of surrogate pairs. */
const NOT_OF_A_SKU = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** A sku in its form NFC; or what is wrong with it, in the words of a sentence. */
export function skuOf(text: string): { readonly sku: string } | { readonly wrong: string } {
  if (text.length > UNITS_MAX) return { wrong: `${text.length} characters` };
  const sku = text.normalize("NFC");
  let count = 0;
  for (const character of sku) {
    count++;
    if (NOT_OF_A_SKU.test(character)) {
      return {
        wrong: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")} as character ${count}`,
      };
    }
  }
  return count === 0 || count > SKU_LENGTH_MAX ? { wrong: `${count} characters` } : { sku };
}
