/**
 * A dialog that changes one place: before and after by the numbers that its reader saw, and nothing is written over
 * that somebody else has made of them meanwhile. What was typed stays through every conflict.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { type AttributionDraft, attributionFields, readReasons, type ReasonChoice } from "../parts/attribution.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { OperationDialog } from "../parts/operation_dialog.ts";
import { formats } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { nameOf, type PlaceKnown, standOf } from "./place.ts";
import { availableOf, type Doubt, NOTHING, type Preview, type Stand } from "./preview.ts";

/** See above. */
export abstract class PlaceDialog extends OperationDialog {
  static override properties = {
    ...OperationDialog.properties,
    place: { attribute: false },
    seen: { state: true },
    isConflict: { state: true },
    why: { state: true },
    reasons: { state: true },
  };
  static override styles = [...OperationDialog.styles, FORM_LOOK];

  /** As it stands now. */
  declare place: PlaceKnown;
  /** As its reader saw it: what is sent is for that alone. */
  declare seen: Stand;
  /** It was sent and refused, as the place had changed. */
  declare isConflict: boolean;
  declare why: AttributionDraft;
  declare reasons: readonly ReasonChoice[];

  constructor() {
    super();
    this.seen = NOTHING;
    this.isConflict = false;
    this.why = { reason: "", document: "" };
    this.reasons = [];
  }

  override willUpdate(_changed: PropertyValues): void {
    if (this.hasUpdated) return;
    this.seen = standOf(this.place);
    void readReasons(this.link).then((reasons) => this.reasons = reasons);
  }

  protected get name(): string {
    return nameOf(this.place.goodsId, this.place.level, wordsOf(ONE_GOODS).goods);
  }

  /** The version that is expected, for requests. */
  protected get expectedVersion(): bigint {
    return BigInt(this.seen.version);
  }

  protected override refused({ current }: Trouble): void {
    const isThis = current?.goodsId === this.place.goodsId && current.locationId === this.place.locationId;
    if (!isThis) return;
    const { onHand, reserved, num, version } = current;
    const { backorderMax, deleted } = standOf(this.place);
    const safetyStock = onHand - reserved - num;
    this.seen = { onHand, reserved, safetyStock, backorderMax, version: Number(version), deleted };
    this.isConflict = true;
  }

  /** What is to be known before it is sent. */
  protected notes(): TemplateResult {
    const words = wordsOf(ONE_GOODS);
    const now = standOf(this.place);
    const hasMoved = now.version > this.seen.version && this.state === "editing";
    return html`
      ${hasMoved
        ? html`
          <div class="note warn" role="status">
            ${words.movedOn}
            <button type="button" class="small" @click=${() => this.seen = now}>${words.takeNew}</button>
          </div>
        `
        : nothing}
      ${this.isConflict && this.trouble?.current !== undefined
        ? html`
          <div class="note warn" role="alert" id="conflict">${words.conflict}</div>
        `
        : this.troubleNote()}
    `;
  }

  protected whyFields(): TemplateResult {
    return attributionFields(this.why, this.reasons, this.isChecked, (why) => this.why = why);
  }

  /** Before and after, and what the server would say against it. */
  protected preview(preview: Preview | undefined, caption = ""): TemplateResult {
    const words = wordsOf(ONE_GOODS);
    const { number } = formats();
    const rows: readonly (readonly [string, string, (stand: Stand) => number])[] = [
      ["available", words.available, availableOf],
      ["on-hand", words.onHand, ({ onHand }) => onHand],
      ["reserved", words.reserved, ({ reserved }) => reserved],
      ["safety", words.safety, ({ safetyStock }) => safetyStock],
    ];
    const before = preview?.before ?? this.seen;
    return html`
      <div class="scroll">
        <table>
          ${caption === "" ? nothing : html`<caption class="muted">${caption}</caption>`}
          <thead>
            <tr><td></td><th scope="col" class="num">${words.before}</th><th scope="col" class="num">${words
              .after}</th></tr>
          </thead>
          <tbody>
            ${rows.map(([id, label, of]) =>
              html`
                <tr>
                  <th scope="row">${label}</th>
                  <td class="num" data-before=${id}>${number(of(before))}</td>
                  <td class="num" data-after=${id}>${preview === undefined ? "–" : number(of(preview.after))}</td>
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
      ${preview?.doubt === undefined ? nothing : html`
        <div class="note warn" role="status">${doubtText(preview.doubt)}</div>
      `}
    `;
  }
}

/** What stands in the way, in words. */
function doubtText(doubt: Doubt): string {
  const { number } = formats();
  const { doubts } = wordsOf(ONE_GOODS);
  switch (doubt.doubt) {
    case "too_many":
      return doubts.too_many(number(doubt.max));
    case "below_floor":
      return doubts.below_floor(number(doubt.available));
    case "has_holds":
      return doubts.has_holds(number(doubt.reserved));
    case "too_large":
    case "no_change":
      return doubts[doubt.doubt]();
  }
}
