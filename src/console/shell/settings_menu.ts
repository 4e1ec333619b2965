/** What the reader sets: colours and language, and with which key the page calls. */
import { css, html, nothing } from "lit";
import type { WhoAmIResponse } from "../../gen/inventory/v1/system_pb.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { type Language, language, LANGUAGES, setLanguage, wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";
import { chosenTheme, setTheme, type Theme, THEMES } from "./theme.ts";

const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

/** `<hf-settings .caller=${…} .hasKey=${…} @change-key=${…} @sign-out=${…} @shortcuts=${…}>` */
export class SettingsMenu extends ConsoleElement {
  static override properties = { caller: { attribute: false }, hasKey: { attribute: false } };
  static override styles = [
    LOOK,
    css`
      :host {
        position: relative;
      }
      [popover] {
        position: fixed;
        inset: 48px 12px auto auto;
        margin: 0;
        width: min(300px, calc(100vw - 24px));
        padding: 16px;
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--raised);
        color: var(--text);
        box-shadow: var(--shadow);
      }
      [popover]:popover-open {
        display: grid;
        gap: 16px;
      }
      label {
        display: grid;
        gap: 4px;
      }
      label span,
      dt {
        color: var(--muted);
        font-size: 12px;
      }
      dl {
        margin: 0;
        display: grid;
        gap: 2px;
      }
      dd {
        margin: 0 0 8px;
        overflow-wrap: anywhere;
      }
      .buttons {
        display: grid;
        gap: 8px;
      }
    `,
  ];

  declare caller: WhoAmIResponse | undefined;
  declare hasKey: boolean;

  constructor() {
    super();
    this.caller = undefined;
    this.hasKey = false;
  }

  override render() {
    const words = wordsOf(SHELL);
    return html`
      <button class="quiet" popovertarget="menu">${words.settings}</button>
      <div id="menu" popover>
        ${this.#who()}
        <label>
          <span>${words.theme}</span>
          <select id="theme" @change=${this.#setTheme}>
            ${THEMES.map((theme) =>
              html`<option value=${theme} ?selected=${theme === chosenTheme()}>${words.themes[theme]}</option>`
            )}
          </select>
        </label>
        <label>
          <span>${words.language}</span>
          <select id="language" @change=${this.#setLanguage}>
            ${LANGUAGES.map((each) =>
              html`<option value=${each} lang=${each} ?selected=${each === language()}>${LANGUAGE_NAMES[each]}</option>`
            )}
          </select>
        </label>
        <div class="buttons">
          <button @click=${() => this.#say("shortcuts")}>${words.shortcuts} <kbd>?</kbd></button>
          <button @click=${() => this.#say("change-key")}>${this.hasKey ? words.changeKey : words.useKey}</button>
          ${this.hasKey ? html`<button @click=${() => this.#say("sign-out")}>${words.signOut}</button>` : nothing}
        </div>
      </div>
    `;
  }

  #who() {
    const words = wordsOf(SHELL);
    if (this.caller === undefined) return nothing;
    const { name, kind, rights, version } = this.caller;
    return html`
      <dl>
        <dt>${words.caller}</dt>
        <dd>${kind === "" ? words.anybody : name}</dd>
        ${kind === "" ? nothing : html`
          <dt>${words.rights}</dt>
          <dd>${rights.join(", ")}</dd>
        `}
        <dt>${words.version}</dt>
        <dd>Holdfast ${version}</dd>
      </dl>
    `;
  }

  #setTheme = (event: Event) => setTheme((event.target as HTMLSelectElement).value as Theme);
  #setLanguage = (event: Event) => setLanguage((event.target as HTMLSelectElement).value as Language);

  #say(what: string): void {
    this.renderRoot.querySelector<HTMLElement>("#menu")!.hidePopover();
    this.dispatchEvent(new Event(what));
  }
}

customElements.define("hf-settings", SettingsMenu);
