/** The list of goods: everything on stock, found, followed while it changes, set and counted. */
import { Code, ConnectError } from "@connectrpc/connect";
import { html, nothing, type PropertyValues } from "lit";
import type { Reason } from "../../gen/inventory/v1/goods_pb.ts";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import { navigate } from "../shell/router.ts";
import * as GOODS from "../words/goods.ts";
import { wordsOf } from "../words/language.ts";
import "./edit_bar.ts";
import { goodsCalls } from "./goods_calls.ts";
import "./goods_filters.ts";
import type { GoodsFilters } from "./goods_filters.ts";
import { PAGE_LOOK } from "./goods_page_look.ts";
import type { Cell } from "./columns.ts";
import { GoodsModel } from "./goods_model.ts";
import "./goods_table.ts";
import { hasUnsaved, keptSessions } from "./kept_edits.ts";
import type { GoodsTable } from "./goods_table.ts";
import { isFiltered, listParams, type ListState, MODES, type PageMode, readListState, SORTS } from "./list_state.ts";
import "./paste_dialog.ts";
import type { PasteDialog } from "./paste_dialog.ts";
import { rowOf } from "./row.ts";

addEventListener("beforeunload", (event: BeforeUnloadEvent) => {
  if (hasUnsaved()) event.preventDefault();
});

/** Where the cursor was in the list that was left last. */
let leftAt: { readonly query: string; readonly cell: Cell } | undefined;

/** `<hf-goods>` */
export class GoodsPage extends PageElement {
  static override properties = { ...PageElement.properties, revision: { state: true }, reasons: { state: true } };
  static override styles = [LOOK, PAGE_LOOK];

  declare revision: number;
  declare reasons: readonly Reason[];
  #model: GoodsModel | undefined;
  #endings: (() => void)[] = [];
  /** The table is to get the focus once it is drawn in another mode. */
  #isEntryDue = false;

  constructor() {
    super();
    this.revision = 0;
    this.reasons = [];
  }

  override focusSearch(): void {
    this.renderRoot.querySelector<GoodsFilters>("hf-goods-filters")?.focusSearch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#endings.splice(0)) end();
    this.#model = undefined;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (this.#model === undefined || changed.has("link")) this.#begin();
    if (changed.has("route") || changed.has("link")) this.#show();
  }

  override render() {
    const model = this.#model!;
    const words = wordsOf(GOODS);
    const { state } = model;
    return html`
      <header>
        <h1>${words.title}</h1>
        <span class="muted" role="status">${this.#said(model)}</span>
        ${this.#chips(model)}
        <span class="grow"></span>
        <span class="muted keys" aria-hidden="true">${words.keys}</span>
        ${this.link.may("stocker") ? this.#modes(state.mode) : nothing}
      </header>
      <hf-goods-filters .state=${state} @state=${this.#stateAsked}></hf-goods-filters>
      ${this.#body(model)}
      ${model.session === undefined ? nothing : html`
        <hf-edit-bar
          .model=${model}
          .reasons=${this.reasons}
          .revision=${this.revision}
          @paste-list=${() => this.renderRoot.querySelector<PasteDialog>("hf-paste-dialog")?.open()}
        ></hf-edit-bar>
        <hf-paste-dialog @text=${this.#pasted}></hf-paste-dialog>
      `}
    `;
  }

  override updated(): void {
    const table = this.#table();
    if (table !== null && leftAt !== undefined) {
      const { query, cell } = leftAt;
      leftAt = undefined;
      // It can scroll once it is drawn.
      if (query === location.search) void table.updateComplete.then(() => table.go(cell));
    }
    if (!this.#isEntryDue || this.#model?.session === undefined) return;
    this.#isEntryDue = false;
    this.#table()?.enterEntry();
  }

  #begin(): void {
    for (const end of this.#endings.splice(0)) end();
    const model = new GoodsModel(goodsCalls(this.link), keptSessions(this.link));
    this.#model = model;
    this.#endings.push(
      () => model.close(),
      // What only rows changed of is the table's to draw.
      model.subscribe((changed) => {
        if (changed === "all" || (model.session?.sheet.size ?? 0) > 0) this.revision++;
      }),
      this.link.onChanges((changes) =>
        model.note(changes.flatMap(({ level }) => level === undefined ? [] : [rowOf(level)]))
      ),
      this.link.onReload(() => model.refresh()),
    );
  }

  #show(): void {
    const state = readListState(this.route.query);
    const mode = this.link.may("stocker") ? state.mode : "view";
    this.#model!.show({ ...state, mode });
    if (mode !== "view" && this.reasons.length === 0) void this.#readReasons();
  }

