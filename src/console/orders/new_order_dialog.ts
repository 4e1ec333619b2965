/** Sells, or reserves for a buyer: a new order, with an id that the page has made, so that it is taken once. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { css, html, nothing, type PropertyValues } from "lit";
import { Fill, type ShortStock } from "../../gen/inventory/v1/inventory_pb.ts";
import {
  type AttributionDraft,
  attributionFields,
  attributionOf,
  isRightAttribution,
  readReasons,
  type ReasonChoice,
} from "../parts/attribution.ts";
import {
  HOLD_TTL_MS_MAX,
  isProblem,
  type Read,
  readBuyer,
  readDuration,
  readOrderId,
  valueOf,
} from "../parts/checks.ts";
import { checkField, choiceField, problemText, textField } from "../parts/fields.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { OperationDialog, troubleNote } from "../parts/operation_dialog.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { wordsOf } from "../words/language.ts";
import * as ORDERS from "../words/orders.ts";
import { lineText } from "./action_dialog.ts";
import { EMPTY_LINE, type LineDraft, readLines } from "./lines_draft.ts";

/** What checking says: nothing is short, some lines are, or it would be refused. */
type Checked = { readonly short: readonly ShortStock[] } | { readonly trouble: Trouble };

/** How long its reader pauses before the server is asked what would come of it, in ms. */
const CHECK_AFTER_MS = 400;

/** `<hf-new-order>`; `orderId` is that of the order once it is done. */
export class NewOrderDialog extends OperationDialog {
  static override properties = {
    ...OperationDialog.properties,
    kind: { state: true },
    orderId: { state: true },
    buyer: { state: true },
    lasts: { state: true },
    lines: { state: true },
    isFilled: { state: true },
    checked: { state: true },
    why: { state: true },
    reasons: { state: true },
  };
  static override styles = [
    ...OperationDialog.styles,
    FORM_LOOK,
    css`
      .line {
        display: grid;
        gap: 8px;
        grid-template-columns: minmax(0, 3fr) minmax(0, 1fr) minmax(0, 1fr) auto;
        align-items: start;
      }
      .lines {
        display: grid;
        gap: 8px;
        border: 0;
        padding: 0;
        margin: 0;
      }
      .columns {
        font-size: 12px;
        color: var(--muted);
      }
    `,
  ];

  declare kind: "sell" | "reserve";
  declare orderId: string;
  declare buyer: string;
  declare lasts: string;
  declare lines: readonly LineDraft[];
  /** What is there is taken where stock is short. */
  declare isFilled: boolean;
  declare checked: Checked | undefined;
  declare why: AttributionDraft;
  declare reasons: readonly ReasonChoice[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changes = 0;

  constructor() {
    super();
    this.kind = "sell";
    this.orderId = this.operationId;
    this.buyer = "";
    this.lasts = "";
    this.lines = [EMPTY_LINE];
    this.isFilled = false;
    this.why = { reason: "", document: "" };
    this.reasons = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!this.hasUpdated) void readReasons(this.link).then((reasons) => this.reasons = reasons);
    const isOther = (["kind", "orderId", "buyer", "lasts", "lines", "isFilled"] as const).some((key) =>
      changed.has(key)
    );
    if (!isOther || this.state !== "editing") return;
    this.checked = undefined;
    this.#changes++;
    clearTimeout(this.#timer);
    if (this.isRight()) this.#timer = setTimeout(() => void this.#check(), CHECK_AFTER_MS);
  }

  protected override heading(): string {
    return wordsOf(ORDERS).newTitle;
  }

  protected override action() {
    return { label: wordsOf(ORDERS).does[this.kind] };
  }

  get #lasting(): Read<number> {
    return this.lasts.trim() === "" ? { value: 0 } : readDuration(this.lasts, { min: 1, max: HOLD_TTL_MS_MAX });
  }

