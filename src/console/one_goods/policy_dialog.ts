/** Sets what sales are bound by. */
import { equals } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { html, nothing, type PropertyValues } from "lit";
import { CurrentLevelSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import { type Policy, PolicySchema } from "../../gen/inventory/v1/stock_pb.ts";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { textField } from "../parts/fields.ts";
import { sayTrouble } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { readPolicy } from "./place.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { draftOf, POLICY_FIELDS, type PolicyDraft, policyOf, readDraft, TIMES } from "./policy_draft.ts";
import { previewPolicy } from "./preview.ts";

/** Sales that come between are no conflict of policies: it is sent again as often as this. */
const SENDS_MAX = 5;

/** `<hf-policy-dialog>` */
export class PolicyDialog extends PlaceDialog {
  static override properties = { ...PlaceDialog.properties, draft: { state: true }, theirs: { state: true } };

  /** Undefined: the policy is not read yet. */
  declare draft: PolicyDraft | undefined;
  /** What somebody else has set meanwhile. */
  declare theirs: PolicyDraft | undefined;
  #seen: Policy | undefined;
  /** What was seen is the policy of this version, or of a later one; what is set after that has a later one yet. */
  #seenAt = 0n;

  override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!this.hasUpdated) void this.#begin();
  }

  /** Reads it anew, as numbers come to the page before their policy does. */
  async #begin(): Promise<void> {
    this.#seenAt = this.expectedVersion;
    try {
      this.#seen = await readPolicy(this.link, this.place.goodsId, this.place.locationId);
    } catch (error) {
      this.trouble = sayTrouble(error);
      return;
    }
    this.draft = draftOf(this.#seen);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("[autofocus]")?.focus();
  }

  protected override heading(): string {
    return wordsOf(ONE_GOODS).policyTitle(this.name);
  }

  protected override action() {
    return { label: wordsOf(ONE_GOODS).policy };
  }

  protected override isRight(): boolean {
    return this.draft !== undefined && policyOf(this.draft) !== undefined && isRightAttribution(this.why);
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    const { goodsId, locationId } = this.place;
    const policy = this.draft && policyOf(this.draft);
    for (let sent = 1;; sent++) {
      try {
        const { replayed } = await this.link.stock.setPolicy({
          ...{ goodsId, locationId, ...(policy === undefined ? {} : { policy }) },
          expectedVersion: this.#seenAt,
          ...attributionOf(this.why),
        });
        return replayed ? done.nothing() : done.policy();
      } catch (error) {
        if (sent === SENDS_MAX || !await this.#isAsSeen(error)) throw error;
      }
    }
  }

  /** The place has changed, and its policy is still the one that its reader saw; takes the new version then. */
  async #isAsSeen(error: unknown): Promise<boolean> {
    const refused = ConnectError.from(error);
    const [current] = refused.findDetails(CurrentLevelSchema);
    if (refused.code !== Code.Aborted || current === undefined) return false;
    const { goodsId, locationId } = this.place;
    this.#seenAt = current.version;
    const policy = await readPolicy(this.link, goodsId, locationId);
    const before = this.#seen;
    this.#seen = policy;
    const isSame = policy === undefined || before === undefined
      ? policy === before
      : equals(PolicySchema, policy, before);
    if (!isSame) this.theirs = draftOf(policy);
    return isSame;
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const { draft } = this;
    if (draft === undefined) {
      return html`${this.notes()}${
        this.trouble === undefined ? html`<p class="muted" role="status">${wordsOf(FORMS).loading}</p>` : nothing
      }`;
    }
    const read = readDraft(draft);
    const policy = policyOf(draft);
    return html`
      ${this.notes()}
      <div class="two">
        ${POLICY_FIELDS.map((field) =>
          textField({
            id: field,
            label: words.policyFields[field],
            value: draft[field],
            kind: TIMES.has(field) ? "text" : "number",
            ...(this.theirs === undefined || this.theirs[field] === draft[field]
              ? {}
              : { hint: words.nowIs(this.theirs[field] === "" ? "–" : this.theirs[field]) }),
            isFirst: field === "safetyStock",
            isDuration: TIMES.has(field),
            read: read[field],
            isChecked: this.isChecked,
            onInput: (text) => this.draft = { ...draft, [field]: text },
          })
        )}
      </div>
      ${this.preview(policy === undefined ? undefined : previewPolicy(this.seen, policy))} ${this.whyFields()}
    `;
  }
}

customElements.define("hf-policy-dialog", PolicyDialog);
