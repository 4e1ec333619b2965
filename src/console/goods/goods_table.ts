/** The table of goods: only the rows that are looked at are drawn, and one cell of it has the cursor. */
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit-html/directives/repeat.js";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { formats } from "../parts/speech.ts";
import { VirtualRows } from "../parts/virtual_rows.ts";
import * as GOODS from "../words/goods.ts";
import { wordsOf } from "../words/language.ts";
import { type Cell, type ColumnName, COLUMNS } from "./columns.ts";
import { Flashes } from "./flashes.ts";
import { headTemplate } from "./goods_head.ts";
import type { GoodsModel } from "./goods_model.ts";
import { CARDS_LOOK } from "./goods_cards_look.ts";
import { addressOf, rowTemplate } from "./goods_row.ts";
import { CARD_HEIGHT, CARDS, HEAD_HEIGHT, ROW_HEIGHT, TABLE_LOOK } from "./goods_table_look.ts";
import { handleKey, isEntry } from "./grid_keys.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";
import { tableKeys } from "./table_keys.ts";

/** How often "5 minutes ago" is looked at again. */
const TIMES_MS = 10_000;

/**
 * `<hf-goods-table>`. It asks by events for what is not its own: `open` (an address), `sort` (a Sort), `edit` (let
 * quantities be typed) and `leave` (no more of that).
 */
export class GoodsTable extends ConsoleElement {
  static override properties = {
    model: { attribute: false },
    mayEdit: { attribute: false },
    cell: { state: true },
  };
  static override styles = [LOOK, TABLE_LOOK, CARDS_LOOK];

  declare model: GoodsModel;
  declare mayEdit: boolean;
  declare cell: Cell;

