/** The list of orders: filtered, the newest first, page by page, and live. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit-html/directives/repeat.js";
import type { Order } from "../../gen/inventory/v1/holds_pb.ts";
import type { OrderState } from "../../gen/inventory/v1/inventory_pb.ts";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { writtenMs } from "../one_goods/level_reader.ts";
import { readGoods, valueOf } from "../parts/checks.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { leftText } from "../parts/countdown.ts";
import { dayStartMs } from "../parts/days.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { language, wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as LEDGER from "../words/ledger.ts";
import * as ORDERS from "../words/orders.ts";
import { stateAt } from "./order_actions.ts";
import { areOfOrders } from "./order_changes.ts";
import { orderAddress, type OrdersView, stateName } from "./orders_url.ts";

const PAGE_ROWS = 50;
/** Rows of one call, where more pages than one are read anew; the server answers no more. */
const READ_ROWS = 1000;
/** Orders that are shown at most. */
const ROWS_MAX = 1000;
const READ_PAUSE_MS = 2000;

/** `<hf-order-list>` */
export class OrderList extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    view: { attribute: false },
    rows: { state: true },
    next: { state: true },
    nowMs: { state: true },
    trouble: { state: true },
  };
  static override styles = [LOOK];

  declare link: Link;
  declare view: OrdersView;
  /** Undefined: nothing was read yet. */
  declare rows: readonly Order[] | undefined;
  declare next: string;
  declare nowMs: number;
  declare trouble: Trouble | undefined;
  #stops: (() => void)[] = [];
  #clock: ReturnType<typeof setInterval> | undefined;
  readonly #pacer = new Pacer(() => this.#readNew(), READ_PAUSE_MS);

  constructor() {
    super();
    this.next = "";
    this.nowMs = serverNowMs();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => this.nowMs = serverNowMs(), 1000);
    this.#stops = [
      this.link.onChanges((changes) => {
        if (areOfOrders(changes)) this.#pacer.ask();
      }),
      this.link.onReload(() => this.#pacer.ask()),
    ];
    if (this.hasUpdated) this.#pacer.ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#clock);
    for (const stop of this.#stops) stop();
    this.#pacer.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("view") || JSON.stringify(changed.get("view")) === JSON.stringify(this.view)) return;
    this.rows = undefined;
    // A token of other filters is none of these, and what went wrong with them says nothing of these.
    this.next = "";
    this.trouble = undefined;
    this.#pacer.ask();
  }

  /** Reads anew at once. */
  reload(): void {
    this.#pacer.ask();
  }

  #request(pageToken: string, pageSize = PAGE_ROWS) {
    const { states, buyer, goods, since, until } = this.view;
    return {
      ...{ states: [...states], buyerId: buyer, pageSize, pageToken },
      ...(goods === "" ? {} : valueOf(readGoods(goods)) ?? {}),
      ...(since === undefined ? {} : { since: timestampFromMs(dayStartMs(since)) }),
      ...(until === undefined ? {} : { until: timestampFromMs(dayStartMs(until, 1)) }),
    };
  }

  /** As many pages as are shown: what is listed may be in another state now. */
  async #readNew(): Promise<Trouble | void> {
    const asked = JSON.stringify(this.view);
    const wanted = Math.max(this.rows?.length ?? 0, PAGE_ROWS);
    try {
      const rows: Order[] = [];
      let pageToken = "";
      do {
        const size = Math.min(wanted - rows.length, READ_ROWS);
        const page = await this.link.query.listOrders(this.#request(pageToken, size));
        rows.push(...page.orders);
        pageToken = page.nextPageToken;
      } while (pageToken !== "" && rows.length < wanted);
      const hasMore = (this.rows?.length ?? 0) > wanted;
      // What its reader has asked for meanwhile is behind what was read.
      if (JSON.stringify(this.view) !== asked || hasMore) return this.#pacer.ask();
      this.rows = rows.slice(0, ROWS_MAX);
      this.next = pageToken;
      this.trouble = undefined;
    } catch (error) {
      if (JSON.stringify(this.view) === asked) return this.trouble = sayTrouble(error);
    }
  }

  async #readOlder(): Promise<void> {
    const asked = JSON.stringify(this.view);
    const { next } = this;
    try {
      const page = await this.link.query.listOrders(this.#request(next));
      if (JSON.stringify(this.view) !== asked) return;
      // The rows before it were read anew, and end elsewhere now.
      if (this.next !== next) return this.next === "" ? undefined : await this.#readOlder();
      const known = new Set(this.rows?.map(({ orderId }) => orderId));
      const more = page.orders.filter(({ orderId }) => !known.has(orderId));
      this.rows = [...this.rows ?? [], ...more].slice(0, ROWS_MAX);
      this.next = page.nextPageToken;
      this.trouble = undefined;
    } catch (error) {
      if (JSON.stringify(this.view) === asked) this.trouble = sayTrouble(error);
    }
  }

  override render() {
    const words = wordsOf(ORDERS);
    const forms = wordsOf(FORMS);
    const { rows } = this;
    const isFiltered = this.view.states.length > 0 || this.view.buyer !== "" || this.view.goods !== "" ||
      this.view.since !== undefined || this.view.until !== undefined;
    return html`
      <div role="alert">
        ${this.trouble === undefined ? nothing : html`
          ${troubleNote(this.trouble)} <button class="small" @click=${() => this.reload()}>${forms.retry}</button>
        `}
      </div>
      ${rows === undefined
        ? this.trouble === undefined ? html`<p class="muted" role="status">${forms.loading}</p>` : nothing
        : rows.length === 0 && this.next === ""
        ? html`<p>${isFiltered ? words.none : words.noOrders}</p>`
        : this.#table(rows)}
      ${this.next === ""
        ? nothing
        : (rows?.length ?? 0) >= ROWS_MAX
        ? html`<p class="muted">${words.bound(formats().number(ROWS_MAX))}</p>`
        : html`<button @click=${() => void this.#readOlder()}>${forms.more}</button>`}
    `;
  }

  #table(rows: readonly Order[]) {
    const words = wordsOf(ORDERS);
    const { number, time } = formats();
    return html`
      <div class="scroll" tabindex="0" role="group" aria-label=${words.orders}>
        <table>
          <caption class="visually-hidden">${words.newest}</caption>
          <thead>
            <tr>
              <th scope="col">${words.at}</th>
              <th scope="col">${words.id}</th>
              <th scope="col">${words.state}</th>
              <th scope="col">${words.buyer}</th>
              <th scope="col">${words.lines}</th>
              <th scope="col" class="num">${words.ends}</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(rows, ({ orderId }) => orderId, (order) => {
              const units = order.lines.reduce((sum, { num }) => sum + num, 0);
              const state = stateAt(order, this.nowMs);
              const leftMs = writtenMs({ at: order.expiresAt }) - this.nowMs;
              return html`
                <tr data-order=${order.orderId}>
                  <td>${time(writtenMs({ at: order.createdAt }))}</td>
                  <td><a class="mono" href=${orderAddress(order.orderId)}>${order.orderId}</a></td>
                  <td>${stateBadge(state)}</td>
                  <td>${order.buyerId === "" ? html`<span class="muted">${words.nobody}</span>` : order.buyerId}</td>
                  <td>${words.lineCount(number(order.lines.length), number(units))}</td>
                  <td class="num">${stateName(state) === "held" ? leftText(leftMs) : ""}</td>
                </tr>
              `;
            })}
          </tbody>
        </table>
      </div>
    `;
  }
}

customElements.define("hf-order-list", OrderList);

const LOOK_OF: Readonly<Record<string, string>> = { held: "warn", sold: "good", barred: "bad" };

/** A state in the words of a shop. */
export function stateText(state: OrderState): string {
  const name = stateName(state);
  const { states } = LEDGER[language()];
  return states[name as keyof typeof states] ?? name;
}

/** The same, to be seen at a glance. */
export function stateBadge(state: OrderState) {
  return html`<span class="badge ${LOOK_OF[stateName(state)] ?? ""}">${stateText(state)}</span>`;
}
