/** Adds units, or takes them off. */
import { html } from "lit";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { readDelta, valueOf } from "../parts/checks.ts";
import { checkField, textField } from "../parts/fields.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { previewAdjust } from "./preview.ts";

/** `<hf-adjust-dialog>` */
export class AdjustDialog extends PlaceDialog {
  static override properties = { ...PlaceDialog.properties, delta: { state: true }, isWhatever: { state: true } };

  declare delta: string;
  /** Whatever stands there is adjusted: no other change is written over by that. */
  declare isWhatever: boolean;

  constructor() {
    super();
    this.delta = "";
    this.isWhatever = false;
  }

  protected override heading(): string {
    return wordsOf(ONE_GOODS).adjustTitle(this.name);
  }

  protected override action() {
    return { label: wordsOf(ONE_GOODS).adjust };
  }

  protected override isRight(): boolean {
    return valueOf(readDelta(this.delta)) !== undefined && isRightAttribution(this.why);
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    const { goodsId, locationId } = this.place;
    const delta = valueOf(readDelta(this.delta)) ?? 0;
    const expected = this.isWhatever ? {} : { expectedVersion: this.expectedVersion };
    const { levels } = await this.link.stock.adjustInv({
      lines: [{ goodsId, locationId, delta, ...expected }],
      operationId: this.operationId,
      ...attributionOf(this.why),
    });
    return done.adjust(formats().number(levels[0]?.onHand ?? 0));
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const read = readDelta(this.delta);
    const delta = valueOf(read);
    return html`
      ${this.notes()} ${textField({
        id: "delta",
        label: words.delta,
        value: this.delta,
        hint: words.deltaHint,
        isFirst: true,
        read,
        isChecked: this.isChecked,
        onInput: (delta) => this.delta = delta,
      })} ${this.preview(delta === undefined ? undefined : previewAdjust(this.seen, delta))} ${this.whyFields()}
      ${checkField({
        id: "whatever",
        label: words.whatever,
        isOn: this.isWhatever,
        onInput: (isOn) => this.isWhatever = isOn,
      })}
    `;
  }
}

customElements.define("hf-adjust-dialog", AdjustDialog);
