/** The page of the system. */
import { html } from "lit";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";

/** `<hf-system>` */
export class SystemPage extends PageElement {
  static override styles = [LOOK];

  override render() {
    return html`<h1>System</h1>`;
  }
}

customElements.define("hf-system", SystemPage);
