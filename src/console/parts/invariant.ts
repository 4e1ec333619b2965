/** What must be so, or the program is wrong. @throws Error that says what is not so */
export function invariant(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${words}`);
}
