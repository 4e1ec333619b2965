/**
 * Short notes at the edge of the page that go by themselves, and are read out. `showToast("Saved")` from anywhere; the
 * frame shows them.
 */
import { css, html, nothing } from "lit";
import { wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";
import { ConsoleElement } from "./console_element.ts";
import { LOOK } from "./look.ts";

/** A note. One that says the same takes its place, and is shown for its own time. */
interface Toast {
  readonly text: string;
}

const TOASTS_MAX = 4;
const SHOWN_MS = 6_000;
const said = new EventTarget();

/** Shows a note. */
export function showToast(text: string): void {
  said.dispatchEvent(new CustomEvent<Toast>("toast", { detail: { text } }));
}

/** `<hf-toasts>`: where they are shown. */
export class Toasts extends ConsoleElement {
  static override properties = { toasts: { state: true } };
  static override styles = [
    LOOK,
    css`
      :host {
        position: fixed;
        right: 16px;
        bottom: 16px;
        z-index: 20;
        display: grid;
        gap: 8px;
        max-width: min(420px,
          calc(100vw - 32px));
      }
      .toast {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 8px 8px 16px;
        border: 1px solid
          var(--line-strong);
        border-left: 3px solid var(--good);
        border-radius: 8px;
        background: var(--raised);
        box-shadow: var(--shadow);
      }
      .toast p {
        flex: 1;
        overflow-wrap: anywhere;
      }
      @media (max-width: 640px) {
        :host {
          bottom: 72px;
        }
      }
    `,
  ];

  declare toasts: readonly Toast[];

  constructor() {
    super();
    this.toasts = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    said.addEventListener("toast", this.#show);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    said.removeEventListener("toast", this.#show);
  }

  #show = (event: Event) => {
    const { detail } = event as CustomEvent<Toast>;
    // The same once more is the same.
    this.toasts = [...this.toasts.filter(({ text }) => text !== detail.text), detail].slice(-TOASTS_MAX);
    setTimeout(() => this.#close(detail), SHOWN_MS);
  };

  #close(toast: Toast): void {
    this.toasts = this.toasts.filter((each) => each !== toast);
  }

  override render() {
    const close = wordsOf(SHELL).close;
    return html`
      <div role="status" aria-live="polite">
        ${this.toasts.length === 0 ? nothing : this.toasts.map((each) =>
          html`
            <div class="toast">
              <p>${each.text}</p>
              <button class="quiet small" aria-label=${close} @click=${() => this.#close(each)}>✕</button>
            </div>
          `
        )}
      </div>
    `;
  }
}

customElements.define("hf-toasts", Toasts);
