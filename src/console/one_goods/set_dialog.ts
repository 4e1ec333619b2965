/** Sets what is available, or on hand, to a number. */
import { ConnectError } from "@connectrpc/connect";
import { html } from "lit";
import { Basis, CurrentLevelSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { readWhole, valueOf } from "../parts/checks.ts";
import { choiceField, textField } from "../parts/fields.ts";
import { formats } from "../parts/speech.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { availableOf, previewSet } from "./preview.ts";

/** `<hf-set-dialog>` */
export class SetDialog extends PlaceDialog {
  static override properties = { ...PlaceDialog.properties, num: { state: true }, basis: { state: true } };

  declare num: string;
  declare basis: "available" | "on_hand";

  constructor() {
    super();
    this.num = "";
    this.basis = "available";
  }

  protected override heading(): string {
    return wordsOf(ONE_GOODS).setTitle(this.name);
  }

  protected override action() {
    return { label: wordsOf(ONE_GOODS).set };
  }

  protected override isRight(): boolean {
    return valueOf(this.#read) !== undefined && isRightAttribution(this.why);
  }

  get #read() {
    return readWhole(this.num, { min: 0, max: INT32_MAX });
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    try {
      return done.set(formats().number(await this.#set()));
    } catch (error) {
      if (this.trouble?.isUnsure !== true || !this.#wasSet(error)) throw error;
      return done.set(formats().number(availableOf(previewSet(this.seen, valueOf(this.#read) ?? 0, this.basis).after)));
    }
  }

  /** A set has no id to be known again by: sent again after its answer was lost it finds what it has made itself. */
  #wasSet(error: unknown): boolean {
    const [current] = ConnectError.from(error).findDetails(CurrentLevelSchema);
    const { after } = previewSet(this.seen, valueOf(this.#read) ?? 0, this.basis);
    return current?.version === BigInt(after.version) && current.onHand === after.onHand;
  }

  async #set(): Promise<number> {
    const { goodsId, locationId } = this.place;
    const { num } = await this.link.inventory.setInv({
      goodsId,
      locationId,
      num: valueOf(this.#read) ?? 0,
      basis: this.basis === "on_hand" ? Basis.ON_HAND : Basis.AVAILABLE,
      expected: { case: "expectedVersion", value: this.expectedVersion },
      ...attributionOf(this.why),
    });
    return num;
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const num = valueOf(this.#read);
    return html`
      ${this.notes()}
      <div class="two">
        ${textField({
          id: "num",
          label: words.newNum,
          value: this.num,
          kind: "number",
          isFirst: true,
          read: this.#read,
          isChecked: this.isChecked,
          onInput: (num) => this.num = num,
        })} ${choiceField({
          id: "basis",
          label: words.basis,
          value: this.basis,
          choices: [["available", words.available], ["on_hand", words.onHand]],
          onInput: (basis) => this.basis = basis === "on_hand" ? "on_hand" : "available",
        })}
      </div>
      ${this.preview(num === undefined ? undefined : previewSet(this.seen, num, this.basis))} ${this.whyFields()}
    `;
  }
}

customElements.define("hf-set-dialog", SetDialog);
