/** What the table does when its keys ask for it. */
import { type Cell, moved } from "./columns.ts";
import type { GoodsModel } from "./goods_model.ts";
import { addressOf } from "./goods_row.ts";
import type { KeyActions } from "./grid_keys.ts";
import { keyOf } from "./row.ts";

/** The table as its keys know it. */
export interface KeyedTable {
  readonly model: GoodsModel;
  readonly mayEdit: boolean;
  readonly cell: Cell;
  readonly columnCount: number;
  /** Whole rows in view. */
  readonly perView: number;
  /** Moves the cursor, and the focus with it. */
  go(cell: Cell): void;
  /** Puts the focus into the row's field for a quantity. */
  enterEntry(): void;
  /** Asks the page for what is not the table's own. */
  ask(what: "open" | "edit" | "leave", detail: string): void;
}

/** The actions of a table's keys. */
export function tableKeys(table: KeyedTable): KeyActions {
  const rowAtCursor = () => table.cell.row < 0 ? undefined : table.model.at(table.cell.row);
  const actions: KeyActions = {
    get isEditing() {
      return table.model.session !== undefined;
    },
    move(move, isChoosing) {
      const size = { rows: table.model.count, columns: table.columnCount, perView: table.perView };
      table.go(moved(table.cell, move, size));
      if (isChoosing) actions.choose(true);
      return true;
    },
    enter(isTyping, isBack) {
      if (isTyping) return actions.move(isBack ? "up" : "down", false);
      const row = rowAtCursor();
      if (row !== undefined) table.ask("open", addressOf(row));
      return row !== undefined;
    },
    escape(isTyping) {
      const { session, selection } = table.model;
      const row = rowAtCursor();
      if (session === undefined) return false;
      if (isTyping && row !== undefined && session.sheet.get(keyOf(row)) !== undefined) session.drop(keyOf(row));
      else if (selection.size > 0) {
        selection.clear();
        table.model.selected();
      } else table.ask("leave", "");
      return true;
    },
    choose(isRange) {
      if (table.model.session === undefined || table.cell.row < 0) return false;
      if (isRange) table.model.selection.extend(table.model, table.cell.row);
      else table.model.selection.toggle(table.model, table.cell.row);
      table.model.selected();
      return true;
    },
    chooseAll() {
      if (table.model.session === undefined) return false;
      table.model.selectAll();
      return true;
    },
    startEditing() {
      if (!table.mayEdit) return false;
      if (table.model.session === undefined) table.ask("edit", "");
      else table.enterEntry();
      return true;
    },
    beginEntry: () => table.enterEntry(),
  };
  return actions;
}
