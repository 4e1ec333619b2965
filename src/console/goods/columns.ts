/** The columns of the table in each mode. */
import type { PageMode, Sort } from "./list_state.ts";

/** What a column shows. */
export type ColumnName =
  | "select"
  | "name"
  | "id"
  | "location"
  | "available"
  | "reserved"
  | "safety"
  | "on_hand"
  | "state"
  | "changed"
  | "entry"
  | "difference"
  | "verdict";

/** Columns by mode, in their sequence. */
export const COLUMNS: Readonly<Record<PageMode, readonly ColumnName[]>> = {
  view: ["name", "id", "location", "available", "reserved", "safety", "on_hand", "state", "changed"],
  edit: ["select", "name", "location", "available", "reserved", "on_hand", "entry", "difference", "verdict"],
  count: ["select", "name", "location", "on_hand", "entry", "difference", "verdict"],
};

/** What a click on the head of a column sorts by. */
export const COLUMN_SORTS: Readonly<Partial<Record<ColumnName, Sort>>> = {
  name: "sku",
  id: "goods",
  available: "available",
  reserved: "reserved",
  safety: "safety",
  on_hand: "on_hand",
  changed: "changed",
};

/** Columns of numbers, which stand below each other digit by digit. */
export const NUMBERS: ReadonlySet<ColumnName> = new Set([
  ...["id", "location", "available", "reserved", "safety", "on_hand", "entry", "difference"] as const,
]);

/** Where the cursor of the table is: a row from 0 on, -1 for the heads, and a column. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Keys that move the cursor, and how. */
export type Move = "up" | "down" | "left" | "right" | "page_up" | "page_down" | "home" | "end" | "first" | "last";

/** The move of a key; undefined: it is none. */
export function moveOf(key: string, isControl: boolean): Move | undefined {
  const moves: Readonly<Record<string, Move>> = {
    ArrowUp: "up",
    ArrowDown: "down",
    ArrowLeft: "left",
    ArrowRight: "right",
    PageUp: "page_up",
    PageDown: "page_down",
    Home: isControl ? "first" : "home",
    End: isControl ? "last" : "end",
  };
  return moves[key];
}

/** Where a move leads to in a table of so many rows and columns, of which so many rows are in view. */
export function moved(cell: Cell, move: Move, size: { rows: number; columns: number; perView: number }): Cell {
  const { rows, columns, perView } = size;
  const row = (value: number) => ({ ...cell, row: Math.min(Math.max(value, -1), rows - 1) });
  const column = (value: number) => ({ ...cell, column: Math.min(Math.max(value, 0), columns - 1) });
  switch (move) {
    case "up":
      return row(cell.row - 1);
    case "down":
      return row(cell.row + 1);
    case "page_up":
      return row(Math.max(0, cell.row - perView));
    case "page_down":
      return row(cell.row + perView);
    case "first":
      return { row: Math.min(0, rows - 1), column: 0 };
    case "last":
      return { row: rows - 1, column: columns - 1 };
    case "left":
      return column(cell.column - 1);
    case "right":
      return column(cell.column + 1);
    case "home":
      return column(0);
    case "end":
      return column(columns - 1);
  }
}
