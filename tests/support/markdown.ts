/** What tests read off the pages of the repository. */
import { sourceText } from "./source_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** The paths of all pages: those of the root and those of docs, by the repository's root. */
export function pages(): string[] {
  return ["", "docs/"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, ROOT))].filter(({ name }) => name.endsWith(".md")).map(({ name }) =>
      `${folder}${name}`
    )
  ).sort();
}

/** The text of a page without its blocks of code. */
export function prose(path: string): string {
  return sourceText(path).replaceAll(/^```[^\n]*\n[\s\S]*?^```$/gm, "");
}

/** The anchors that a page's headings have. */
export function anchors(path: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const all = new Set<string>();
  for (const [, heading = ""] of prose(path).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\- _]/gu, "").replaceAll(" ", "-");
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    all.add(times === 0 ? anchor : `${anchor}-${times}`);
  }
  return all;
}

/** The cells of all rows of tables in a text, head and rule left out. */
export function rows(text: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (!/^\|.*\|$/.test(line) || isRule(line) || isRule(lines[i + 1] ?? "")) return [];
    return [line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())];
  });
}

function isRule(line: string): boolean {
  return /^\|[ :|-]+\|$/.test(line);
}
