/**
 * A dialog that asks the server to do something, once, however often it is sent.
 *
 *     editing --submit--> sending    what was typed is right by the rules of the page
 *     sending --done----> done       what shows it has read it anew: it closes, and a toast says what was done
 *     sending --refused-> editing    nothing was done: what was typed stays, and the trouble is said
 *     sending --unsure--> editing    it may be done: sent again under the same id it is done once
 */
import { html, nothing, type TemplateResult } from "lit";
import { invariant } from "./invariant.ts";
import type { Link } from "../link/link.ts";
import { DialogElement } from "./dialog_element.ts";
import { newId } from "./ids.ts";
import { sayTrouble } from "./speech.ts";
import { showToast } from "./toast.ts";
import type { Trouble } from "./trouble.ts";

/** See above. */
export abstract class OperationDialog extends DialogElement {
  static override properties = {
    link: { attribute: false },
    reread: { attribute: false },
    state: { state: true },
    trouble: { state: true },
    isChecked: { state: true },
  };

  declare link: Link;
  /**
   * Reads anew what it changes, for the page that shows it. Whoever goes on from there at once would else begin with
   * what was, and be refused for a change of their own.
   */
  declare reread: () => Promise<void>;
  declare state: "editing" | "sending" | "done";
  declare trouble: Trouble | undefined;
  /** It was sent once: from then on what is wrong is said beside its field. */
  declare isChecked: boolean;
  /** One for the whole dialog: whatever is sent from it is done once. */
  protected readonly operationId = newId();

  constructor() {
    super();
    this.reread = () => Promise.resolve();
    this.state = "editing";
    this.isChecked = false;
  }

  /** Whether all that was typed may be sent. */
  protected abstract isRight(): boolean;
  /** Does it, and answers what was done, for people. */
  protected abstract send(): Promise<string>;
  /** Hears of what stood in the way, before it is said. */
  protected refused(_trouble: Trouble): void {}

  protected override get isBusy(): boolean {
    return this.state === "sending";
  }

  protected override submitted(): void {
    invariant(this.state === "editing", `a dialog is sent that is ${this.state}`);
    this.isChecked = true;
    if (!this.isRight()) {
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    this.state = "sending";
    void this.#send();
  }

  async #send(): Promise<void> {
    try {
      const done = await this.send();
      await this.reread();
      this.state = "done";
      this.trouble = undefined;
      showToast(done);
      this.dispatchEvent(new Event("done"));
      this.close();
    } catch (error) {
      const trouble = sayTrouble(error);
      this.state = "editing";
      this.trouble = trouble;
      this.refused(trouble);
    }
  }

  /** What stood in the way, to stand in the body. */
  protected troubleNote(): TemplateResult {
    return html`<div role="alert">${this.trouble === undefined ? nothing : troubleNote(this.trouble)}</div>`;
  }
}

/** A trouble as a note. */
export function troubleNote({ text, lines, isUnsure }: Trouble): TemplateResult {
  return html`
    <div class="note ${isUnsure ? "warn" : "bad"}">
      ${text}${lines.length === 0 ? nothing : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`}
    </div>
  `;
}
