/** The keys that the page knows. */
import { css, html } from "lit";
import { DialogElement } from "../parts/dialog_element.ts";
import { wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";

/** `<hf-help @closed=${…}>` */
export class HelpDialog extends DialogElement {
  static override styles = [
    ...DialogElement.styles,
    css`
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 8px 16px;
        margin: 0;
      }
      dd {
        margin: 0;
      }
    `,
  ];

  protected heading() {
    return wordsOf(SHELL).shortcuts;
  }

  protected body() {
    return html`
      <dl>
        ${wordsOf(SHELL).keys.map(([keys, what]) =>
          html`
            <dt>${keys.split(" ").map((key) =>
              html`
                <kbd>${key}</kbd>
              `
            )}</dt>
            <dd>${what}</dd>
          `
        )}
      </dl>
    `;
  }

  protected action() {
    return undefined;
  }

  protected submitted() {
    this.close();
  }
}

customElements.define("hf-help", HelpDialog);
