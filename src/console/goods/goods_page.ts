/** The page. */
import { html } from "lit";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";

/** `<hf-goods>` */
export class GoodsPage extends PageElement {
  static override styles = [LOOK];

  override render() {
    return html`<h1>Goods</h1>`;
  }
}

customElements.define("hf-goods", GoodsPage);
