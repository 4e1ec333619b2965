/** The blocks of docs/clients.md, which the tests run as they stand there. */

const FENCE = /^```\w+ (\S+)\n(.*?)^```$/gms;
const TEXT = await Deno.readTextFile(new URL("../../docs/clients.md", import.meta.url));
const BLOCKS = new Map(Array.from(TEXT.matchAll(FENCE), ([, name = "", block = ""]) => [name, block]));

/**
 * A block with other addresses and paths in it: every text that is a key of `changes` is replaced wherever it stands.
 *
 * @throws Error where there is no such block, or where one of the texts is not in it
 */
export function docBlock(name: string, changes: Readonly<Record<string, string>> = {}): string {
  const block = BLOCKS.get(name);
  if (block === undefined) throw new Error(`docs/clients.md has no block ${name}`);
  return changed(block, changes);
}

/**
 * A text in which every text that is a key of `changes` is replaced wherever it stands.
 *
 * @throws Error where one of them is not in it
 */
export function changed(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((part, [from, to]) => {
    if (!part.includes(from)) throw new Error(`what is to be changed does not say ${from}`);
    return part.replaceAll(from, to);
  }, text);
}
