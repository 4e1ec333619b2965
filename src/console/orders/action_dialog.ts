/** Confirms, extends, releases or rolls back an order, after it has said what that will do, line by line. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { html, nothing, type PropertyValues } from "lit";
import type { Order, OrderLine } from "../../gen/inventory/v1/holds_pb.ts";
import { OrderState } from "../../gen/inventory/v1/inventory_pb.ts";
import { serverNowMs } from "../link/server_clock.ts";
import {
  type AttributionDraft,
  attributionFields,
  attributionOf,
  isRightAttribution,
  readReasons,
  type ReasonChoice,
} from "../parts/attribution.ts";
import { HOLD_TTL_MS_MAX, isProblem, type Read, readDuration, readWhole, valueOf } from "../parts/checks.ts";
import { checkField, textField } from "../parts/fields.ts";
import { nameLines, readNames } from "../parts/goods_names.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { OperationDialog } from "../parts/operation_dialog.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as ORDERS from "../words/orders.ts";
import { effectsOf, mostOf, type OrderAction, stateAt } from "./order_actions.ts";

/** `<hf-order-action>` */
export class ActionDialog extends OperationDialog {
  static override properties = {
    ...OperationDialog.properties,
    order: { attribute: false },
    what: { attribute: false },
    nums: { state: true },
    lasts: { state: true },
    recordsShortfall: { state: true },
    why: { state: true },
    reasons: { state: true },
  };
  static override styles = [...OperationDialog.styles, FORM_LOOK];

  /** As its reader saw it first; what comes later changes nothing in the dialog. */
  declare order: Order;
  declare what: OrderAction;
  /** Units of each line, as typed. */
  declare nums: ReadonlyMap<OrderLine, string>;
  declare lasts: string;
  declare recordsShortfall: boolean;
  declare why: AttributionDraft;
  declare reasons: readonly ReasonChoice[];
  #order!: Order;

  constructor() {
    super();
    this.nums = new Map();
    this.lasts = "15m";
    this.recordsShortfall = true;
    this.why = { reason: "", document: "" };
    this.reasons = [];
  }

  override willUpdate(_changed: PropertyValues): void {
    if (this.hasUpdated) return;
    this.#order = this.order;
    this.nums = new Map(this.order.lines.map((line) => [line, `${mostOf(this.what, line)}`]));
    void readReasons(this.link).then((reasons) => this.reasons = reasons);
    void this.#readNames();
  }

