/** Short notes of what was done, which screen readers say and which go by themselves. */
import { css, html } from "lit";
import { ConsoleElement } from "./console_element.ts";
import { LOOK } from "./look.ts";

/** How long one stands, in ms, and how many at most. */
const STANDS_MS = 6000;
const TOASTS_MAX = 4;

/** `<hf-toasts>`; one on the page, made with the first note. */
export class Toasts extends ConsoleElement {
  static override properties = { texts: { state: true } };
  static override styles = [
    LOOK,
    css`
      :host {
        position: fixed;
        inset: auto 16px 16px auto;
        z-index: 10;
        max-width: calc(100vw - 32px);
        pointer-events: none;
      }
      .list {
        display: grid;
        gap: 8px;
      }
      .toast {
        background: var(--text);
        color: var(--page);
        border-radius: var(--radius);
        padding: 8px 12px;
        box-shadow: var(--shadow);
      }
    `,
  ];

  declare texts: readonly string[];

  constructor() {
    super();
    this.texts = [];
  }

  /** Shows one more. */
  add(text: string): void {
    this.texts = [...this.texts, text].slice(-TOASTS_MAX);
    setTimeout(() => this.texts = this.texts.filter((each) => each !== text), STANDS_MS);
  }

  override render() {
    return html`
      <div class="list" role="status">${this.texts.map((text) => html`<div class="toast">${text}</div>`)}</div>
    `;
  }
}

customElements.define("hf-toasts", Toasts);

/** Shows a note. */
export function showToast(text: string): void {
  let toasts = document.querySelector<Toasts>("hf-toasts");
  if (toasts === null) {
    toasts = document.createElement("hf-toasts") as Toasts;
    document.body.append(toasts);
  }
  toasts.add(text);
}