  protected override isRight(): boolean {
    return !isProblem(readLines(this.lines)) && !isProblem(readOrderId(this.orderId)) &&
      !isProblem(readBuyer(this.buyer)) &&
      (this.kind === "sell" || !isProblem(this.#lasting)) && isRightAttribution(this.why);
  }

  /** Asks for it; with `dryRun` only to know. Answers the lines that are short, and whether it was sold before. */
  async #ask(dryRun: boolean): Promise<{ readonly short: readonly ShortStock[]; readonly replayed: boolean }> {
    const request = {
      goodsInfo: valueOf(readLines(this.lines)) ?? [],
      orderId: valueOf(readOrderId(this.orderId)) ?? "",
      buyerId: valueOf(readBuyer(this.buyer)) ?? "",
      fill: this.isFilled ? Fill.AVAILABLE : Fill.ALL_OR_NOTHING,
      dryRun,
      ...attributionOf(this.why),
    };
    if (this.kind === "sell") return await this.link.inventory.sell(request);
    const ttlMs = valueOf(this.#lasting) ?? 0;
    const { order } = await this.link.holds.reserve({
      ...request,
      ...(ttlMs === 0 ? {} : { ttl: durationFromMs(ttlMs) }),
    });
    const short = (order?.lines ?? []).filter(({ asked, num }) => asked > num).map((line) => ({
      ...{ $typeName: "inventory.v1.ShortStock", goodsId: line.goodsId, asked: line.asked, available: line.num },
      ...{ locationId: line.locationId, sku: line.sku },
    } satisfies ShortStock));
    return { short, replayed: false };
  }

  async #check(): Promise<void> {
    const asked = this.#changes;
    try {
      const { short } = await this.#ask(true);
      if (this.#changes === asked) this.checked = { short };
    } catch (error) {
      if (this.#changes === asked) this.checked = { trouble: sayTrouble(error) };
    }
  }

  protected override async send(): Promise<string> {
    clearTimeout(this.#timer);
    this.#changes++;
    this.checked = undefined;
    const [{ replayed }, { done }] = [await this.#ask(false), wordsOf(ORDERS)];
    // Sent again after its answer was lost, it is this very sale that is found.
    return replayed && this.trouble?.isUnsure !== true ? done.replayed : done[this.kind](this.orderId.trim());
  }

  protected override body() {
    const words = wordsOf(ORDERS);
    const read = readLines(this.lines);
    const { isChecked } = this;
    return html`
      ${this.troubleNote()}
      <div class="two">
        ${choiceField({
          id: "kind",
          label: words.kind,
          value: this.kind,
          choices: [["sell", words.does.sell], ["reserve", words.does.reserve]],
          onInput: (kind) => this.kind = kind === "reserve" ? "reserve" : "sell",
        })} ${textField({
          id: "buyer",
          label: words.buyer,
          value: this.buyer,
          hint: words.buyerHint,
          read: readBuyer(this.buyer),
          isChecked,
          onInput: (buyer) => this.buyer = buyer,
        })}
      </div>
      <p class="muted">${words.effects[this.kind]}</p>
      <fieldset class="lines">
        <legend class="visually-hidden">${words.lines}</legend>
        <div class="line columns" aria-hidden="true">
          <span>${words.goods} (${words.goodsHint})</span><span>${words.units}</span><span>${words
            .location}</span><span></span>
        </div>
        ${this.lines.map((line, i) => this.#line(line, i))}
        ${isChecked && isProblem(read) && (read.problem === "no_lines" || read.problem === "too_many_lines")
          ? html`<div class="problem" role="alert">${problemText(read)}</div>`
          : nothing}
        <div>
          <button type="button" class="small" @click=${() => this.lines = [...this.lines, EMPTY_LINE]}>
            ${words.addLine}
          </button>
        </div>
      </fieldset>
      ${checkField({
        id: "fill",
        label: words.fill,
        isOn: this.isFilled,
        onInput: (isOn) => this.isFilled = isOn,
      })}
      <div class="two">
        ${textField({
          id: "order-id",
          label: words.orderId,
          value: this.orderId,
          hint: words.orderIdHint,
          read: readOrderId(this.orderId),
          isChecked,
          onInput: (orderId) => this.orderId = orderId,
        })} ${this.kind === "sell" ? nothing : textField({
          id: "lasts",
          label: words.lasts,
          value: this.lasts,
          hint: words.lastsHint,
          isDuration: true,
          read: this.#lasting,
          isChecked,
          onInput: (lasts) => this.lasts = lasts,
        })}
      </div>
      ${attributionFields(this.why, this.reasons, isChecked, (why) => this.why = why)}
      <div role="status" id="checked">${this.checked === undefined ? nothing : this.#checkedNote(this.checked)}</div>
    `;
  }

  #line(line: LineDraft, i: number) {
    const words = wordsOf(ORDERS);
    const read = readLines([line]).problems[0] ?? {};
    const field = (key: keyof LineDraft, label: string, isFirst = false) =>
      textField({
        id: `${key}-${i}`,
        label: `${label}, ${words.line(`${i + 1}`)}`,
        isBare: true,
        isFirst,
        kind: key === "goods" ? "text" : "number",
        value: line[key],
        read: read[key] ?? { value: 0 },
        isChecked: this.isChecked,
        onInput: (text) => this.lines = this.lines.map((each, j) => j === i ? { ...each, [key]: text } : each),
      });
    return html`
      <div class="line">
        ${field("goods", words.goods, i === 0)} ${field("num", words.units)} ${field("location", words.location)}
        <button
          type="button"
          class="quiet"
          aria-label=${words.removeLine(`${i + 1}`)}
          ?disabled=${this.lines.length === 1}
          @click=${() => this.lines = this.lines.filter((_, j) => j !== i)}
        >
          ×
        </button>
      </div>
    `;
  }

  #checkedNote(checked: Checked) {
    const words = wordsOf(ORDERS);
    const { number } = formats();
    if ("trouble" in checked) return troubleNote(checked.trouble);
    if (checked.short.length === 0) return html`<div class="note">${words.fits}</div>`;
    return html`
      <div class="note warn">
        ${words.fitsPart}
        <ul>
          ${checked.short.map((line) =>
            html`<li>${words.shortLine(lineText(line), number(line.asked), number(line.available))}</li>`
          )}
        </ul>
      </div>
    `;
  }
}

customElements.define("hf-new-order", NewOrderDialog);