  readonly #cards = matchMedia(CARDS);
  readonly #rows = new VirtualRows(this, {
    scroller: () => this.#scroller(),
    count: () => this.model?.count ?? 0,
    rowHeight: () => this.#cards.matches ? CARD_HEIGHT : ROW_HEIGHT,
    headHeight: () => this.#cards.matches ? 0 : HEAD_HEIGHT,
  });
  readonly #flashes = new Flashes();
  #unsubscribe: (() => void) | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The cursor was moved, and the focus goes along. */
  #isFocusDue = false;
  readonly #redraw = () => this.requestUpdate();

  constructor() {
    super();
    this.cell = { row: 0, column: 0 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unsubscribe = this.model?.subscribe((changed) => this.#changed(changed));
    this.#timer = setInterval(this.#redraw, TIMES_MS);
    this.#cards.addEventListener("change", this.#redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe?.();
    clearInterval(this.#timer);
    this.#cards.removeEventListener("change", this.#redraw);
  }

  /** Columns that there are now. */
  get columnCount(): number {
    return this.#columns().length;
  }

  /** Whole rows in view. */
  get perView(): number {
    return this.#rows.perView();
  }

  /** Puts the cursor into the field for the quantity of the row that has it. */
  enterEntry(): void {
    this.go({ row: Math.max(0, this.cell.row), column: this.#columns().indexOf("entry") });
  }

  /** Shows the list from its first row on. */
  toTop(): void {
    this.#scroller()?.scrollTo({ top: 0 });
    this.cell = { row: 0, column: this.cell.column };
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("model") && this.isConnected) {
      this.#unsubscribe?.();
      this.#unsubscribe = this.model.subscribe((rows) => this.#changed(rows));
    }
    this.cell = { row: this.cell.row, column: Math.min(this.cell.column, this.columnCount - 1) };
  }

  override render() {
    const words = wordsOf(GOODS);
    const { state } = this.model;
    const columns = this.#columns();
    const drawn = this.#rows.drawn();
    this.model.look(drawn.end);
    const indexes = Array.from({ length: drawn.end - drawn.first }, (_, i) => drawn.first + i);
    const isDrawn = this.cell.row >= drawn.first && this.cell.row < drawn.end || this.cell.row === -1;
    return html`
      <div
        class="scroller"
        role="grid"
        aria-label=${words.table}
        aria-rowcount=${this.#rowCount()}
        aria-colcount=${columns.length}
        aria-multiselectable=${state.mode === "view" ? nothing : "true"}
        tabindex=${isDrawn ? -1 : 0}
        @keydown=${this.#keyDown}
        @focusin=${this.#focusIn}
        @click=${this.#click}
        @dblclick=${this.#doubleClick}
        @change=${this.#ticked}
        @input=${this.#typed}
        @focusout=${this.#focusOut}
        @paste=${this.#pasted}
      >
        <div role="rowgroup">
          ${headTemplate({ columns, state, words, activeColumn: this.cell.row === -1 ? this.cell.column : undefined })}
        </div>
        <div role="rowgroup" class="spacer ${state.mode}">
          <div class="window ${state.mode}" role="presentation" @animationend=${this.#faded}>
            ${repeat(indexes, (index) => index, (index) => this.#row(index, columns))}
          </div>
        </div>
      </div>
    `;
  }

  override updated(): void {
    const { offset, height } = this.#rows.drawn();
    const [spacer, window] = [this.#find(".spacer"), this.#find(".window")];
    if (spacer !== null) spacer.style.height = `${height}px`;
    if (window !== null) window.style.transform = `translateY(${offset}px)`;
    if (this.#isFocusDue) this.#focusCell();
  }

  #row(index: number, columns: readonly ColumnName[]) {
    const row = this.model.at(index);
    const key = row === undefined ? undefined : keyOf(row);
    const sheet = this.model.session?.sheet;
    return rowTemplate({
      index,
      row,
      columns,
      isCard: this.#cards.matches,
      activeColumn: this.cell.row === index ? this.cell.column : undefined,
      fits: row === undefined || this.model.fits(row),
      isSelected: key !== undefined && this.model.selection.has(key),
      flash: key === undefined ? undefined : this.#flashes.of(key),
      sheet,
      edit: key === undefined ? undefined : sheet?.get(key),
      nowMs: this.model.nowMs,
      words: wordsOf(GOODS),
      formats: formats(),
    });
  }

  /** Rows changed: it is drawn anew only where one of them is in view, and then all of a frame at once. */
  #changed(changed: ReadonlySet<RowKey> | "all"): void {
    if (changed === "all") return this.requestUpdate();
    const { first, end } = this.#rows.drawn();
    const rows = Array.from({ length: end - first }, (_, i) => this.model.at(first + i));
    const inView = rows.flatMap((row) => row === undefined ? [] : [keyOf(row)]);
    if (this.#flashes.note(changed, inView)) this.requestUpdate();
  }

  readonly #faded = (event: AnimationEvent) => {
    const row = this.#rowOf(event);
    if (row !== undefined) this.#flashes.end(keyOf(row));
    (event.target as Element).removeAttribute("data-flash");
  };

  readonly #focusIn = (event: Event) => {
    const at = this.#cellOf(event);
    if (at !== undefined && (at.row !== this.cell.row || at.column !== this.cell.column)) this.cell = at;
  };

  readonly #focusOut = (event: Event) => {
    const row = this.#rowOf(event);
    if (row !== undefined && isEntry(event.target)) this.model.session?.settle(keyOf(row));
  };

  readonly #click = (event: MouseEvent) => {
    const target = event.target as Element;
    const sort = target.closest("[data-sort]")?.getAttribute("data-sort");
    if (sort !== undefined && sort !== null) return this.ask("sort", sort);
    const row = this.#rowOf(event);
    const wish = target.closest("[data-do]")?.getAttribute("data-do");
    if (row !== undefined && wish === "keep") return this.model.session?.keepMine(keyOf(row));
    if (row !== undefined && wish === "drop") return this.model.session?.drop(keyOf(row));
    const at = this.#cellOf(event);
    if (at !== undefined && target.closest("a") !== null) this.cell = at;
    if (at === undefined || target.closest("a, input, button") !== null) return;
    this.go(at);
  };

  readonly #doubleClick = (event: MouseEvent) => {
    const row = this.#rowOf(event);
    if (row !== undefined && this.model.state.mode === "view") this.ask("open", addressOf(row));
  };

  readonly #ticked = (event: Event) => {
    const at = this.#cellOf(event);
    if (at === undefined || isEntry(event.target)) return;
    this.model.selection.toggle(this.model, at.row);
    this.model.selected();
  };

  readonly #typed = (event: Event) => {
    const row = this.#rowOf(event);
    if (row !== undefined && isEntry(event.target)) this.model.session?.type(row, event.target.value);
  };

  readonly #pasted = (event: ClipboardEvent) => {
    const { session } = this.model;
    const text = event.clipboardData?.getData("text") ?? "";
    const isOfField = isEntry(event.target) && !/[\t\n\r]/.test(text.trim());
    if (session === undefined || text.trim() === "" || isOfField) return;
    event.preventDefault();
    void session.paste(text, this.chosen());
  };

  /** The rows that a pasted column goes down: those that are chosen, else those from the cursor on. */
  readonly chosen = (): readonly Row[] => this.model.selection.rowsOrFrom(this.model, Math.max(0, this.cell.row));

  readonly #keyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (handleKey(event, this.#keys)) event.preventDefault();
  };

  readonly #keys = tableKeys(this);

  /** Moves the cursor, and the focus with it. */
  go(cell: Cell): void {
    this.cell = cell;
    if (cell.row >= 0) this.#rows.show(cell.row);
    this.#isFocusDue = true;
    this.requestUpdate();
  }

  #focusCell(): void {
    const { row, column } = this.cell;
    const inRow = row === -1 ? ".head" : `[data-row="${row}"]`;
    const cell = this.#find(`${inRow} [data-column="${column}"]`);
    // A row far away is drawn once the table has scrolled there; until then the table itself has the focus.
    if (cell === null) return this.#scroller()?.focus({ preventScroll: true });
    this.#isFocusDue = false;
    const field = cell.querySelector<HTMLElement>("input, button[data-sort]");
    (field ?? cell).focus({ preventScroll: true });
    if (field instanceof HTMLInputElement && isEntry(field)) field.select();
  }

  #rowCount(): number {
    const { list, session, count } = this.model;
    return list?.status === "partly" && session?.review === undefined && list.total === undefined ? -1 : count + 1;
  }

  #columns(): readonly ColumnName[] {
    return COLUMNS[this.model.state.mode];
  }

  #cellOf(event: Event): Cell | undefined {
    const cell = (event.target as Element).closest("[data-column]");
    if (cell === null) return undefined;
    const row = cell.closest("[data-row]")?.getAttribute("data-row") ?? "-1";
    return { row: Number(row), column: Number(cell.getAttribute("data-column")) };
  }

  #rowOf(event: Event): Row | undefined {
    const index = (event.target as Element).closest("[data-row]")?.getAttribute("data-row");
    return index === undefined || index === null ? undefined : this.model.at(Number(index));
  }

  #scroller(): HTMLElement | null {
    return this.#find(".scroller");
  }

  #find(selector: string): HTMLElement | null {
    return this.renderRoot?.querySelector<HTMLElement>(selector) ?? null;
  }

  /** Asks the page for what is not the table's own. */
  ask(what: "open" | "sort" | "edit" | "leave", detail: string): void {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}

customElements.define("hf-goods-table", GoodsTable);
