/** What docs/high-availability.md and deploy/patroni say: the drills run it as it stands there, but for addresses. */

const ROOT = new URL("../../../", import.meta.url);
const FENCE = /^```\w+ (\w+)\n(.*?)^```$/gms;

/**
 * A block of the page; every text that is a key of `changes` is replaced wherever it stands.
 *
 * @throws Error where there is no such block, or where one of the texts is not in it
 */
export async function pageBlock(name: string, changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const page = "docs/high-availability.md";
  const text = await Deno.readTextFile(new URL(page, ROOT));
  const block = [...text.matchAll(FENCE)].find(([, found]) => found === name)?.[2];
  if (block === undefined) throw new Error(`${page} has no block ${name}`);
  return replaced(`the block ${name} of ${page}`, block, changes);
}

/** The same of a file of deploy/patroni. */
export async function deployFile(name: string, changes: Readonly<Record<string, string>>): Promise<string> {
  const path = `deploy/patroni/${name}`;
  return replaced(path, await Deno.readTextFile(new URL(path, ROOT)), changes);
}

function replaced(where: string, text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${where} does not say ${from}`);
    return text.replaceAll(from, to);
  }, text);
}
