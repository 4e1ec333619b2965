/** Moves units to another location. */
import { html, nothing } from "lit";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { type Read, readWhole, valueOf } from "../parts/checks.ts";
import { checkField, textField } from "../parts/fields.ts";
import { formats } from "../parts/speech.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { standOf } from "./place.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { previewTransfer } from "./preview.ts";

/** `<hf-transfer-dialog>` */
export class TransferDialog extends PlaceDialog {
  static override properties = {
    ...PlaceDialog.properties,
    num: { state: true },
    to: { state: true },
    isWhatever: { state: true },
  };

  declare num: string;
  declare to: string;
  /** Whatever stands there is moved from: no other change is written over by that. */
  declare isWhatever: boolean;

  constructor() {
    super();
    this.num = "";
    this.to = "";
    this.isWhatever = false;
  }

  protected override heading(): string {
    return wordsOf(ONE_GOODS).transferTitle(this.name);
  }

  protected override action() {
    return { label: wordsOf(ONE_GOODS).transfer };
  }

  protected override isRight(): boolean {
    return valueOf(this.#num) !== undefined && valueOf(this.#to) !== undefined && isRightAttribution(this.why);
  }

  get #num() {
    return readWhole(this.num, { min: 1, max: INT32_MAX });
  }

  get #to(): Read<number> {
    const read = readWhole(this.to, { min: 0, max: INT32_MAX });
    return valueOf(read) === this.place.locationId ? { problem: "same_location" } : read;
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    const { goodsId, locationId } = this.place;
    const num = valueOf(this.#num) ?? 0;
    const toLocationId = valueOf(this.#to) ?? 0;
    const expected = this.isWhatever ? {} : { expectedVersion: this.expectedVersion };
    await this.link.stock.transferInv({
      fromLocationId: locationId,
      toLocationId,
      lines: [{ goodsId, num, ...expected }],
      operationId: this.operationId,
      ...attributionOf(this.why),
    });
    return done.transfer(formats().number(num), `${toLocationId}`);
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const num = valueOf(this.#num);
    const to = valueOf(this.#to);
    const level = this.place.everywhere.find(({ locationId }) => locationId === to);
    const moved = num === undefined || to === undefined
      ? undefined
      : previewTransfer(this.seen, standOf({ level, policy: undefined }), num);
    return html`
      ${this.notes()}
      <div class="two">
        ${textField({
          id: "num",
          label: words.units,
          value: this.num,
          kind: "number",
          isFirst: true,
          read: this.#num,
          isChecked: this.isChecked,
          onInput: (num) => this.num = num,
        })} ${textField({
          id: "to",
          label: words.toLocation,
          value: this.to,
          kind: "number",
          read: this.#to,
          isChecked: this.isChecked,
          onInput: (to) => this.to = to,
        })}
      </div>
      ${this.preview(moved?.from, words.atLocation(this.place.locationId))}
      ${moved === undefined || to === undefined ? nothing : this.preview(moved.to, words.atLocation(to))}
      ${this.whyFields()} ${checkField({
        id: "whatever",
        label: words.whatever,
        isOn: this.isWhatever,
        onInput: (isOn) => this.isWhatever = isOn,
      })}
    `;
  }
}

customElements.define("hf-transfer-dialog", TransferDialog);
