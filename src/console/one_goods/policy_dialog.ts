/** Sets what sales are bound by. */
import { equals } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { html, type PropertyValues } from "lit";
import { CurrentLevelSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import { type Policy, PolicySchema } from "../../gen/inventory/v1/stock_pb.ts";
import { attributionOf, isRightAttribution } from "../parts/attribution.ts";
import { textField } from "../parts/fields.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { PlaceDialog } from "./place_dialog.ts";
import { draftOf, POLICY_FIELDS, type PolicyDraft, policyOf, readDraft, TIMES } from "./policy_draft.ts";
import { previewPolicy } from "./preview.ts";

/** Sales that come between are no conflict of policies: it is sent again as often as this. */
const SENDS_MAX = 5;

/** `<hf-policy-dialog>` */
export class PolicyDialog extends PlaceDialog {
  static override properties = { ...PlaceDialog.properties, draft: { state: true }, theirs: { state: true } };

  declare draft: PolicyDraft;
  /** What somebody else has set meanwhile. */
  declare theirs: PolicyDraft | undefined;
  #seen: Policy | undefined;

  constructor() {
    super();
    this.draft = draftOf(undefined);
  }

  override willUpdate(changed: PropertyValues): void {
    if (!this.hasUpdated) {
      this.#seen = this.place.policy;
      this.draft = draftOf(this.#seen);
    }
    super.willUpdate(changed);
  }

  protected override heading(): string {
    return wordsOf(ONE_GOODS).policyTitle(this.name);
  }

  protected override action() {
    return { label: wordsOf(ONE_GOODS).policy };
  }

  protected override isRight(): boolean {
    return policyOf(this.draft) !== undefined && isRightAttribution(this.why);
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ONE_GOODS);
    const { goodsId, locationId } = this.place;
    const policy = policyOf(this.draft);
    for (let sent = 1;; sent++) {
      try {
        const { replayed } = await this.link.stock.setPolicy({
          ...{ goodsId, locationId, ...(policy === undefined ? {} : { policy }) },
          expectedVersion: this.expectedVersion,
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
    const { policy } = await this.link.stock.getPolicy({ goodsId, locationId });
    const before = this.#seen;
    this.#seen = policy;
    const isSame = policy !== undefined && before !== undefined && equals(PolicySchema, policy, before);
    if (!isSame) this.theirs = draftOf(policy);
    else this.seen = { ...this.seen, version: Number(current.version) };
    return isSame;
  }

  protected override body() {
    const words = wordsOf(ONE_GOODS);
    const read = readDraft(this.draft);
    const policy = policyOf(this.draft);
    return html`
      ${this.notes()}
      <div class="two">
        ${POLICY_FIELDS.map((field) =>
          textField({
            id: field,
            label: words.policyFields[field],
            value: this.draft[field],
            kind: TIMES.has(field) ? "text" : "number",
            ...(this.theirs === undefined || this.theirs[field] === this.draft[field]
              ? {}
              : { hint: words.nowIs(this.theirs[field] === "" ? "–" : this.theirs[field]) }),
            isFirst: field === "safetyStock",
            isDuration: TIMES.has(field),
            read: read[field],
            isChecked: this.isChecked,
            onInput: (text) => this.draft = { ...this.draft, [field]: text },
          })
        )}
      </div>
      ${this.preview(policy === undefined ? undefined : previewPolicy(this.seen, policy))} ${this.whyFields()}
    `;
  }
}

customElements.define("hf-policy-dialog", PolicyDialog);
