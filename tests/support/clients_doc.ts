/** The blocks of docs/clients.md and the files of deploy/, which the tests run as they stand there. */

const FENCE = /^```\w+ (\S+)\n(.*?)^```$/gms;
const ROOT = new URL("../../", import.meta.url);
const TEXT = await Deno.readTextFile(new URL("docs/clients.md", ROOT));
const BLOCKS = new Map(Array.from(TEXT.matchAll(FENCE), ([, name = "", block = ""]) => [name, block]));

/** What stands in place of texts of a block or file: every text that is a key is replaced wherever it stands. */
export type Changes = Readonly<Record<string, string>>;

/**
 * A block with other addresses and paths in it.
 *
 * @throws Error where there is no such block, or where one of the texts is not in it
 */
export function docBlock(name: string, changes: Changes = {}): string {
  const block = BLOCKS.get(name);
  if (block === undefined) throw new Error(`docs/clients.md has no block ${name}`);
  return changed(block, changes, `the block ${name} of docs/clients.md`);
}

/**
 * A file below deploy/, such as `nginx/nginx.conf`, with other addresses and paths in it.
 *
 * @throws Error where there is no such file, or where one of the texts is not in it
 */
export function deployFile(name: string, changes: Changes = {}): string {
  return changed(Deno.readTextFileSync(new URL(`deploy/${name}`, ROOT)), changes, `deploy/${name}`);
}

function changed(text: string, changes: Changes, where: string): string {
  return Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${where} does not say ${from}`);
    return text.replaceAll(from, to);
  }, text);
}
