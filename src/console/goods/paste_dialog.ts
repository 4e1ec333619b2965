/** Where a list is pasted by those who have no keyboard for it, or want to look at it first. */
import { css, html } from "lit";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { closeModal, showModal } from "../parts/modal_dialogs.ts";
import * as GOODS from "../words/goods.ts";
import { wordsOf } from "../words/language.ts";
import { CHARACTERS_MAX } from "./sheet_cells.ts";

/** `<hf-paste-dialog>`; a `text` event has what is to be taken in. */
export class PasteDialog extends ConsoleElement {
  static override styles = [
    LOOK,
    css`
      dialog {
        width: min(560px, calc(100vw - 32px));
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--raised);
        color: var(--text);
        box-shadow: var(--shadow);
        padding: 16px;
      }
      dialog::backdrop {
        background: var(--shade);
      }
      form {
        display: flex;
        flex-direction: column;
        gap: 12px;
      }
      textarea {
        width: 100%;
        min-height: 220px;
        font: 12px/18px var(--mono);
      }
      .end {
        justify-content: flex-end;
      }
    `,
  ];

  /** Opens it, empty. */
  open(): void {
    this.#text().value = "";
    showModal(this.#dialog());
  }

  override render() {
    const words = wordsOf(GOODS);
    return html`
      <dialog aria-labelledby="title" aria-describedby="hint">
        <form method="dialog" @submit=${this.#submitted}>
          <h2 id="title">${words.pasteList}</h2>
          <p id="hint" class="muted">${words.pasteHint}</p>
          <label>
            <span class="visually-hidden">${words.pasteHere}</span>
            <textarea maxlength=${CHARACTERS_MAX} spellcheck="false"></textarea>
          </label>
          <div class="row end">
            <button type="button" @click=${() => closeModal(this.#dialog())}>${words.cancel}</button>
            <button class="primary">${words.take}</button>
          </div>
        </form>
      </dialog>
    `;
  }

  readonly #submitted = () => {
    this.dispatchEvent(new CustomEvent("text", { detail: this.#text().value }));
  };

  #dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog")!;
  }

  #text(): HTMLTextAreaElement {
    return this.renderRoot.querySelector("textarea")!;
  }
}

customElements.define("hf-paste-dialog", PasteDialog);
