/** What is true of every file: how wide its comments are, how it waits for a page, which versions it names. */
import { assertEquals } from "@std/assert";
import { sourceFiles, sourceText } from "../support/source_files.ts";

const FOLDERS = ["src/", "tools/", "bench/", "tests/"];
const COMMENT_COLUMNS_MAX = 120;
const COMMENT_LINE = /^\s*(\/\/|\/\*|\*)/;

Deno.test(`no line of a comment is wider than ${COMMENT_COLUMNS_MAX} columns`, () => {
  const wide = FOLDERS.flatMap(sourceFiles).flatMap((file) =>
    sourceText(file).split("\n").flatMap((line, i) =>
      COMMENT_LINE.test(line) && line.length > COMMENT_COLUMNS_MAX ? [`${file}:${i + 1} has ${line.length}`] : []
    )
  );
  assertEquals(wide, []);
});

Deno.test("what a page shows is waited for: it may be drawn a moment after what stands beside it", () => {
  const atOnce = /\.is(Visible|Hidden|Enabled|Disabled|Checked)\(|assert\w*\(\(*await .*\.(innerText|all\w+s)\(/;
  const found = sourceFiles("tests/browser/").flatMap((file) =>
    sourceText(file).split("\n").flatMap((line, i) => atOnce.test(line) ? [`${file}:${i + 1}${line}`] : [])
  );
  assertEquals(found, [], "`shows` of tests/browser/support and a locator's `waitFor` wait");
});

Deno.test("every version of Deno, buf and dbmate that is written down is the one of this repository", () => {
  const { imports } = JSON.parse(sourceText("deno.json"));
  const pinned = (name: string) => /@(\d+\.\d+\.\d+)$/.exec(imports[name])?.[1];
  const deno = /deno@(\d+\.\d+\.\d+)/.exec(sourceText(".ci/run"))?.[1];
  const versions = [
    { what: /(?<!@)\bdeno@(\d+\.\d+\.\d+)|denoland\/deno:(?:distroless-)?(\d+\.\d+\.\d+)/g, version: deno },
    { what: /@bufbuild\/buf@(\d+\.\d+\.\d+)/g, version: pinned("@bufbuild/buf") },
    { what: /(?:npm:|@)dbmate(?:\+[\w-]+)?@(\d+\.\d+\.\d+)|linux-\w+@(\d+\.\d+\.\d+)/g, version: pinned("dbmate") },
  ];
  const documents = [...Deno.readDirSync("docs")].map(({ name }) => `docs/${name}`).filter((name) =>
    name.endsWith(".md")
  );
  const places = ["README.md", "CONTRIBUTING.md", "compose.yaml", "Dockerfile", "deno.json", ".ci/run", ...documents];
  for (const file of [...places, ...sourceFiles("src/"), ...sourceFiles("tools/")]) {
    for (const { what, version } of versions) {
      for (const [text, ...groups] of sourceText(file).matchAll(what)) {
        assertEquals(groups.find((group) => group !== undefined), version, `${file}: ${text}`);
      }
    }
  }
  assertEquals(/^version=(\S+)$/m.exec(sourceText("bin/holdfast"))?.[1], deno);
});
