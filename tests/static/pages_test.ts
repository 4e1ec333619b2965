/** The pages of the repository: their links lead somewhere, and what they name is there. */
import { assert, assertEquals } from "@std/assert";
import { anchors, pages, prose, rows } from "../support/markdown.ts";
import { importedBy, sourceFiles, sourceText } from "../support/source_files.ts";

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

Deno.test("no page has the marks of a merge that was left half done, wherever a formatter put them", () => {
  assertEquals(pages().filter((page) => /<{7}|>{7}/.test(sourceText(page))), []);
});

Deno.test("every file and folder of the repository that a page names is there", () => {
  const gone = pages().flatMap((page) =>
    [...prose(page).matchAll(/`((?:src|tools|tests|bench|docs|proto|migrations|bin)\/[\w./-]*)`/g)]
      .filter(([, path = ""]) => !exists(path)).map(([, path]) => `${page}: ${path}`)
  );
  assertEquals(gone, []);
});

Deno.test("the programs that pages run with npx have the versions of deno.json, and of the Deno that runs this", () => {
  const { imports } = JSON.parse(sourceText("deno.json"));
  const wanted = [`deno@${Deno.version.deno}`, imports["@bufbuild/buf"].replace("npm:", "")];
  const named = [...pages().map(sourceText), sourceText("tools/up/up_lines.ts")]
    .flatMap((text) => [...text.matchAll(/\bnpx -y (\S+@[\d.]+)/g)].map(([, program]) => program ?? ""));
  assertEquals([...new Set(named)].sort(), wanted.sort());
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
  const unspoken = places.filter(({ word, path }) => !isSpokenAt(word, path));
  assertEquals(unspoken, [], "words that the place they name does not use");
});

Deno.test("the page of the API has every call, and links every file that it is made from", () => {
  const page = sourceText("docs/api.md");
  const calls = [...Deno.readDirSync(new URL("proto/inventory/v1", ROOT))].flatMap(({ name }) => {
    const path = `proto/inventory/v1/${name}`;
    assert(page.includes(`](../${path})`), `${path} is not linked`);
    const text = sourceText(path);
    const service = /^service (\w+) \{$/m.exec(text)?.[1];
    return [...text.matchAll(/^ {2}rpc (\w+)\(/gm)].map(([, method]) => `${service}/${method}`);
  });
  assert(calls.length > 30, `${calls.length} calls`);
  assertEquals(calls.filter((call) => !page.includes(`\n### ${call}\n`)), []);
});

Deno.test("every page of docs is linked from the README, which is short", () => {
  const readme = sourceText("README.md");
  assert(readme.split("\n").length <= 121, "more than 120 lines");
  const linked = new Set([...readme.matchAll(/\]\((docs\/[\w-]+\.md)/g)].map(([, path]) => path));
  assertEquals(pages().filter((page) => page.startsWith("docs/") && !linked.has(page)), []);
});

Deno.test("the files of a Sell in docs/architecture.md are there", () => {
  const section = /^## The life of one Sell$([\s\S]*?)^## /m.exec(sourceText("docs/architecture.md"))?.[1] ?? "";
  const files = [...section.matchAll(/`([a-z0-9_/]+\.ts)`/g)].map(([, path = ""]) => path);
  assert(files.length > 40, `${files.length} files`);
  assertEquals(files.filter((path) => !exists(path.startsWith("tests/") ? path : `src/${path}`)), []);
});

Deno.test("the rooms of docs/architecture.md are those of src, and import what it says", () => {
  const roomOf = (path: string) => path.replace(/^src\//, "").replace(/\/.*$/, "");
  const imports = new Map([...Deno.readDirSync(new URL("src/", ROOT))].map(({ name }) => [name, new Set<string>()]));
  for (const file of sourceFiles("src/")) {
    for (const imported of importedBy(file).filter((path) => path.startsWith("src/")).map(roomOf)) {
      if (imported !== roomOf(file) && imported !== "base") imports.get(roomOf(file))?.add(imported);
    }
  }
  const section = /^## The rooms$([\s\S]*?)^Beside/m.exec(sourceText("docs/architecture.md"))?.[1] ?? "";
  const said = rows(section).map(([room = "", , list = ""]) => [room.replaceAll("`", ""), list]);
  const found = [...imports].map(([room, others]) => [room, [...others].sort().join(", ")]);
  assertEquals(said.toSorted(), found.toSorted());
});

Deno.test("the runbook of docs/operating.md has every reason of an error", () => {
  const code = [
    "src/auth/authenticator.ts",
    "src/limits/refusals.ts",
    "src/rpc/errors.ts",
    "src/services/refusals.ts",
    "src/services/read_errors.ts",
    "src/services/holds/encode.ts",
  ]
    .map(sourceText).join("\n");
  const reasons = [...code.matchAll(/(?:info\(|Code\.\w+, )"([A-Z_]+)"/g)].map(([, reason = ""]) => reason);
  const section = /^## Errors by reason$([\s\S]*)/m.exec(sourceText("docs/operating.md"))?.[1] ?? "";
  const said = rows(section).map(([reason = ""]) => reason.replaceAll("`", ""));
  assert(reasons.length >= 10, reasons.join());
  assertEquals(said.toSorted(), [...new Set(reasons)].toSorted());
});

/** Whether one of the forms of a word, such as `hold, held`, is used there, however it is written in names. */
function isSpokenAt(word: string, place: string): boolean {
  const forms = word.split(", ").map((form) => form.replaceAll(" ", "[ _-]?"));
  const spoken = new RegExp(`${forms.join("|")}`, "i");
  const files = Deno.statSync(new URL(place, ROOT)).isDirectory ? filesBelow(`${place}/`) : [place];
  return files.some((file) => spoken.test(file) || spoken.test(sourceText(file)));
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}${name}/`) : [`${folder}${name}`]
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}
