/** The heads of the table's columns; those that the list can be sorted by are buttons. */
import { html, nothing, type TemplateResult } from "lit";
import type { en } from "../words/goods.ts";
import { COLUMN_SORTS, type ColumnName, NUMBERS } from "./columns.ts";
import type { ListState } from "./list_state.ts";

/** What heads are drawn with. */
export interface HeadView {
  readonly columns: readonly ColumnName[];
  readonly state: ListState;
  /** The column whose head has the cursor; undefined: none. */
  readonly activeColumn: number | undefined;
  readonly words: typeof en;
}

/** The row of heads. */
export function headTemplate(view: HeadView): TemplateResult {
  return html`
    <div role="row" class="head ${view.state.mode}" aria-rowindex="1">${view.columns.map((column, i) =>
      cellTemplate(view, column, i)
    )}</div>
  `;
}

function cellTemplate({ state, activeColumn, words }: HeadView, column: ColumnName, i: number): TemplateResult {
  const sort = COLUMN_SORTS[column];
  const direction = sort !== state.sort ? "none" : state.isDescending ? "descending" : "ascending";
  const name = column === "entry" ? words.columns[state.mode === "count" ? "counted" : "new"] : words.columns[column];
  const tabindex = activeColumn === i ? 0 : -1;
  const content = column === "select"
    ? html`<span class="visually-hidden">${name}</span>`
    : sort === undefined
    ? name
    : html`<button tabindex=${tabindex} data-sort=${sort}>${name}</button>`;
  return html`
    <div
      role="columnheader"
      class="cell ${column}${NUMBERS.has(column) ? " num" : ""}"
      aria-colindex=${i + 1}
      aria-sort=${sort === undefined ? nothing : direction}
      data-column=${i}
      title=${column === "available" ? words.formula : nothing}
      tabindex=${sort === undefined ? tabindex : nothing}
    >${content}</div>
  `;
}
