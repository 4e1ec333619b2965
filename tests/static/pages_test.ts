/** The pages of the repository: their links lead somewhere, and what they name is there. */
import { assert, assertEquals } from "@std/assert";
import { anchors, pages, prose, rows } from "../support/markdown.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("every link from page to page, and to a heading, leads somewhere", () => {
  const broken: string[] = [];
  for (const page of pages()) {
    for (const [, target = ""] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = new URL(path === "" ? page : new URL(path, new URL(page, ROOT)), ROOT);
      const name = file.pathname.slice(ROOT.pathname.length);
      if (!exists(name)) broken.push(`${page} -> ${target}`);
      else if (anchor !== undefined && !anchors(name).has(anchor)) broken.push(`${page} -> ${target}`);
    }
  }
  assertEquals(broken, []);
});

Deno.test("the glossary is sorted, has each word once, and the places that it names are there", () => {
  const table = rows(prose("docs/glossary.md"));
  const words = table.map(([word = ""]) => word);
  assert(words.length > 40, `${words.length} words`);
  assertEquals(words, [...new Set(words)].sort((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const places = table.flatMap(([word = "", , where = ""]) =>
    [...where.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => ({ word, path }))
  );
  assertEquals(places.filter(({ path }) => !exists(path)), []);
  assertEquals(table.filter(([, , where]) => where === ""), []);
});

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}
