/** Where a string of JSON ends (RFC 8259, section 7). Pure. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What may follow a backslash, and what may beside. */
const ESCAPED: ReadonlySet<number> = new Set([...`"\\/bfnrt`].map((character) => character.charCodeAt(0)));
const CODE_UNIT = /u[0-9a-fA-F]{4}/y;

/**
 * Behind the closing quote of the string that begins at `from`; undefined where there is none, or half of one. Not by
 * one pattern for all of it, whose stack does for some 8 MB.
 */
export function stringEnd(text: string, from: number): number | undefined {
  if (text.charCodeAt(from) !== QUOTE) return undefined;
  for (let at = from + 1;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    // Behind the last character it is NaN.
    if (!(code >= 0x20)) return undefined;
    if (code !== BACKSLASH) at++;
    else if (ESCAPED.has(text.charCodeAt(at + 1))) at += 2;
    else {
      CODE_UNIT.lastIndex = at + 1;
      if (!CODE_UNIT.test(text)) return undefined;
      at = CODE_UNIT.lastIndex;
    }
  }
}
