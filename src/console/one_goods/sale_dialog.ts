/** Takes a goods off sale, or puts it on sale again. */
import { html, nothing } from "lit";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { checkField } from "../parts/fields.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { previewDelete, previewRestore } from "./preview.ts";

/** `<hf-sale-dialog>` */
export class SaleDialog extends PlaceDialog {
  static override properties = { ...PlaceDialog.properties, releasesHolds: { state: true } };

  declare releasesHolds: boolean;

  constructor() {
    super();
    this.releasesHolds = false;
  }

  protected override heading(): string {
    const words = wordsOf(ONE_GOODS);
    return this.seen.deleted ? words.restoreTitle(this.name) : words.deleteTitle(this.name);
  }

  protected override action() {
    const words = wordsOf(ONE_GOODS);
    return this.seen.deleted ? { label: words.restore } : { label: words.delete, isDanger: true };
  }

  protected override isRight(): boolean {
    return isRightAttribution(this.why);
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    const { goodsId, locationId } = this.place;
    const request = { goodsId, locationId, expectedVersion: this.expectedVersion, ...attributionOf(this.why) };
    if (this.seen.deleted) {
      const { replayed } = await this.link.stock.restoreInv(request);
      return replayed ? done.nothing() : done.restore();
    }
    const { replayed } = await this.link.stock.deleteInv({ ...request, releaseHolds: this.releasesHolds });
    return replayed ? done.nothing() : done.delete();
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const { deleted, reserved } = this.seen;
    return html`
      ${this.notes()} ${this.preview(
        deleted ? previewRestore(this.seen) : previewDelete(this.seen, this.releasesHolds),
      )}
      ${deleted || reserved === 0 ? nothing : checkField({
        id: "release-holds",
        label: words.releaseHolds(formats().number(reserved)),
        isOn: this.releasesHolds,
        onInput: (isOn) => this.releasesHolds = isOn,
      })} ${this.whyFields()}
    `;
  }
}

customElements.define("hf-sale-dialog", SaleDialog);
