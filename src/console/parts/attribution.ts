/** Why something is done and where more about it stands: two fields that most operations have. */
import { html, type TemplateResult } from "lit";
import type { Link } from "../link/link.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import { readDocument, valueOf } from "./checks.ts";
import { choiceField, textField } from "./fields.ts";

/** What is typed. */
export interface AttributionDraft {
  readonly reason: string;
  readonly document: string;
}

/** A reason of the shop: its code and what it means. */
export type ReasonChoice = readonly [code: string, description: string];

const reasonsOf = new WeakMap<Link, Promise<readonly ReasonChoice[]>>();

/** The shop's reasons, read once for all dialogs; none where they can't be read now. */
export async function readReasons(link: Link): Promise<readonly ReasonChoice[]> {
  let reading = reasonsOf.get(link);
  if (reading === undefined) {
    reading = link.goods.listReasons({}).then(({ reasons }) =>
      reasons.map(({ code, description }): ReasonChoice => [code, description])
    );
    reasonsOf.set(link, reading);
  }
  try {
    return await reading;
  } catch {
    reasonsOf.delete(link);
    return [];
  }
}

/** Whether it may be sent. */
export function isRightAttribution({ document }: AttributionDraft): boolean {
  return valueOf(readDocument(document)) !== undefined;
}

/** As requests have it. */
export function attributionOf({ reason, document }: AttributionDraft) {
  return { reason, documentUri: valueOf(readDocument(document)) ?? "" };
}

/** The fields. */
export function attributionFields(
  draft: AttributionDraft,
  reasons: readonly ReasonChoice[],
  isChecked: boolean,
  onInput: (draft: AttributionDraft) => void,
): TemplateResult {
  const words = wordsOf(FORMS);
  return html`
    <div class="two">
      ${choiceField({
        id: "reason",
        label: words.reason,
        value: draft.reason,
        choices: [["", words.noReason], ...reasons.map(([code, text]) => [code, `${code}: ${text}`] as const)],
        onInput: (reason) => onInput({ ...draft, reason }),
      })} ${textField({
        id: "document",
        label: words.document,
        value: draft.document,
        hint: words.documentHint,
        read: readDocument(draft.document),
        isChecked,
        onInput: (document) => onInput({ ...draft, document }),
      })}
    </div>
  `;
}
