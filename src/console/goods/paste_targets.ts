/** For which rows the lines of a pasted text are. */
import type { LineProblem, Pasted, PastedLine } from "./sheet.ts";
import type { Row } from "./row.ts";

/** Why a line has no row. */
export type TargetProblem = LineProblem | "unknown_goods" | "several_locations" | "no_row" | "said_twice";

/** A line with the row that it is for, or why it has none. */
export type Target =
  | { readonly line: PastedLine; readonly row: Row; readonly problem: undefined }
  | { readonly line: PastedLine; readonly row: undefined; readonly problem: TargetProblem };

/** Rows by what lines name them. */
export interface RowIndex {
  /** Of this SKU or, where there is none, of this goods id: at all locations that are known. */
  named(name: string): readonly Row[];
}

/** An index of rows; they are gone through once. */
export function indexRows(rows: Iterable<Row>): RowIndex {
  const bySku = new Map<string, Row[]>();
  const byId = new Map<string, Row[]>();
  const add = (map: Map<string, Row[]>, name: string, row: Row) => {
    const known = map.get(name);
    if (known === undefined) map.set(name, [row]);
    else known.push(row);
  };
  for (const row of rows) {
    if (row.sku !== "") add(bySku, row.sku, row);
    add(byId, String(row.goodsId), row);
  }
  return { named: (name) => bySku.get(name.normalize("NFC")) ?? byId.get(name.replace(/^#/, "")) ?? [] };
}

/** Names of lines that an index does not know, each once. */
export function unknownNames({ lines }: Pasted, index: RowIndex): readonly string[] {
  const names = lines.flatMap(({ name, problem }) => name === undefined || problem !== undefined ? [] : [name]);
  return [...new Set(names)].filter((name) => index.named(name).length === 0);
}

/**
 * Every line of a text with its row: a column goes down `chosen`, in its sequence; named lines find theirs by SKU or
 * goods id, and by location where the goods is at several.
 */
export function targetsOf({ lines, isColumn }: Pasted, chosen: readonly Row[], index: RowIndex): readonly Target[] {
  const said = new Set<Row>();
  return lines.map((line, i): Target => {
    if (line.problem !== undefined) return { line, row: undefined, problem: line.problem };
    const found = isColumn ? chosen[i] ?? "no_row" : rowOfLine(line, index);
    if (typeof found === "string") return { line, row: undefined, problem: found };
    if (said.has(found)) return { line, row: undefined, problem: "said_twice" };
    said.add(found);
    return { line, row: found, problem: undefined };
  });
}

function rowOfLine({ name = "", locationId }: PastedLine, index: RowIndex): Row | TargetProblem {
  const rows = index.named(name);
  const [first, ...others] = locationId === undefined ? rows : rows.filter((row) => row.locationId === locationId);
  if (first === undefined) return "unknown_goods";
  return others.length === 0 ? first : "several_locations";
}
