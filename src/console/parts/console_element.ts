/** What every element of the page is: it is drawn anew when the language changes. */
import { LitElement } from "lit";
import { onLanguage } from "../words/language.ts";

/** A custom element whose words follow the language. */
export class ConsoleElement extends LitElement {
  #stop: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onLanguage(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }
}
