/** The frame around the pages: where to go, and the page of the address. */
import { css, html, nothing } from "lit";
import "../goods/goods_page.ts";
import "../one_goods/one_goods_page.ts";
import "../orders/orders_page.ts";
import "../system/system_page.ts";
import { storedKey } from "../link/credentials.ts";
import { type Link, openLink } from "../link/link.ts";
import { wireOf } from "../link/transport.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";
import type { PageName, Route } from "./route.ts";
import { currentRoute, followHistory, followLinks, onRoute } from "./router.ts";

const PLACES = ["goods", "orders", "system"] as const;
const PLACE_OF: Readonly<Record<PageName, typeof PLACES[number]>> = {
  goods: "goods",
  one_goods: "goods",
  orders: "orders",
  order: "orders",
  system: "system",
};

/** `<hf-console>` */
export class ConsoleFrame extends ConsoleElement {
  static override properties = { route: { state: true }, link: { state: true } };
  static override styles = [
    LOOK,
    css`
      :host {
        min-height: 100vh;
      }
      header {
        display: flex;
        gap: 16px;
        padding: 8px 16px;
        border-bottom: 1px solid var(--line);
      }
      main {
        padding: 16px;
      }
    `,
  ];

  declare route: Route;
  declare link: Link | undefined;

  constructor() {
    super();
    this.route = currentRoute();
    followHistory();
    onRoute((route) => this.route = route);
  }

  override firstUpdated(): void {
    followLinks(this.renderRoot);
    void this.#open();
  }

  async #open(): Promise<void> {
    this.link = await openLink({ baseUrl: location.origin, wire: wireOf(this.route.query), key: storedKey() });
  }

  override render() {
    const words = wordsOf(SHELL);
    return html`
      <a class="visually-hidden" href="#main">${words.skip}</a>
      <header>
        <nav aria-label=${words.pages} class="row">
          ${PLACES.map((place) =>
            html`
              <a href="/${place}" aria-current=${PLACE_OF[this.route.page] === place
                ? "page"
                : nothing}>${words[place]}</a>
            `
          )}
        </nav>
      </header>
      <main id="main" tabindex="-1">${this.link === undefined ? nothing : this.#page(this.link)}</main>
    `;
  }

  #page(link: Link) {
    switch (this.route.page) {
      case "goods":
        return html`<hf-goods .link=${link} .route=${this.route}></hf-goods>`;
      case "one_goods":
        return html`<hf-one-goods .link=${link} .route=${this.route}></hf-one-goods>`;
      case "orders":
      case "order":
        return html`<hf-orders .link=${link} .route=${this.route}></hf-orders>`;
      case "system":
        return html`<hf-system .link=${link} .route=${this.route}></hf-system>`;
    }
  }
}

customElements.define("hf-console", ConsoleFrame);
