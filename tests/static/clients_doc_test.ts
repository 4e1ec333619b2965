/** docs/clients.md says that the tests run all of its blocks: none may be without a name, or left out by the tests. */
import { assertEquals } from "@std/assert";

const TEXT = await Deno.readTextFile(new URL("../../docs/clients.md", import.meta.url));

Deno.test("every block of docs/clients.md has a name, and a test that runs it", () => {
  const fences = [...TEXT.matchAll(/^ *```(.*)$/gm)].map(([, info = ""]) => info);
  const opened = fences.filter((_, i) => i % 2 === 0);
  const names = opened.map((info) => /^\w+ (\S+)$/.exec(info)?.[1] ?? `a block without a name: ${info}`);
  const used = ["pgbouncer", "talks"].map((name) =>
    Deno.readTextFileSync(new URL(`../support/${name}.ts`, import.meta.url))
  ).concat(Deno.readTextFileSync(new URL("../clients/page_test.ts", import.meta.url))).join("\n");
  const run = [...used.matchAll(/docBlock\(\s*"([^"]+)"/g)].map(([, name]) => name ?? "");
  assertEquals(names.toSorted(), run.toSorted());
});