  async #readReasons(): Promise<void> {
    try {
      this.reasons = (await this.link.goods.listReasons({})).reasons;
    } catch {
      // Quantities can be set without a reason.
    }
  }

  #said({ list, isReading }: GoodsModel): string {
    const words = wordsOf(GOODS);
    const number = (value: number) => formats().number(value);
    if (list === undefined || list.status === "failed") return "";
    if (list.error !== undefined) return words.retrying;
    if (list.status === "first" && list.store.count > 0) {
      return words.readingOf(number(list.store.count), number(Math.max(list.total?.count ?? 0, list.store.count)));
    }
    if (isReading) return words.reading;
    if (list.status === "full") return words.isFull(number(list.count));
    const { count = list.count, isEstimate = true } = list.total ?? {};
    return isEstimate ? words.rowsOf(number(count)) : words.rows(number(count));
  }

  #chips({ list }: GoodsModel) {
    const words = wordsOf(GOODS);
    const said = [
      ...((list?.newcomers ?? 0) > 0 ? [words.newcomers(formats().number(list!.newcomers))] : []),
      ...(list?.isMoved === true ? [words.moved] : []),
    ];
    if (said.length === 0) return nothing;
    return html`<button class="small" @click=${this.#refreshed}>${said.join(" · ")} — ${words.refresh}</button>`;
  }

  #modes(mode: PageMode) {
    const words = wordsOf(GOODS);
    return html`
      <div class="modes" role="group" aria-label=${words.modes}>${MODES.map((each) =>
        html`<button aria-pressed=${each === mode} @click=${() => this.#go({ mode: each })}>${words[each]}${
          this.#model!.unsaved(each) > 0 ? ` (${formats().number(this.#model!.unsaved(each))})` : nothing
        }</button>`
      )}</div>
    `;
  }

  #body(model: GoodsModel) {
    const words = wordsOf(GOODS);
    const { list, session } = model;
    if (list?.status === "failed") return this.#failed(list.error);
    if (list?.status === "whole" && list.count === 0 && session?.review === undefined) {
      return isFiltered(model.state)
        ? html`<div class="state"><h2>${words.noneFound}</h2>${
          list.newcomers > 0 ? html`<button @click=${this.#refreshed}>${words.refresh}</button>` : nothing
        }</div>`
        : html`<div class="state"><h2>${words.empty}</h2><p class="muted">${words.emptyHint}</p>${
          list.newcomers > 0 ? html`<button @click=${this.#refreshed}>${words.refresh}</button>` : nothing
        }</div>`;
    }
    if (list?.status === "first") {
      return html`
        <div class="state" aria-busy="true">
          <p class="muted">${words.reading}</p>
        </div>
      `;
    }
    return html`
      <hf-goods-table
        .model=${model}
        .mayEdit=${this.link.may("stocker")}
        aria-busy=${model.isReading}
        @open=${this.#opened}
        @sort=${this.#sortAsked}
        @edit=${() => {
          this.#isEntryDue = true;
          this.#go({ mode: "edit" });
        }}
        @leave=${() => this.#go({ mode: "view" })}
      ></hf-goods-table>
    `;
  }

  #failed(error: unknown) {
    const words = wordsOf(GOODS);
    const isDenied = ConnectError.from(error).code === Code.PermissionDenied;
    const { text, lines } = sayTrouble(error);
    return html`
      <div class="state" role="alert">
        <h2>${isDenied ? words.noRights : words.failed}</h2>
        <p class="muted">${text}</p>
        ${lines.map((line) => html`<p class="muted">${line}</p>`)}
        <button @click=${this.#refreshed}>${words.tryAgain}</button>
      </div>
    `;
  }

  readonly #opened = ({ detail }: CustomEvent<string>) => {
    const table = this.#table();
    if (table !== null) leftAt = { query: location.search, cell: table.cell };
    navigate(detail);
  };

  readonly #refreshed = () => this.#model?.refresh();

  readonly #stateAsked = ({ detail }: CustomEvent<{ state: ListState; replace: boolean }>) => {
    this.#go(detail.state, detail.replace);
  };

  readonly #sortAsked = ({ detail }: CustomEvent<string>) => {
    const sort = SORTS.find((one) => one === detail);
    const { state } = this.#model!;
    if (sort !== undefined) this.#go({ sort, isDescending: state.sort === sort && !state.isDescending });
  };

  readonly #pasted = ({ detail }: CustomEvent<string>) => {
    const chosen = this.#table()?.chosen() ?? [];
    if (detail.trim() !== "") void this.#model?.session?.paste(detail, chosen);
  };

  #go(change: Partial<ListState>, replace = false): void {
    const query = listParams({ ...this.#model!.state, ...change }).toString();
    if (change.mode === undefined) this.#table()?.toTop();
    navigate(query === "" ? "/goods" : `/goods?${query}`, { replace });
  }

  #table(): GoodsTable | null {
    return this.renderRoot.querySelector<GoodsTable>("hf-goods-table");
  }
}

customElements.define("hf-goods", GoodsPage);
