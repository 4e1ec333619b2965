/** Who holds units of a place, until when, counting down; holds are released and given more time from here. */
import { css, html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit-html/directives/repeat.js";
import type { Order } from "../../gen/inventory/v1/holds_pb.ts";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { leftText } from "../parts/countdown.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import "../orders/action_dialog.ts";
import { orderAddress } from "../orders/orders_url.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { writtenMs } from "./level_reader.ts";

const PAGE_HOLDS = 50;
/** Holds that are listed at most. */
const HOLDS_MAX = 500;
const READ_PAUSE_MS = 2000;

/** `<hf-goods-holds>` */
export class GoodsHolds extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    goodsId: { attribute: false },
    locationId: { attribute: false },
    version: { attribute: false },
    reread: { attribute: false },
    holds: { state: true },
    wanted: { state: true },
    hasMore: { state: true },
    nowMs: { state: true },
    trouble: { state: true },
    asked: { state: true },
  };
  static override styles = [
    LOOK,
    css`
      section {
        display: grid;
        gap: 12px;
        grid-template-columns: minmax(0, 1fr);
      }
    `,
  ];

  declare link: Link;
  declare goodsId: number;
  declare locationId: number;
  /** Of the place: another one may have other holds. */
  declare version: bigint;
  /** Reads the place anew: what becomes of a hold changes its numbers too. */
  declare reread: () => Promise<void>;
  declare holds: readonly Order[] | undefined;
  declare wanted: number;
  declare hasMore: boolean;
  declare nowMs: number;
  declare trouble: Trouble | undefined;
  /** What is asked for of which hold. */
  declare asked: { readonly action: "release" | "extend"; readonly hold: Order } | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;
  readonly #pacer = new Pacer(() => this.#read(), READ_PAUSE_MS);

  constructor() {
    super();
    this.reread = () => Promise.resolve();
    this.wanted = PAGE_HOLDS;
    this.hasMore = false;
    this.nowMs = serverNowMs();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => this.nowMs = serverNowMs(), 1000);
    if (this.hasUpdated) this.#pacer.ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#clock);
    this.#pacer.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("goodsId") || changed.has("locationId")) {
      this.holds = undefined;
      this.wanted = PAGE_HOLDS;
    }
    if (changed.has("goodsId") || changed.has("locationId") || changed.has("version") || changed.has("wanted")) {
      this.#pacer.ask();
    }
  }

  async #read(): Promise<Trouble | void> {
    const { goodsId, locationId, wanted } = this;
    try {
      const holds: Order[] = [];
      let pageToken = "";
      do {
        const page = await this.link.holds.listHolds({ goodsId, locationId, pageSize: PAGE_HOLDS, pageToken });
        holds.push(...page.holds);
        pageToken = page.nextPageToken;
      } while (pageToken !== "" && holds.length < wanted);
      if (this.goodsId !== goodsId || this.locationId !== locationId) return this.#pacer.ask();
      this.holds = holds;
      this.hasMore = pageToken !== "";
      this.trouble = undefined;
    } catch (error) {
      return this.trouble = sayTrouble(error);
    }
  }

  override render() {
    const words = wordsOf(ONE_GOODS);
    return html`
      <section class="card" aria-labelledby="holds">
        <h2 id="holds">${words.holds}</h2>
        ${this.trouble === undefined ? nothing : troubleNote(this.trouble)}
        ${this.holds === undefined
          ? html`<p class="muted">${wordsOf(FORMS).loading}</p>`
          : this.holds.length === 0
          ? html`<p class="muted">${words.noHolds}</p>`
          : this.#table(this.holds)}
        ${this.hasMore && this.wanted < HOLDS_MAX
          ? html`
            <div><button @click=${() => this.wanted += PAGE_HOLDS}>${wordsOf(FORMS).more}</button></div>
          `
          : nothing}
        ${this.asked === undefined ? nothing : this.#dialog(this.asked)}
      </section>
    `;
  }

  #table(holds: readonly Order[]) {
    const words = wordsOf(ONE_GOODS);
    const { number, time } = formats();
    const maySell = this.link.may("seller");
    return html`
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${words.order}</th>
              <th scope="col">${words.owner}</th>
              <th scope="col" class="num">${words.units}</th>
              <th scope="col" class="num">${words.expires}</th>
              ${maySell ? html`<th scope="col"><span class="visually-hidden">${words.actions}</span></th>` : nothing}
            </tr>
          </thead>
          <tbody>
            ${repeat(holds, ({ orderId }) => orderId, (hold) => {
              const endsMs = writtenMs({ at: hold.expiresAt });
              return html`
                <tr>
                  <td><a class="mono" href=${orderAddress(hold.orderId)}>${hold.orderId}</a></td>
                  <td>${hold.buyerId === "" ? html`<span class="muted">${words.nobody}</span>` : hold.buyerId}</td>
                  <td class="num">${number(this.#unitsOf(hold))}</td>
                  <td class="num" title=${time(endsMs)}>
                    ${endsMs <= this.nowMs ? words.due : leftText(endsMs - this.nowMs)}
                  </td>
                  ${maySell
                    ? html`
                      <td>
                        <div class="row">
                          <button class="small" @click=${() => this.asked = { action: "extend", hold }}>
                            ${words.extend}<span class="visually-hidden"> ${hold.orderId}</span>
                          </button>
                          <button class="small danger" @click=${() => this.asked = { action: "release", hold }}>
                            ${words.release}<span class="visually-hidden"> ${hold.orderId}</span>
                          </button>
                        </div>
                      </td>
                    `
                    : nothing}
                </tr>
              `;
            })}
          </tbody>
        </table>
      </div>
    `;
  }

  #unitsOf({ lines }: Order): number {
    return lines.filter(({ goodsId, locationId }) => goodsId === this.goodsId && locationId === this.locationId)
      .reduce((sum, { num }) => sum + num, 0);
  }

  #dialog({ action, hold }: { readonly action: "release" | "extend"; readonly hold: Order }) {
    const closed = () => this.asked = undefined;
    const reread = async () => {
      await Promise.all([this.#pacer.now(), this.reread()]);
    };
    return html`
      <hf-order-action .link=${this.link} .order=${hold} .what=${action} @closed=${closed}
        .reread=${reread}></hf-order-action>
    `;
  }
}

customElements.define("hf-goods-holds", GoodsHolds);