  /** Of an order as a list answers it; who has shown its lines before has read them. */
  async #readNames(): Promise<void> {
    const nameless = this.#order.lines.filter(({ sku }) => sku === "");
    try {
      nameLines(nameless, await readNames(this.link.query, nameless));
    } catch {
      // Ids say which goods they are, too.
    }
    this.requestUpdate();
  }

  protected override heading(): string {
    return wordsOf(ORDERS).titles[this.what](this.#order.orderId);
  }

  protected override action() {
    return { label: wordsOf(ORDERS).does[this.what], isDanger: this.what === "release" || this.what === "rollback" };
  }

  /** Some of each line can be confirmed or rolled back. */
  get #isByLine(): boolean {
    return this.what === "confirm" || this.what === "rollback";
  }

  #numOf(line: OrderLine): Read<number> {
    return readWhole(this.nums.get(line) ?? "", { min: 0, max: mostOf(this.what, line) });
  }

  get #lasting(): Read<number> {
    return readDuration(this.lasts, { min: 1, max: HOLD_TTL_MS_MAX });
  }

  /** The part; undefined: the whole of it. */
  get #part(): { goodsId: number; locationId: number; num: number }[] | undefined {
    const { lines } = this.#order;
    const isWhole = !this.#isByLine || lines.every((line) => valueOf(this.#numOf(line)) === mostOf(this.what, line));
    if (isWhole) return undefined;
    return lines.map((line) => ({ ...placeOf(line), num: valueOf(this.#numOf(line)) ?? 0 })).filter(({ num }) =>
      num > 0
    );
  }

  protected override isRight(): boolean {
    const isPart = this.#part === undefined || this.#part.length > 0;
    const nums = !this.#isByLine || this.#order.lines.every((line) => !isProblem(this.#numOf(line)));
    const lasts = this.what !== "extend" || !isProblem(this.#lasting);
    return isPart && nums && lasts && isRightAttribution(this.why);
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ORDERS);
    const { orderId } = this.#order;
    const why = attributionOf(this.why);
    const goodsInfo = this.#part ?? [];
    switch (this.what) {
      case "confirm": {
        const recordShortfall = this.recordsShortfall;
        const { replayed } = await this.link.holds.confirmHold({ orderId, goodsInfo, recordShortfall, ...why });
        return replayed ? done.replayed : done.confirm(orderId);
      }
      case "extend": {
        const ttl = durationFromMs(valueOf(this.#lasting) ?? 0);
        const { replayed } = await this.link.holds.extendHold({ orderId, ttl, ...why });
        return replayed ? done.replayed : done.extend(orderId);
      }
      case "release": {
        const { replayed } = await this.link.holds.releaseHold({ orderId, ...why });
        return replayed ? done.replayed : done.release(orderId);
      }
      case "rollback": {
        const rollbackId = this.operationId;
        const given = await this.link.inventory.rollback({ orderId, goodsInfo, rollbackId, ...why });
        if (given.replayed) return done.replayed;
        return done.rollback(orderId, formats().number(given.goodsInfo.reduce((sum, { num }) => sum + num, 0)));
      }
    }
  }

  protected override body() {
    const words = wordsOf(ORDERS);
    const isLate = this.what === "confirm" && stateAt(this.#order, serverNowMs()) === OrderState.EXPIRED;
    return html`
      ${this.troubleNote()}
      <p>${isLate ? words.effects.confirmLate : words.effects[this.what]}</p>
      ${this.what === "extend"
        ? textField({
          id: "lasts",
          label: words.lasts,
          value: this.lasts,
          isFirst: true,
          isDuration: true,
          read: this.#lasting,
          isChecked: this.isChecked,
          onInput: (lasts) => this.lasts = lasts,
        })
        : this.#effects()}
      ${isLate
        ? checkField({
          id: "record",
          label: words.recordShortfall,
          isOn: this.recordsShortfall,
          onInput: (isOn) => this.recordsShortfall = isOn,
        })
        : nothing}
      ${attributionFields(this.why, this.reasons, this.isChecked, (why) => this.why = why)}
    `;
  }

  #effects() {
    const words = wordsOf(ORDERS);
    const { signed } = formats();
    const nums = new Map(this.#order.lines.map((line) => [line, valueOf(this.#numOf(line)) ?? 0]));
    const state = stateAt(this.#order, serverNowMs());
    const effects = effectsOf(this.what, this.#order, state, this.#isByLine ? nums : undefined);
    return html`
      <div class="scroll">
        <table>
          <caption class="visually-hidden">${words.effect}</caption>
          <thead>
            <tr>
              <th scope="col">${words.goods}</th>
              <th scope="col" class="num">${words.units}</th>
              <th scope="col" class="num">${words.available}</th>
              <th scope="col" class="num">${words.onHand}</th>
              <th scope="col" class="num">${words.reserved}</th>
            </tr>
          </thead>
          <tbody>
            ${effects.map(({ line, num, onHand, reserved, available }, i) =>
              html`
                <tr>
                  <td>${lineText(line)}</td>
                  <td class="num">${this.#isByLine ? this.#unitsField(line, i) : formats().number(num)}</td>
                  <td class="num">${signed(available)}</td>
                  <td class="num">${signed(onHand)}</td>
                  <td class="num">${signed(reserved)}</td>
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  #unitsField(line: OrderLine, i: number) {
    const words = wordsOf(ORDERS);
    return textField({
      id: `units-${i}`,
      label: `${words.units}, ${lineText(line)}`,
      isBare: true,
      kind: "number",
      value: this.nums.get(line) ?? "",
      read: this.#numOf(line),
      isChecked: this.isChecked,
      onInput: (text) => this.nums = new Map([...this.nums, [line, text]]),
    });
  }
}

customElements.define("hf-order-action", ActionDialog);

/** Lines of orders name their goods by id where they are sent. */
function placeOf({ goodsId, locationId }: OrderLine) {
  return { goodsId, locationId };
}

/** A line's goods and where it is, in words. */
export function lineText({ goodsId, locationId, sku }: Pick<OrderLine, "goodsId" | "locationId" | "sku">): string {
  const words = wordsOf(ORDERS);
  const name = sku === "" ? words.goodsById(goodsId) : sku;
  return locationId === 0 ? name : `${name}, ${words.location} ${locationId}`;
}
