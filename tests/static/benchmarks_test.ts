/** The head of docs/benchmarks.md, which is written by hand, against the tables that are made from the records. */
import { assert, assertEquals } from "@std/assert";
import { prose, rows } from "../support/markdown.ts";
import { sourceText } from "../support/source_files.ts";

/** Of a ratio that misses its target, as tools/docs/measured_page.ts writes it. */
const MISSED = ", missed";

Deno.test("docs/benchmarks.md names what misses its target in the records, with its figures, and nothing else", () => {
  const missed = rows(sourceText("docs/measured.md")).flatMap((row) => {
    const value = row.find((cell) => cell.endsWith(MISSED));
    return value === undefined ? [] : [[row[0], value.slice(0, -MISSED.length), row.at(-1)]];
  });
  const said = rows(section("What misses its target")).map((row) => row.slice(0, 3));
  assertEquals(said.toSorted(), missed.toSorted());
});

Deno.test("docs/benchmarks.md says of how fast it is what the record says", () => {
  const measured = rows(sourceText("docs/measured.md")).map((row) => row.slice(0, 3).join(" | "));
  const said = rows(section("How fast it is")).map((row) => row.join(" | "));
  assert(said.length > 5, `${said.length} rows`);
  assertEquals(said.filter((row) => !measured.includes(row)), []);
});

function section(heading: string): string {
  const text = prose("docs/benchmarks.md");
  const from = text.indexOf(`\n## ${heading}\n`);
  assert(from >= 0, heading);
  const end = text.indexOf("\n## ", from + 1);
  return text.slice(from, end < 0 ? undefined : end);
}
