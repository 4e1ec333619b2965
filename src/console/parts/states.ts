/** What a page shows in place of what it has not: still reading, nothing there, an error, or no right to look. */
import { html, type TemplateResult } from "lit";
import { wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";
import { sayTrouble } from "./speech.ts";

/** It is being read. */
export function loading(): TemplateResult {
  return html`<p class="muted state" role="status">${wordsOf(SHELL).loading}</p>`;
}

/** Nothing is there; `hint` says what could be done. */
export function empty(text: string, hint: unknown = ""): TemplateResult {
  return html`
    <div class="state">
      <p>${text}</p>
      <p class="muted">${hint}</p>
    </div>
  `;
}

/** It could not be read. `again` does it once more. */
export function failed(error: unknown, again: () => void): TemplateResult {
  const { text, lines } = sayTrouble(error);
  return html`
    <div class="note bad" role="alert">
      <p>${text}</p>
      ${lines.length === 0 ? "" : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`}
      <p><button class="small" @click=${again}>${wordsOf(SHELL).again}</button></p>
    </div>
  `;
}

/** The key does not have this right. */
export function noRight(right: string): TemplateResult {
  return html`
    <div class="note warn">
      <p>${wordsOf(SHELL).noRight(right)}</p>
    </div>
  `;
}
