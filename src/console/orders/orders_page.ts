/** The pages of orders: the list with its filters, shortfalls, and one order. */
import { css, html, nothing } from "lit";
import { choiceField, textField } from "../parts/fields.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";
import { navigate } from "../shell/router.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ORDERS from "../words/orders.ts";
import "./new_order_dialog.ts";
import type { NewOrderDialog } from "./new_order_dialog.ts";
import "./one_order.ts";
import "./order_list.ts";
import { stateText } from "./order_list.ts";
import { orderAddress, ordersAddress, type OrdersView, readOrdersView, STATES } from "./orders_url.ts";
import "./shortfalls.ts";

/** What the text that is looked for is. */
type FindBy = "order" | "buyer" | "goods";

/** `<hf-orders>` */
export class OrdersPage extends PageElement {
  static override properties = {
    ...PageElement.properties,
    findBy: { state: true },
    text: { state: true },
    isNew: { state: true },
  };
  static override styles = [
    LOOK,
    FORM_LOOK,
    css`
      .page {
        display: grid;
        gap: 16px;
        grid-template-columns: minmax(0, 1fr);
        max-width: 1280px;
        margin: 0 auto;
      }
      .filters {
        display: grid;
        gap: 12px;
        grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
        align-items: end;
      }
      .lists a[aria-current] {
        font-weight: 600;
        color: var(--text);
      }
    `,
  ];

  declare findBy: FindBy;
  declare text: string;
  declare isNew: boolean;

  constructor() {
    super();
    this.findBy = "order";
    this.text = "";
    this.isNew = false;
  }

  override focusSearch(): void {
    this.renderRoot.querySelector<HTMLInputElement>("#find")?.focus();
  }

  #go(part: Partial<Record<keyof OrdersView, unknown>>): void {
    const view = { ...readOrdersView(this.route.query), ...part };
    const known = Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
    navigate(ordersAddress(known as unknown as OrdersView));
  }

  #find(event: Event): void {
    event.preventDefault();
    const text = this.text.trim();
    if (text === "") return;
    if (this.findBy === "order") return navigate(orderAddress(text));
    this.#go({ list: "orders", buyer: "", goods: "", [this.findBy]: text });
  }

  override render() {
    const words = wordsOf(ORDERS);
    if (this.route.page === "order") {
      return html`
        <div class="page">
          <hf-one-order .link=${this.link} .orderId=${this.route.id}></hf-one-order>
        </div>
      `;
    }
    const view = readOrdersView(this.route.query);
    const current = (list: OrdersView["list"]) => view.list === list ? "page" : nothing;
    return html`
      <div class="page">
        <div class="row">
          <h1 class="grow">${words.orders}</h1>
          ${this.link.may("seller")
            ? html`<button class="primary" @click=${() => this.isNew = true}>${words.newOrder}</button>`
            : nothing}
        </div>
        ${this.link.may("seller") ? nothing : html`<p class="muted">${words.mayNotSell}</p>`}
        <nav class="row lists" aria-label=${words.orders}>
          <a href="/orders" aria-current=${current("orders")}>${words.all}</a>
          <a href="/orders?list=shortfalls" aria-current=${current("shortfalls")}>${words.shortfalls}</a>
        </nav>
        ${view.list === "shortfalls" ? html`<hf-shortfalls .link=${this.link}></hf-shortfalls>` : html`
          ${this.#filters(view)}
          <hf-order-list .link=${this.link} .view=${view}></hf-order-list>
        `}
        ${this.isNew
          ? html`
            <hf-new-order
              .link=${this.link}
              @closed=${() => this.isNew = false}
              @done=${(event: Event) => navigate(orderAddress((event.target as NewOrderDialog).orderId.trim()))}
            ></hf-new-order>
          `
          : nothing}
      </div>
    `;
  }

  #filters(view: OrdersView) {
    const words = wordsOf(ORDERS);
    const forms = wordsOf(FORMS);
    const isFiltered = ordersAddress(view) !== "/orders";
    return html`
      <form class="filters" role="search" @submit=${(event: Event) => this.#find(event)}>
        ${choiceField({
          id: "find-by",
          label: words.findBy,
          value: this.findBy,
          choices: (["order", "buyer", "goods"] as const).map((by) => [by, words.by[by]] as const),
          onInput: (by) => this.findBy = by as FindBy,
        })} ${textField({
          id: "find",
          label: words.by[this.findBy],
          value: this.text,
          onInput: (text) => this.text = text,
        })}
        <button type="submit">${words.go}</button>
        ${choiceField({
          id: "state",
          label: words.state,
          value: `${view.states[0] ?? ""}`,
          choices: [["", forms.any], ...STATES.map((state) => [`${state}`, stateText(state)] as const)],
          onInput: (state) => this.#go({ states: state === "" ? [] : [Number(state)] }),
        })} ${textField({
          id: "since",
          label: forms.from,
          kind: "date",
          value: view.since ?? "",
          onInput: (since) => this.#go({ since: since === "" ? undefined : since }),
        })} ${textField({
          id: "until",
          label: forms.to,
          kind: "date",
          value: view.until ?? "",
          onInput: (until) => this.#go({ until: until === "" ? undefined : until }),
        })}
      </form>
      ${isFiltered
        ? html`
          <div class="row">
            ${view.buyer === "" ? nothing : html`<span class="badge">${words.buyer}: ${view.buyer}</span>`}
            ${view.goods === "" ? nothing : html`<span class="badge">${words.goods}: ${view.goods}</span>`}
            <a class="button" href="/orders">${forms.clear}</a>
          </div>
        `
        : nothing}
    `;
  }
}

customElements.define("hf-orders", OrdersPage);
