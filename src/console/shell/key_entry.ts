/** Where a key or a token is typed in. */
import { css, html, nothing } from "lit";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";

/** Dispatched as `key` when one was typed in. */
export interface TypedKey {
  readonly key: string;
  readonly remember: boolean;
}

/** What a header takes. */
const VISIBLE_ASCII = /^[!-~]+$/;

/** `<hf-key-entry .isRefused=${…} @key=${…}>` */
export class KeyEntry extends ConsoleElement {
  static override properties = { isRefused: { attribute: false }, problem: { state: true }, shows: { state: true } };
  static override styles = [
    LOOK,
    css`
      :host {
        display: grid;
        place-items: center;
        padding: 48px 16px;
      }
      form {
        width: min(420px, 100%);
        display: grid;
        gap: 16px;
      }
      label {
        display: grid;
        gap: 4px;
        font-weight: 500;
      }
      .field {
        display: flex;
        gap: 8px;
        margin-top: 4px;
      }
      .field input {
        flex: 1;
        min-width: 0;
        font-family: var(--mono);
      }
      .check {
        grid-template-columns: auto 1fr;
        align-items: start;
        gap: 2px 8px;
        font-weight: 400;
      }
      .check span {
        grid-column: 2;
      }
      .problem {
        color: var(--bad);
      }
    `,
  ];

  declare isRefused: boolean;
  declare problem: string;
  declare shows: boolean;

  constructor() {
    super();
    this.isRefused = false;
    this.problem = "";
    this.shows = false;
  }

  override firstUpdated(): void {
    this.#field.focus();
  }

  get #field(): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>("#key")!;
  }

  override render() {
    const words = wordsOf(SHELL);
    const problem = this.problem || (this.isRefused ? words.badKey : "");
    return html`
      <form class="card" @submit=${this.#submit} aria-labelledby="heading" novalidate>
        <h1 id="heading">${words.keyHeading}</h1>
        <p class="muted">${words.keyHint}</p>
        <div>
          <label for="key">${words.key}</label>
          <div class="field">
            <input
              id="key"
              type=${this.shows ? "text" : "password"}
              autocomplete="current-password"
              spellcheck="false"
              autocapitalize="off"
              aria-invalid=${problem === "" ? nothing : "true"}
              aria-describedby=${problem === "" ? nothing : "problem"}
            >
            <button
              type="button"
              aria-pressed=${this.shows ? "true" : "false"}
              @click=${() => this.shows = !this.shows}
            >
              ${words.show}
            </button>
          </div>
        </div>
        ${problem === "" ? nothing : html`<p id="problem" class="problem" role="alert">${problem}</p>`}
        <label class="check">
          <input id="remember" type="checkbox">
          ${words.remember}
          <span class="muted">${words.rememberHint}</span>
        </label>
        <button class="primary">${words.signIn}</button>
      </form>
    `;
  }

  #submit = (event: SubmitEvent) => {
    event.preventDefault();
    const words = wordsOf(SHELL);
    const key = this.#field.value.trim().replace(/^bearer\s+/i, "");
    this.problem = key === "" ? words.noKey : VISIBLE_ASCII.test(key) ? "" : words.oddKey;
    if (this.problem !== "") return this.#field.focus();
    const remember = this.renderRoot.querySelector<HTMLInputElement>("#remember")!.checked;
    this.dispatchEvent(new CustomEvent<TypedKey>("key", { detail: { key, remember } }));
  };
}

customElements.define("hf-key-entry", KeyEntry);
