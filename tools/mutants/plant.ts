/** A slip as data, and how it is planted. Pure. */

/** A small believable slip: the text of a file that becomes another one, and what of the program is wrong then. */
export interface Slip {
  /** From the root of the work tree. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The rule that is broken. */
  readonly rule: string;
  /** Test files, or directories of them, that are to notice. */
  readonly tests: readonly string[];
}

/** The text with the slip in it, or why there is no place for it. */
export type Planted = { readonly text: string } | { readonly notPlanted: string };

/** Plants a slip in the text of its file. */
export function plant(text: string, { find, replace }: Pick<Slip, "find" | "replace">): Planted {
  if (find === "" || find === replace) return { notPlanted: "the slip changes nothing" };
  const at = text.indexOf(find);
  if (at < 0) return { notPlanted: "the text is not in the file" };
  if (text.indexOf(find, at + 1) >= 0) return { notPlanted: "the text is in the file more than once" };
  return { text: text.slice(0, at) + replace + text.slice(at + find.length) };
}
