/**
 * History as a file for spreadsheets: RFC 4180, of which no cell is ever taken for a formula. It is written page by
 * page and ends at a bound, so that no history is too long for it. Pure.
 */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type ListedMovement, MovementKind } from "../../gen/inventory/v1/query_pb.ts";

/** Rows of one file at most. */
const EXPORT_ROWS_MAX = 100_000;

const COLUMNS: readonly (readonly [name: string, cell: (row: ListedMovement) => string | number | bigint])[] = [
  ["at", ({ at }) => timeText(at)],
  ["goods_id", ({ goodsId }) => goodsId],
  ["location_id", ({ locationId }) => locationId],
  ["version", ({ version }) => version],
  ["kind", ({ kind }) => MovementKind[kind]?.toLowerCase() ?? kind],
  ["on_hand_delta", ({ onHandDelta }) => onHandDelta],
  ["reserved_delta", ({ reservedDelta }) => reservedDelta],
  ["on_hand_after", ({ onHandAfter }) => onHandAfter],
  ["reserved_after", ({ reservedAfter }) => reservedAfter],
  ["order_id", ({ orderId }) => orderId],
  ["operation_id", ({ operationId }) => operationId],
  ["reason", ({ reason }) => reason],
  ["document_uri", ({ documentUri }) => documentUri],
  ["actor", ({ actor }) => actor],
  ["occurred_at", ({ occurredAt }) => timeText(occurredAt)],
];

/** A part of a file. */
export interface CsvPart {
  readonly text: string;
  /** Rows so far. */
  readonly rows: number;
  /** The file ends here at its bound, though the history goes on. */
  readonly isCut: boolean;
}

/** The file of rows that come page by page; a byte order mark first, as spreadsheets take UTF-8 for something else. */
export async function* historyCsv(
  pages: AsyncIterable<readonly ListedMovement[]>,
  rowsMax = EXPORT_ROWS_MAX,
): AsyncGenerator<CsvPart> {
  yield { text: `\ufeff${csvRow(COLUMNS.map(([name]) => name))}`, rows: 0, isCut: false };
  let rows = 0;
  for await (const page of pages) {
    const taken = page.slice(0, rowsMax - rows);
    rows += taken.length;
    const isCut = taken.length < page.length;
    const text = taken.map((row) => csvRow(COLUMNS.map(([, cell]) => cell(row)))).join("");
    if (taken.length > 0 || isCut) yield { text, rows, isCut };
    if (isCut) return;
  }
}

/** One row with the end of its line. Numbers stay numbers, below 0 too. */
export function csvRow(cells: readonly (string | number | bigint)[]): string {
  return `${cells.map((cell) => typeof cell === "string" ? textCell(cell) : `${cell}`).join(",")}\r\n`;
}

/**
 * What a spreadsheet would take for a formula gets an apostrophe before it, which says that it is text: at the begin of
 * a cell, and where a cell begins for spreadsheets that part them by semicolons or tabs, whatever the quotes say.
 */
function textCell(text: string): string {
  const safe = text.replaceAll(/(?<=^|[;\t\r\n])(?=[=+\-@\t\r\n＝＋－＠])/gu, "'");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function timeText(time: Timestamp | undefined): string {
  return time === undefined ? "" : timestampDate(time).toISOString();
}
