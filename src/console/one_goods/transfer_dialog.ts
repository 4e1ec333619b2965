/** Moves units to another location. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { ListedLevel } from "../../gen/inventory/v1/query_pb.ts";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { type Read, readWhole, valueOf } from "../parts/checks.ts";
import { checkField, textField } from "../parts/fields.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { readLevel, standOf } from "./place.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { previewTransfer } from "./preview.ts";

/** The shortest time between two looks at where units go, in ms. */
const LOOK_PAUSE_MS = 500;

/** What is known of a location that the page does not list; without a level or a trouble, that nothing is there. */
interface Looked {
  readonly locationId: number;
  readonly level?: ListedLevel | undefined;
  /** What kept it from being read. */
  readonly trouble?: Trouble;
}

/** `<hf-transfer-dialog>` */
export class TransferDialog extends PlaceDialog {
  static override properties = {
    ...PlaceDialog.properties,
    num: { state: true },
    to: { state: true },
    isWhatever: { state: true },
    looked: { state: true },
  };

  declare num: string;
  declare to: string;
  /** Whatever stands there is moved from: no other change is written over by that. */
  declare isWhatever: boolean;
  /** The last that was looked at. */
  declare looked: Looked | undefined;
  readonly #looker = new Pacer(() => this.#look(), LOOK_PAUSE_MS);

  constructor() {
    super();
    this.num = "";
    this.to = "";
    this.isWhatever = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#looker.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    if ((changed.has("to") || changed.has("place")) && this.#unlisted !== undefined) this.#looker.ask();
  }

  /** Where units go, where the page does not know what stands there. */
  get #unlisted(): number | undefined {
    const to = valueOf(this.#to);
    return to === undefined || to <= this.place.knownTo ? undefined : to;
  }

  async #look(): Promise<Trouble | void> {
    const locationId = this.#unlisted;
    if (locationId === undefined) return;
    try {
      this.looked = { locationId, level: await readLevel(this.link, this.place.goodsId, locationId) };
    } catch (error) {
      const trouble = sayTrouble(error);
      this.looked = { locationId, trouble };
      return trouble;
    }
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
      ${this.#previews(valueOf(this.#num), valueOf(this.#to))}
      ${this.whyFields()} ${checkField({
        id: "whatever",
        label: words.whatever,
        isOn: this.isWhatever,
        onInput: (isOn) => this.isWhatever = isOn,
      })}
    `;
  }

  /** Of both locations, the other one as soon as it is known. */
  #previews(num: number | undefined, to: number | undefined): TemplateResult {
    const { atLocation } = wordsOf(ONE_GOODS);
    const here = atLocation(this.place.locationId);
    if (num === undefined || to === undefined) return this.preview(undefined, here);
    const looked: Omit<Looked, "locationId"> | undefined = this.#unlisted === undefined
      ? { level: this.place.everywhere.find(({ locationId }) => locationId === to) }
      : this.looked?.locationId === to
      ? this.looked
      : undefined;
    const moved = previewTransfer(this.seen, standOf({ level: looked?.level, policy: undefined }), num);
    return html`
      ${this.preview(moved.from, here)} ${looked === undefined
        ? nothing
        : looked.trouble !== undefined
        ? troubleNote(looked.trouble)
        : this.preview(moved.to, atLocation(to))}
    `;
  }
}

customElements.define("hf-transfer-dialog", TransferDialog);
