/**
 * What a pasted text says: quantities alone, for rows that are chosen; or each with the goods that it is of, and
 * perhaps its location.
 */
import { INT32_MAX, isGrouped } from "../parts/written_numbers.ts";
import { type NumberProblem, readQuantity } from "./numbers.ts";
import { CHARACTERS_MAX, type SheetLine, splitSheet } from "./sheet_cells.ts";

/** Why a line can't be taken in. */
export type LineProblem =
  | NumberProblem
  | "bad_location"
  | "no_name"
  | "too_many_cells"
  | "ambiguous_cells";

/** One line: for whom so many are. */
export interface PastedLine {
  /** Its number in the text, from 1 on. */
  readonly line: number;
  /** A SKU or a goods id; undefined where lines are quantities alone. */
  readonly name: string | undefined;
  /** Undefined: it is not said. */
  readonly locationId: number | undefined;
  readonly num: number | undefined;
  /** Undefined: it can be taken in. */
  readonly problem: LineProblem | undefined;
  /** As it was written. */
  readonly text: string;
}

/** A text, read. */
export interface Pasted {
  readonly lines: readonly PastedLine[];
  /** Lines are quantities alone. */
  readonly isColumn: boolean;
  /** There was more than is read at once. */
  readonly isCut: boolean;
}

/**
 * Reads a column of quantities, or lines of name and quantity, or of name, location and quantity; a first line of
 * headings is left out.
 */
export function readSheet(text: string): Pasted {
  const { lines, isCut, isByTabs } = cellsOf(text);
  const isColumn = lines.every(({ cells }) => cells.length === 1);
  const read = lines.map((line) => isColumn ? quantityAlone(line) : named(line, isByTabs));
  const hasHeadings = read.length > 1 && read[0]!.problem === "not_a_number" && read[1]!.problem !== "not_a_number" &&
    !/\d/.test(lines[0]!.cells.at(-1)!);
  return { lines: hasHeadings ? read.slice(1) : read, isColumn, isCut };
}

/**
 * Sheets put tabs between cells. Without any, lines that are all numbers are a column, whose commas are between
 * thousands; otherwise semicolons, or commas, are between cells.
 */
function cellsOf(text: string): ReturnType<typeof splitSheet> & { readonly isByTabs: boolean } {
  const head = text.slice(0, CHARACTERS_MAX);
  if (head.includes("\t")) return { ...splitSheet(text, "\t"), isByTabs: true };
  const whole = splitSheet(text, "");
  const isNumber = ({ cells: [cell = ""] }: SheetLine) => {
    const plain = cell.normalize("NFKC");
    return isGrouped(plain) || /^[\d\s]+$/.test(plain);
  };
  const [first, ...others] = whole.lines;
  const mayBeHeading = first !== undefined && others.length > 0 && /^[^\d,;]+$/.test(first.cells[0]!);
  if ((mayBeHeading ? others : whole.lines).every(isNumber)) return { ...whole, isByTabs: false };
  const bySemicolons = splitSheet(text, ";");
  if (bySemicolons.lines.some(({ cells }) => cells.length > 1)) return { ...bySemicolons, isByTabs: true };
  return { ...splitSheet(text, ","), isByTabs: false };
}

function quantityAlone({ line, cells }: SheetLine): PastedLine {
  const text = cells[0]!;
  const read = readQuantity(text);
  const said = { line, name: undefined, locationId: undefined, text };
  return "value" in read ? { ...said, num: read.value, problem: undefined } : { ...said, num: undefined, ...read };
}

function named({ line, cells }: SheetLine, isByTabs: boolean): PastedLine {
  const filled = cells.length > 2 && cells.at(-1) === "" ? cells.slice(0, -1) : cells;
  const [name = "", second = "", third] = filled;
  const said = { line, name, locationId: undefined, num: undefined, text: cells.join(" · ") };
  if (filled.length > 3) return { ...said, problem: "too_many_cells" };
  // "A-1,1,234" is 234 at location 1, or 1,234 wherever it is.
  if (!isByTabs && third !== undefined && isGrouped(`${second},${third}`)) {
    return { ...said, problem: "ambiguous_cells" };
  }
  if (name === "") return { ...said, problem: "no_name" };
  const read = readQuantity(third ?? second);
  if ("problem" in read) return { ...said, problem: read.problem };
  if (third === undefined) return { ...said, num: read.value, problem: undefined };
  const location = /^\d{1,10}$/.test(second) ? Number(second) : Infinity;
  if (location > INT32_MAX) return { ...said, problem: "bad_location" };
  return { ...said, locationId: location, num: read.value, problem: undefined };
}
