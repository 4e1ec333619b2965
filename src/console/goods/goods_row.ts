/** One row of the table, as it is drawn. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit-html/directives/live.js";
import type { Formats } from "../parts/formats.ts";
import { sayTrouble } from "../parts/speech.ts";
import type { en } from "../words/goods.ts";
import { type ColumnName, NUMBERS } from "./columns.ts";
import type { Edit, EditSheet } from "./edit_sheet.ts";
import { nameOf, type Row, safetyOf } from "./row.ts";

/** What a row is drawn with. */
export interface RowView {
  readonly index: number;
  /** Undefined: it is not read yet. */
  readonly row: Row | undefined;
  readonly columns: readonly ColumnName[];
  /** It is a card, where numbers stand with their names; in a table the heads say them. */
  readonly isCard: boolean;
  /** The column that has the cursor; undefined: none of this row. */
  readonly activeColumn: number | undefined;
  readonly fits: boolean;
  readonly isSelected: boolean;
  /** It changed a moment ago: the same highlight anew has another letter. */
  readonly flash: "a" | "b" | undefined;
  readonly sheet: EditSheet | undefined;
  readonly edit: Edit | undefined;
  readonly nowMs: number;
  readonly words: typeof en;
  readonly formats: Formats;
}

/** Rows are numbered from 1 on, and the first is that of the heads. */
const FIRST_ROW = 2;

/** The row's template. What it does is listened to by the table. */
export function rowTemplate(view: RowView): TemplateResult {
  const { index, row, columns, flash } = view;
  const classes = ["row", view.fits ? "" : "strange", row?.deletedAtMs === undefined ? "" : "gone"].join(" ");
  return html`
    <div
      role="row"
      class=${classes}
      aria-rowindex=${index + FIRST_ROW}
      aria-selected=${view.sheet === undefined ? nothing : String(view.isSelected)}
      data-row=${index}
      data-flash=${flash ?? nothing}
      data-state=${view.edit?.state ?? nothing}
    >${columns.map((column, i) => cellTemplate(view, column, i))}</div>
  `;
}

function cellTemplate(view: RowView, column: ColumnName, i: number): TemplateResult {
  // A cell that has something to type or tick in leaves the cursor to that.
  const isField = column === "entry" || column === "select";
  return html`
    <div
      role="gridcell"
      class="cell ${column}${NUMBERS.has(column) ? " num" : ""}"
      aria-colindex=${i + 1}
      data-column=${i}
      tabindex=${isField && view.row !== undefined ? nothing : view.activeColumn === i ? 0 : -1}
    >${view.row === undefined ? html`<span class="blank"></span>` : content(view, view.row, column, i)}</div>
  `;
}

function content(view: RowView, row: Row, column: ColumnName, i: number): unknown {
  const { formats, words, nowMs } = view;
  switch (column) {
    case "select":
      return html`
        <input
          type="checkbox"
          tabindex=${view.activeColumn === i ? 0 : -1}
          aria-label=${words.choose(nameOf(row))}
          .checked=${live(view.isSelected)}
        >
      `;
    case "name":
      return html`<a href=${addressOf(row)} tabindex="-1">${nameOf(row)}</a>`;
    case "id":
      return row.goodsId;
    case "location":
      return row.locationId;
    case "available":
      return named(view, column, formats.number(row.num));
    case "reserved":
      return named(view, column, formats.number(row.reserved));
    case "safety":
      return named(view, column, formats.number(safetyOf(row)));
    case "on_hand":
      return named(view, column, formats.number(row.onHand));
    case "state":
      return stateOf(view, row);
    case "changed":
      return html`<time title=${formats.time(row.updatedAtMs)}>${formats.relative(row.updatedAtMs, nowMs)}</time>`;
    case "entry":
      return entry(view, row, i);
    case "difference":
      return differenceOf(view);
    case "verdict":
      return verdictOf(view) ?? stateOf(view, row);
  }
}

/** Where one goods is shown. */
export function addressOf({ goodsId, locationId }: Row): string {
  return locationId === 0 ? `/goods/${goodsId}` : `/goods/${goodsId}?location=${locationId}`;
}

function named({ isCard, words }: RowView, column: keyof typeof en.columns, text: string): unknown {
  return isCard ? html`<span class="label" aria-hidden="true">${words.columns[column]} </span>${text}` : text;
}

function stateOf({ words, fits }: RowView, row: Row): unknown {
  const badges = [
    ...(row.deletedAtMs === undefined ? [] : [html`<span class="badge">${words.isDeleted}</span>`]),
    ...(row.isSoldOut ? [html`<span class="badge bad">${words.isSoldOut}</span>`] : []),
    ...(row.isLow && !row.isSoldOut ? [html`<span class="badge warn">${words.isLow}</span>`] : []),
    ...(fits ? [] : [html`<span class="badge" title=${words.fitsNoMore}>${words.fitsNoMore}</span>`]),
  ];
  return badges.length === 0 ? nothing : badges;
}

function entry({ edit, sheet, words, activeColumn }: RowView, row: Row, i: number): TemplateResult {
  const name = nameOf(row);
  return html`
    <input
      class="num"
      inputmode="numeric"
      autocomplete="off"
      enterkeyhint="next"
      tabindex=${activeColumn === i ? 0 : -1}
      aria-label=${sheet?.kind === "count" ? words.countOf(name) : words.newOf(name)}
      aria-invalid=${edit?.problem !== undefined && edit.problem !== "unchanged" ? "true" : nothing}
      ?readonly=${edit?.state === "sending"}
      .value=${live(edit === undefined || edit.state === "applied" ? "" : edit.text)}
    >
  `;
}

function differenceOf({ edit, sheet, formats }: RowView): unknown {
  if (edit?.after === undefined || sheet === undefined) return nothing;
  const before = sheet.before(edit);
  return html`
    <span class="muted">${formats.number(before)} → ${formats.number(edit.after)}</span>
    <b>${formats.signed(edit.after - before)}</b>
  `;
}

function verdictOf({ edit, words, formats }: RowView): TemplateResult | undefined {
  if (edit === undefined) return undefined;
  const { state, problem, now, refusal } = edit;
  if (state === "applied") return html`<span class="badge good">${words.verdicts.applied}</span>`;
  if (state === "sending") return html`<span class="muted">${words.verdicts.sending}</span>`;
  const drop = html`<button class="small quiet" tabindex="-1" data-do="drop">${words.dropMine}</button>`;
  if (state === "conflict") {
    return html`<span class="badge bad">${words.verdicts.conflict(formats.number(now ?? 0))}</span>
      <button class="small" tabindex="-1" data-do="keep">${words.keepMine}</button>${drop}`;
  }
  if (state === "refused") {
    const { text, lines } = sayTrouble(refusal);
    return html`<span class="said" title=${[text, ...lines].join("\n")}>${lines[0] ?? text}</span>${drop}`;
  }
  if (state === "unknown") return html`<span class="badge warn">${words.verdicts.unknown}</span>`;
  if (problem === "unchanged") return undefined;
  if (problem !== undefined) return html`<span class="said">${words.problems[problem]}</span>`;
  return now === undefined
    ? undefined
    : html`<span class="badge warn">${
      words.verdicts.moved(formats.number(now))
    }</span> <button class="small" tabindex="-1" data-do="keep">${words.keepMine}</button>`;
}
