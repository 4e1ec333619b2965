/**
 * A dialog that asks before something is done: the browser's own modal dialog, which keeps the focus inside, closes by
 * Esc and gives the focus back. Whoever opens it adds the element, and takes it away when it says "closed".
 */
import { css, html, nothing, type TemplateResult } from "lit";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import { ConsoleElement } from "./console_element.ts";
import { LOOK } from "./look.ts";
import { closeModal, showModal } from "./modal_dialogs.ts";

/** A dialog around one form. */
export abstract class DialogElement extends ConsoleElement {
  static override styles = [
    LOOK,
    css`
      dialog {
        width: min(560px, calc(100vw - 24px));
        max-height: calc(100dvh - 24px);
        padding: 0;
        color: var(--text);
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 10px;
        box-shadow: var(--shadow);
      }
      dialog::backdrop {
        background: var(--shade);
      }
      form {
        display: grid;
        gap: 16px;
        padding: 20px;
      }
      .fields {
        display: grid;
        gap: 12px;
      }
      .two {
        display: grid;
        gap: 12px;
        grid-template-columns: repeat(auto-fit, minmax(200px, 1fr));
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
      }
      .scroll :is(th, td) {
        white-space: normal;
      }
      ul {
        margin: 4px 0 0;
        padding-inline-start: 20px;
      }
    `,
  ];

  /** What it is about. */
  protected abstract heading(): string;
  /** Its fields and what it says. */
  protected abstract body(): TemplateResult;
  /** The button that does it; undefined: there is nothing to do, and only "close". */
  protected abstract action(): { readonly label: string; readonly isDanger?: boolean } | undefined;
  /** The form was sent. */
  protected abstract submitted(): void;
  /** Nothing can be sent or closed at the moment. */
  protected get isBusy(): boolean {
    return false;
  }

  override firstUpdated(): void {
    const dialog = this.#dialog;
    showModal(dialog, () => this.dispatchEvent(new Event("closed")));
    const first = dialog.querySelector<HTMLElement>("[autofocus]") ?? dialog.querySelector("input, select, button");
    (first as HTMLElement | null)?.focus();
  }

  /** Closes it. */
  close(): void {
    closeModal(this.#dialog);
  }

  get #dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog") as HTMLDialogElement;
  }

  override render() {
    const words = wordsOf(FORMS);
    const action = this.action();
    return html`
      <dialog
        aria-labelledby="heading"
        @cancel=${(event: Event) => this.isBusy && event.preventDefault()}
      >
        <form
          novalidate
          @submit=${(event: Event) => {
            event.preventDefault();
            if (!this.isBusy) this.submitted();
          }}
        >
          <h2 id="heading">${this.heading()}</h2>
          ${this.body()}
          <div class="actions">
            <button type="button" ?disabled=${this.isBusy} @click=${() => this.close()}>
              ${action === undefined ? words.close : words.cancel}
            </button>
            ${action === undefined ? nothing : html`
              <button type="submit" class=${action.isDanger === true ? "danger" : "primary"} ?disabled=${this.isBusy}>
                ${this.isBusy ? words.working : action.label}
              </button>
            `}
          </div>
        </form>
      </dialog>
    `;
  }
}
