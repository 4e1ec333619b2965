/** The page. */
import { html } from "lit";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";

/** `<hf-one-goods>` */
export class OneGoodsPage extends PageElement {
  static override styles = [LOOK];

  override render() {
    return html`<h1>OneGoods</h1>`;
  }
}

customElements.define("hf-one-goods", OneGoodsPage);
