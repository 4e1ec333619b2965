/** Why a number is what it is: the ledger added up by kind, holds, what the policy withholds, what waits. */
import { css, html, nothing, type PropertyValues } from "lit";
import type { ExplainInvResponse } from "../../gen/inventory/v1/query_pb.ts";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { orderAddress } from "../orders/orders_url.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { leftText } from "../parts/countdown.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { writtenMs } from "./level_reader.ts";
import { kindText, MOVEMENTS_LOOK, movementsTable } from "./movements_table.ts";

const READ_PAUSE_MS = 3000;
/** Movements, and holds, that are listed. */
const LISTED_MAX = 10;

/** `<hf-goods-why>`; it is read once its reader has opened it. */
export class GoodsWhy extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    goodsId: { attribute: false },
    locationId: { attribute: false },
    version: { attribute: false },
    isOpen: { state: true },
    answer: { state: true },
    readAtMs: { state: true },
    trouble: { state: true },
  };
  static override styles = [
    LOOK,
    MOVEMENTS_LOOK,
    css`
      summary {
        cursor: pointer;
      }
      summary h2 {
        display: inline;
      }
      .parts {
        display: grid;
        gap: 16px;
        grid-template-columns: minmax(0, 1fr);
        margin-top: 12px;
      }
      .two {
        display: grid;
        gap: 16px 32px;
        grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr));
      }
    `,
  ];

  declare link: Link;
  declare goodsId: number;
  declare locationId: number;
  declare version: bigint;
  declare isOpen: boolean;
  declare answer: ExplainInvResponse | undefined;
  declare readAtMs: number;
  declare trouble: Trouble | undefined;
  readonly #pacer = new Pacer(() => this.#read(), READ_PAUSE_MS);

  constructor() {
    super();
    this.isOpen = false;
    this.readAtMs = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#pacer.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const isOther = changed.has("goodsId") || changed.has("locationId");
    if (isOther) this.answer = undefined;
    if (this.isOpen && (isOther || changed.has("version") || changed.has("isOpen"))) this.#pacer.ask();
  }

  async #read(): Promise<Trouble | void> {
    const { goodsId, locationId } = this;
    try {
      const answer = await this.link.query.explainInv({
        ...{ goodsId, locationId, movementsMax: LISTED_MAX, holdsMax: LISTED_MAX },
      });
      if (this.goodsId !== goodsId || this.locationId !== locationId) return this.#pacer.ask();
      this.answer = answer;
      this.readAtMs = serverNowMs();
      this.trouble = undefined;
    } catch (error) {
      return this.trouble = sayTrouble(error);
    }
  }

  override render() {
    const words = wordsOf(ONE_GOODS);
    return html`
      <details class="card" @toggle=${(event: Event) => this.isOpen = (event.target as HTMLDetailsElement).open}>
        <summary>
          <h2>${words.why}</h2>
        </summary>
        <div class="parts">
          ${this.trouble === undefined ? nothing : troubleNote(this.trouble)}
          ${this.answer === undefined
            ? this.trouble === undefined ? html`<p class="muted">${wordsOf(FORMS).loading}</p>` : nothing
            : this.#parts(this.answer)}
        </div>
      </details>
    `;
  }

  #parts(answer: ExplainInvResponse) {
    const words = wordsOf(ONE_GOODS);
    const { number } = formats();
    const { level, policy } = answer;
    const withheld = level === undefined ? 0 : level.onHand - level.reserved - level.num;
    return html`
      ${level === undefined ? nothing : html`
        <p>${words.formula(number(level.num), number(level.onHand), number(level.reserved), number(withheld))}</p>
      `}
      <p class="note ${answer.addsUp ? "" : "bad"}">${answer.addsUp ? words.addsUp : words.doesNotAddUp}</p>
      <div class="two">
        ${this.#sums(answer)}
        <div>
          ${this.#holds(answer)}
          <h3>${words.whyPolicy}</h3>
          <p>
            ${words.safety} ${number(policy?.safetyStock ?? 0)}${(policy?.backorderMax ?? 0) === 0 ? nothing : html`
              · ${words.backorders(number(policy?.backorderMax ?? 0))}
            `}
          </p>
          <p class="muted">${answer.waiting === 0 ? words.nothingWaits : words.waiting(number(answer.waiting))}</p>
        </div>
      </div>
      <h3>${words.whyLast}</h3>
      ${movementsTable(answer.movements)}
    `;
  }

  #sums({ sums, opening }: ExplainInvResponse) {
    const words = wordsOf(ONE_GOODS);
    const { number, signed } = formats();
    const onHand = sums.reduce((sum, each) => sum + Number(each.onHandDelta), opening?.onHand ?? 0);
    const reserved = sums.reduce((sum, each) => sum + Number(each.reservedDelta), opening?.reserved ?? 0);
    return html`
      <div>
        <h3>${words.whySum}</h3>
        <table id="sums">
          <thead>
            <tr>
              <th scope="col">${words.kind}</th>
              <th scope="col" class="num">${words.movements}</th>
              <th scope="col" class="num">${words.onHand}</th>
              <th scope="col" class="num">${words.reserved}</th>
            </tr>
          </thead>
          <tbody>
            ${opening === undefined || opening.version === 0n ? nothing : html`
              <tr>
                <td>${words.opening(number(Number(opening.version)))}</td>
                <td></td>
                <td class="num">${number(opening.onHand)}</td>
                <td class="num">${number(opening.reserved)}</td>
              </tr>
            `}
            ${sums.map((sum) =>
              html`
                <tr>
                  <td>${kindText(sum.kind)}</td>
                  <td class="num">${number(Number(sum.movements))}</td>
                  <td class="num">${signed(Number(sum.onHandDelta))}</td>
                  <td class="num">${signed(Number(sum.reservedDelta))}</td>
                </tr>
              `
            )}
            <tr>
              <th scope="row">${words.sum}</th>
              <td></td>
              <td class="num"><strong>${number(onHand)}</strong></td>
              <td class="num"><strong>${number(reserved)}</strong></td>
            </tr>
          </tbody>
        </table>
      </div>
    `;
  }

  #holds({ holds, holdsTotal }: ExplainInvResponse) {
    const words = wordsOf(ONE_GOODS);
    const { number } = formats();
    return html`
      <h3>${words.whyHolds(number(holdsTotal))}</h3>
      <ul>
        ${holds.map((hold) =>
          html`
            <li>
              <a class="mono" href=${orderAddress(hold.orderId)}>${hold.orderId}</a> ${hold.buyerId}
              · ${number(hold.num)} · ${hold.due
                ? words.due
                : leftText(writtenMs({ at: hold.expiresAt }) - this.readAtMs)}
            </li>
          `
        )}
      </ul>
    `;
  }
}

customElements.define("hf-goods-why", GoodsWhy);
