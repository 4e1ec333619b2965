/** Fields of forms: each with its label, a hint, and what is wrong with it where that is to be said. */
import { html, nothing, type TemplateResult } from "lit";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import { durationText, isProblem, type Problem, type Read } from "./checks.ts";
import { formats } from "./speech.ts";

/** One line of text. */
export interface TextField {
  /** Unique in its element. */
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** What was read of it: a problem is shown where `isChecked`. */
  readonly read?: Read<unknown>;
  readonly isChecked?: boolean;
  readonly hint?: string;
  readonly kind?: "text" | "number" | "date";
  readonly isFirst?: boolean;
  /** The label is for screen readers alone, as the head of a column says it. */
  readonly isBare?: boolean;
  /** Bounds are times. */
  readonly isDuration?: boolean;
}

/** The field. */
export function textField(field: TextField): TemplateResult {
  const { id, label, value, read, isChecked = false, hint, kind = "text", isBare = false } = field;
  const problem = isChecked && read !== undefined && isProblem(read) ? problemText(read, field.isDuration) : undefined;
  const notes = [hint === undefined ? "" : `${id}-hint`, problem === undefined ? "" : `${id}-problem`].join(" ").trim();
  return html`
    <div>
      <label for=${id} class=${isBare ? "visually-hidden" : ""}>${label}</label>
      <input
        id=${id}
        class="wide ${kind === "number" ? "num" : ""}"
        type=${kind === "date" ? "date" : "text"}
        inputmode=${kind === "number" ? "numeric" : nothing}
        autocomplete="off"
        spellcheck="false"
        ?autofocus=${field.isFirst === true}
        .value=${value}
        aria-invalid=${problem === undefined ? nothing : "true"}
        aria-describedby=${notes === "" ? nothing : notes}
        @input=${(event: Event) => field.onInput((event.target as HTMLInputElement).value)}
      />
      ${hint === undefined ? nothing : html`<div id="${id}-hint" class="muted hint">${hint}</div>`}
      ${problem === undefined ? nothing : html`<div id="${id}-problem" class="problem">${problem}</div>`}
    </div>
  `;
}

/** One of several. */
export function choiceField(
  { id, label, value, choices, onInput }: {
    readonly id: string;
    readonly label: string;
    readonly value: string;
    readonly choices: readonly (readonly [value: string, label: string])[];
    readonly onInput: (value: string) => void;
  },
): TemplateResult {
  return html`
    <div>
      <label for=${id}>${label}</label>
      <select id=${id} class="wide" @change=${(event: Event) => onInput((event.target as HTMLSelectElement).value)}>
        ${choices.map(([each, text]) => html`<option value=${each} ?selected=${each === value}>${text}</option>`)}
      </select>
    </div>
  `;
}

/** Yes or no. */
export function checkField(
  { id, label, isOn, onInput }: {
    readonly id: string;
    readonly label: string;
    readonly isOn: boolean;
    readonly onInput: (isOn: boolean) => void;
  },
): TemplateResult {
  return html`
    <div class="row">
      <input
        id=${id}
        type="checkbox"
        .checked=${isOn}
        @change=${(event: Event) => onInput((event.target as HTMLInputElement).checked)}
      />
      <label for=${id} class="grow">${label}</label>
    </div>
  `;
}

/** What is wrong, in words. */
export function problemText({ problem, min = 0, max = 0 }: Problem, isDuration = false): string {
  const bound = (value: number) => isDuration ? durationText(value) : formats().number(value);
  return wordsOf(FORMS).problems[problem](bound(min), bound(max));
}
