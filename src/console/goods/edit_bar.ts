/** Below the table while quantities are edited: how the edits stand, and what is done with all of them. */
import { css, html, nothing } from "lit";
import type { Reason } from "../../gen/inventory/v1/goods_pb.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import * as GOODS from "../words/goods.ts";
import { wordsOf } from "../words/language.ts";
import type { EditSession } from "./edit_session.ts";
import { EDITS_MAX } from "./edit_sheet.ts";
import { type EditTotals, totalsOf } from "./edit_totals.ts";
import type { GoodsModel } from "./goods_model.ts";

/** `<hf-edit-bar>`; a `paste-list` event asks for the dialog. */
export class EditBar extends ConsoleElement {
  static override properties = {
    model: { attribute: false },
    reasons: { attribute: false },
    revision: { attribute: false },
  };
  static override styles = [
    LOOK,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: center;
        padding: 8px 12px;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 8px;
      }
      .fill input {
        width: 96px;
      }
      form {
        display: inline-flex;
        gap: 8px;
        align-items: center;
      }
      .note {
        margin-bottom: 8px;
        max-height: 180px;
        overflow: auto;
      }
      ul {
        margin: 4px 0;
        padding-left: 20px;
      }
      @media (max-width: 720px) {
        .bar {
          gap: 6px;
          padding: 6px;
        }
        .grow {
          display: none;
        }
      }
    `,
  ];

  declare model: GoodsModel;
  declare reasons: readonly Reason[];
  /** Another one: something of the model is to be drawn anew. */
  declare revision: number;

  constructor() {
    super();
    this.reasons = [];
  }

  override render() {
    const { session } = this.model;
    return session === undefined ? nothing : html`${this.#report(session)}${this.#bar(session)}`;
  }

  #bar(session: EditSession) {
    const words = wordsOf(GOODS);
    const totals = totalsOf(session.sheet);
    const { selection, state } = this.model;
    const number = (value: number) => formats().number(value);
    return html`
      <div class="bar" role="toolbar" aria-label=${state.mode === "count" ? words.count : words.edit}>
        ${state.mode === "edit" ? this.#basis(totals) : nothing}
        <button @click=${() => this.dispatchEvent(new CustomEvent("paste-list"))}>${words.pasteList}</button>
        <button @click=${this.#selectAll}>${words.selectAll}</button>
        ${selection.size === 0 ? nothing : html`
          <form class="fill" @submit=${this.#fill}>
            <label>
              <span>${words.selected(number(selection.size))}</span>
              <input inputmode="numeric" autocomplete="off" aria-label=${words.setSelected} required>
            </label>
            <button>${words.fill}</button>
          </form>
        `}
        <span class="muted" role="status">${this.model.isSelectionCut
          ? words.tooMany(number(EDITS_MAX))
          : nothing} ${this.#said(
            totals,
          )}</span>
        <span class="grow"></span>
        ${totals.all === 0 ? nothing : this.#actions(session, totals)}
      </div>
    `;
  }

  #said(totals: EditTotals) {
    const words = wordsOf(GOODS);
    const parts = [
      [totals.ready, words.ready],
      [totals.bad, words.bad],
      [totals.moved, words.moving],
      [totals.conflicts, words.conflicts],
      [totals.refused, words.refused],
      [totals.unknown, words.unknownEnd],
      [totals.applied, words.applied],
    ] as const;
    const said = parts.filter(([count]) => count > 0).map(([count, say]) => say(formats().number(count)));
    if (totals.ready > 0) said.push(formats().signed(totals.difference));
    return totals.all === 0 ? words.nothing : said.join(" · ");
  }

  #actions(session: EditSession, totals: EditTotals) {
    const words = wordsOf(GOODS);
    const isOnly = session.review !== undefined;
    return html`
      <button aria-pressed=${isOnly} @click=${() => session.showOnlyEdits(!isOnly)}>${isOnly
        ? words.allRows
        : words.onlyEdits}</button>
      <label>
        <span>${words.reason}</span>
        <select @change=${(event: Event) => session.reason = (event.target as HTMLSelectElement).value}>
          <option value="" ?selected=${session.reason === ""}>${words.noReason}</option>
          ${this.reasons.map(({ code, description }) =>
            html`<option value=${code} ?selected=${session.reason === code} title=${description}>${code}</option>`
          )}
        </select>
      </label>
      <button class="quiet" ?disabled=${session.isBusy} @click=${() => session.clear()}>${words.discard}</button>
      <button
        class="primary"
        ?disabled=${session.isBusy || totals.ready === 0}
        @click=${() => void session.apply()}
      >${session.isBusy ? words.applying : words.apply(formats().number(totals.ready))}</button>
    `;
  }

  /** What is typed is of one basis: it stays while there are edits. */
  #basis(totals: EditTotals) {
    const words = wordsOf(GOODS);
    const kind = this.model.session?.kind;
    return html`
      <label>
        <span>${words.basis}</span>
        <select
          ?disabled=${totals.all > 0}
          @change=${(event: Event) =>
            this.model.setBasis((event.target as HTMLSelectElement).value === "on_hand" ? "on_hand" : "available")}
        >
          <option value="available" ?selected=${kind === "available"}>${words.basisAvailable}</option>
          <option value="on_hand" ?selected=${kind === "on_hand"}>${words.basisOnHand}</option>
        </select>
      </label>
    `;
  }

  #report(session: EditSession) {
    const { report } = session;
    if (report === undefined) return nothing;
    const words = wordsOf(GOODS);
    const number = (value: number) => formats().number(value);
    const left = report.problemCount - report.problems.length;
    if (report.error !== undefined) {
      return html`
        <div class="note bad" role="alert">
          <div class="row">
            <b>${words.notTaken}</b>
            <span>${sayTrouble(report.error).text}</span>
            <span class="grow"></span>
            <button class="small quiet" @click=${() => session.forgetReport()}>${words.close}</button>
          </div>
        </div>
      `;
    }
    return html`
      <div class="note ${report.problemCount > 0 ? "warn" : ""}" role="status">
        <div class="row">
          <b>${words.taken(number(report.taken))}</b>
          ${report.unchanged > 0 ? html`<span>${words.sameAsIs(number(report.unchanged))}</span>` : nothing}
          ${report.problemCount > 0 ? html`<span>${words.cannotBe(number(report.problemCount))}</span>` : nothing}
          ${report.isCut ? html`<span>${words.cut}</span>` : nothing}
          <span class="grow"></span>
          <button class="small quiet" @click=${() => session.forgetReport()}>${words.close}</button>
        </div>
        ${report.problemCount === 0 ? nothing : html`
          <ul>${report.problems.map(({ line, text, problem }) =>
            html`<li>${words.line(number(line))} <span class="mono">${text}</span>: ${words.problems[problem]}</li>`
          )}${left > 0 ? html`<li>${words.andMore(number(left))}</li>` : nothing}</ul>
        `}
      </div>
    `;
  }

  readonly #selectAll = () => {
    this.model.selectAll();
  };

  readonly #fill = (event: SubmitEvent) => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).querySelector("input")!;
    const { session, selection } = this.model;
    session?.typeAll(selection.rows(this.model), input.value);
    input.value = "";
  };
}

customElements.define("hf-edit-bar", EditBar);
