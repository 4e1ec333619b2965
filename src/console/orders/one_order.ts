/** One order: its lines, its state, what it has moved, and what can be done to it; live. */
import { Code, ConnectError } from "@connectrpc/connect";
import { css, html, nothing, type PropertyValues } from "lit";
import type { Order } from "../../gen/inventory/v1/holds_pb.ts";
import { type ListedMovement, TimeSort } from "../../gen/inventory/v1/query_pb.ts";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { writtenMs } from "../one_goods/level_reader.ts";
import { MOVEMENTS_LOOK, movementsTable } from "../one_goods/movements_table.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { leftText } from "../parts/countdown.ts";
import { nameLines, readNames } from "../parts/goods_names.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ORDERS from "../words/orders.ts";
import "./action_dialog.ts";
import { lineText } from "./action_dialog.ts";
import { ACTIONS, type OrderAction, stateAt } from "./order_actions.ts";
import { areOfOrder } from "./order_changes.ts";
import { stateBadge } from "./order_list.ts";

const READ_PAUSE_MS = 1000;
/** Movements of one page, as many as the server answers; an order has seldom more than a few a line. */
const PAGE_ROWS = 1000;
/** Movements that are shown at most. */
const MOVEMENTS_MAX = 5000;

/** `<hf-one-order>` */
export class OneOrder extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    orderId: { attribute: false },
    order: { state: true },
    movements: { state: true },
    hasMore: { state: true },
    names: { state: true },
    isMissing: { state: true },
    nowMs: { state: true },
    trouble: { state: true },
    action: { state: true },
  };
  static override styles = [
    LOOK,
    MOVEMENTS_LOOK,
    css`
      .page {
        display: grid;
        gap: 16px;
        grid-template-columns: minmax(0, 1fr);
      }
      /* Nothing to say takes no room. */
      .page > [role="alert"]:not(:has(*)) {
        position: absolute;
      }
      .card {
        display: grid;
        gap: 12px;
        grid-template-columns: minmax(0, 1fr);
      }
      h1 {
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare link: Link;
  declare orderId: string;
  declare order: Order | undefined;
  declare movements: readonly ListedMovement[];
  /** There are older ones than these. */
  declare hasMore: boolean;
  /** SKUs of its goods, by their ids; those that have none are not in it. */
  declare names: ReadonlyMap<number, string>;
  declare isMissing: boolean;
  declare nowMs: number;
  declare trouble: Trouble | undefined;
  declare action: OrderAction | undefined;
  /** Movements that its reader wants to see. */
  #wanted = PAGE_ROWS;
  #stops: (() => void)[] = [];
  #clock: ReturnType<typeof setInterval> | undefined;
  readonly #pacer = new Pacer(() => this.#read(), READ_PAUSE_MS);

  constructor() {
    super();
    this.movements = [];
    this.hasMore = false;
    this.names = new Map();
    this.isMissing = false;
    this.nowMs = serverNowMs();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => this.nowMs = serverNowMs(), 1000);
    this.#stops = [
      this.link.onChanges((changes) => {
        if (areOfOrder(changes, this.orderId)) this.#pacer.ask();
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
    if (!changed.has("orderId")) return;
    this.order = undefined;
    this.movements = [];
    this.hasMore = false;
    this.#wanted = PAGE_ROWS;
    this.isMissing = false;
    this.trouble = undefined;
    this.action = undefined;
    this.#pacer.ask();
  }

  async #read(): Promise<Trouble | void> {
    const { orderId } = this;
    const isNow = () => this.orderId === orderId;
    try {
      const [{ order }, { movements, hasMore }] = await Promise.all([
        this.link.holds.getOrder({ orderId }),
        this.#readMovements(orderId),
      ]);
      const lines = order?.lines ?? [];
      // What was reserved anew may have moved goods that no line has any more.
      const names = await readNames(this.link.query, [...lines, ...movements], this.names);
      if (!isNow()) return;
      nameLines(lines, names);
      this.order = order;
      this.names = names;
      this.movements = movements;
      this.hasMore = hasMore;
      this.isMissing = false;
      this.trouble = undefined;
    } catch (error) {
      if (!isNow()) return;
      this.isMissing = ConnectError.from(error).code === Code.NotFound;
      return this.trouble = this.isMissing ? undefined : sayTrouble(error);
    }
  }

  /** The newest, as many as are wanted: what came meanwhile is before them. */
  async #readMovements(orderId: string) {
    const wanted = this.#wanted;
    const movements: ListedMovement[] = [];
    let pageToken = "";
    do {
      const ask = { orderId, sort: TimeSort.NEWEST_FIRST, pageSize: PAGE_ROWS, pageToken };
      const page = await this.link.query.listMovements(ask);
      movements.push(...page.movements);
      pageToken = page.nextPageToken;
    } while (pageToken !== "" && movements.length < wanted);
    return { movements, hasMore: pageToken !== "" };
  }

  readonly #more = () => {
    // As many as are there: a click before the last one's rows are wants no more than that.
    this.#wanted = Math.min(this.movements.length + PAGE_ROWS, MOVEMENTS_MAX);
    void this.#pacer.now();
  };

  override render() {
    const words = wordsOf(ORDERS);
    const forms = wordsOf(FORMS);
    const { order } = this;
    return html`
      <div class="page">
        <a href="/orders">← ${words.all}</a>
        <div class="row">
          <h1>${words.order(this.orderId)}</h1>
          ${order === undefined ? nothing : stateBadge(stateAt(order, this.nowMs))}
        </div>
        <div role="alert">
          ${this.trouble === undefined ? nothing : html`
            ${troubleNote(this.trouble)} <button class="small" @click=${() => this.#pacer.ask()}>${forms.retry}</button>
          `}
        </div>
        ${this.isMissing
          ? html`<p>${words.noOrder(this.orderId)} <span class="muted">${words.noOrderHint}</span></p>`
          : order === undefined
          ? this.trouble === undefined ? html`<p class="muted" role="status">${forms.loading}</p>` : nothing
          : this.#order(order)}
        ${this.action === undefined || order === undefined ? nothing : html`
          <hf-order-action
            .link=${this.link}
            .order=${order}
            .what=${this.action}
            @closed=${() => this.action = undefined}
            .reread=${() => this.#pacer.now()}
          ></hf-order-action>
        `}
      </div>
    `;
  }

  #order(order: Order) {
    const words = wordsOf(ORDERS);
    const { time } = formats();
    const endsMs = order.expiresAt === undefined ? undefined : writtenMs({ at: order.expiresAt });
    const isLive = stateAt(order, this.nowMs) === order.state && ACTIONS[order.state].includes("extend");
    return html`
      <section class="card" aria-labelledby="lines">
        <p>
          ${words.buyer}: ${order.buyerId === "" ? words.nobody : order.buyerId} · ${words.created}:
          ${time(writtenMs({ at: order.createdAt }))}
          ${endsMs === undefined ? nothing : html`
            · ${words.expires}: ${time(endsMs)}
            ${isLive
              ? html`(<span class="num" id="left">${words.left(leftText(endsMs - this.nowMs))}</span>)`
              : nothing}
          `}
        </p>
        <h2 id="lines">${words.lines}</h2>
        ${this.#lines(order)} ${this.#actions(order)}
      </section>
      <section class="card" aria-labelledby="movements">
        <h2 id="movements">${words.movements}</h2>
        ${this.movements.length === 0
          ? html`<p class="muted">${words.noMovements}</p>`
          : movementsTable(this.movements, this.names)}
        ${!this.hasMore
          ? nothing
          : this.movements.length >= MOVEMENTS_MAX
          ? html`<p class="muted">${words.movementsBound(formats().number(MOVEMENTS_MAX))}</p>`
          : html`<div><button @click=${this.#more}>${wordsOf(FORMS).more}</button></div>`}
      </section>
    `;
  }

  #lines({ lines, expiresAt }: Order) {
    const words = wordsOf(ORDERS);
    const { number } = formats();
    const wasHold = expiresAt !== undefined;
    return html`
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${words.goods}</th>
              <th scope="col" class="num">${words.asked}</th>
              <th scope="col" class="num">${words.num}</th>
              ${wasHold ? html`<th scope="col" class="num">${words.held}</th>` : nothing}
              <th scope="col" class="num">${words.returned}</th>
            </tr>
          </thead>
          <tbody>
            ${lines.map((line) =>
              html`
                <tr>
                  <td><a href="/goods/${line.goodsId}?location=${line.locationId}">${lineText(line)}</a></td>
                  <td class="num">${number(line.asked)}</td>
                  <td class="num">${number(line.num)}</td>
                  ${wasHold ? html`<td class="num">${number(line.held)}</td>` : nothing}
                  <td class="num">${number(line.returned)}</td>
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  #actions(order: Order) {
    const words = wordsOf(ORDERS);
    const actions = ACTIONS[stateAt(order, this.nowMs)];
    if (!this.link.may("seller")) return html`<p class="muted">${words.mayNotSell}</p>`;
    if (actions.length === 0) return nothing;
    return html`
      <div class="row" role="group" aria-label=${words.actions}>
        ${actions.map((action) =>
          html`
            <button
              class=${action === "release" || action === "rollback" ? "danger" : ""}
              @click=${() => this.action = action}
            >
              ${words.does[action]}
            </button>
          `
        )}
      </div>
    `;
  }
}

customElements.define("hf-one-order", OneOrder);
