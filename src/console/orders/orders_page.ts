/** The page. */
import { html } from "lit";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";

/** `<hf-orders>` */
export class OrdersPage extends PageElement {
  static override styles = [LOOK];

  override render() {
    return html`<h1>Orders</h1>`;
  }
}

customElements.define("hf-orders", OrdersPage);
