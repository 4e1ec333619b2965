/** What has happened to a place: who, why, by which order; filtered, live, and as a file. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { css, html, nothing, type PropertyValues } from "lit";
import { type ListedMovement, MovementKind } from "../../gen/inventory/v1/query_pb.ts";
import type { Link } from "../link/link.ts";
import { readReasons, type ReasonChoice } from "../parts/attribution.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { dayStartMs } from "../parts/days.ts";
import { saveText } from "../parts/download.ts";
import { choiceField, textField } from "../parts/fields.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import { showToast } from "../parts/toast.ts";
import type { Trouble } from "../parts/trouble.ts";
import { language, wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as LEDGER from "../words/ledger.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { type HistoryFilter, kindName, KINDS, NO_FILTER } from "./goods_url.ts";
import { historyCsv } from "./history_csv.ts";
import { MOVEMENTS_LOOK, movementsTable } from "./movements_table.ts";

const PAGE_ROWS = 100;
/** Rows that are shown at most; a file has more. */
const ROWS_MAX = 2000;
const EXPORT_PAGE_ROWS = 1000;
const READ_PAUSE_MS = 2000;

/** `<hf-goods-history>`; "filter" says that its reader has chosen another one. */
export class GoodsHistory extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    goodsId: { attribute: false },
    locationId: { attribute: false },
    filter: { attribute: false },
    version: { attribute: false },
    rows: { state: true },
    next: { state: true },
    trouble: { state: true },
    reasons: { state: true },
    exported: { state: true },
  };
  static override styles = [
    LOOK,
    FORM_LOOK,
    MOVEMENTS_LOOK,
    css`
      section {
        display: grid;
        gap: 12px;
        grid-template-columns: minmax(0, 1fr);
      }
      .filters {
        display: grid;
        gap: 12px;
        grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
        align-items: end;
      }
    `,
  ];

  declare link: Link;
  declare goodsId: number;
  declare locationId: number;
  declare filter: HistoryFilter;
  declare version: bigint;
  /** By version, the newest first; undefined: nothing was read yet. */
  declare rows: readonly ListedMovement[] | undefined;
  /** Where older rows go on; empty: nowhere. */
  declare next: string;
  declare trouble: Trouble | undefined;
  declare reasons: readonly ReasonChoice[];
  /** Rows that a file has that is being made. */
  declare exported: number | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  readonly #pacer = new Pacer(() => this.#readNew(), READ_PAUSE_MS);

  constructor() {
    super();
    this.filter = NO_FILTER;
    this.next = "";
    this.reasons = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#pacer.ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#typing);
    this.#pacer.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!this.hasUpdated) void readReasons(this.link).then((reasons) => this.reasons = reasons);
    const isOther = changed.has("goodsId") || changed.has("locationId") ||
      (changed.has("filter") && JSON.stringify(changed.get("filter")) !== JSON.stringify(this.filter));
    if (isOther) {
      this.rows = undefined;
      // A token of another list is none of this one, and what went wrong with that says nothing of this.
      this.next = "";
      this.trouble = undefined;
    }
    if (isOther || changed.has("version")) this.#pacer.ask();
  }

  /** Which list it is; the requests themselves can't be compared as JSON, which has no word for their bigints. */
  get #asked(): string {
    return JSON.stringify([this.goodsId, this.locationId, this.filter]);
  }

  get #request() {
    const { goodsId, locationId, filter } = this;
    return {
      ...{ goodsId, locationId },
      ...{ actor: filter.actor, reason: filter.reason, kinds: [...filter.kinds] },
      ...(filter.since === undefined ? {} : { since: timestampFromMs(dayStartMs(filter.since)) }),
      ...(filter.until === undefined ? {} : { until: timestampFromMs(dayStartMs(filter.until, 1)) }),
    };
  }

  /** The newest page, before what is shown; where that is too far away, all begins anew. */
  async #readNew(): Promise<Trouble | void> {
    const asked = this.#asked;
    try {
      const { movements, nextPageToken } = await this.link.query.listMovements({
        ...this.#request,
        pageSize: PAGE_ROWS,
      });
      if (this.#asked !== asked) return this.#pacer.ask();
      const oldest = movements.at(-1)?.version ?? 0n;
      const known = this.rows ?? [];
      const meets = known.length > 0 && oldest <= (known[0]?.version ?? 0n);
      this.rows = meets ? joined(movements, known).slice(0, ROWS_MAX) : movements;
      if (!meets) this.next = nextPageToken;
      this.trouble = undefined;
    } catch (error) {
      if (this.#asked === asked) return this.trouble = sayTrouble(error);
    }
  }

  async #readOlder(): Promise<void> {
    const asked = this.#asked;
    const { next } = this;
    try {
      const { movements, nextPageToken } = await this.link.query.listMovements({
        ...this.#request,
        pageSize: PAGE_ROWS,
        pageToken: next,
      });
      // Another filter, or a list that begins anew, has rows of its own.
      if (this.#asked !== asked || this.next !== next) return;
      this.rows = joined(this.rows ?? [], movements).slice(0, ROWS_MAX);
      this.next = nextPageToken;
      this.trouble = undefined;
    } catch (error) {
      if (this.#asked === asked) this.trouble = sayTrouble(error);
    }
  }

  /** Of the list as it was when it was asked for, whatever is chosen while they are read. */
  async *#pages(request = this.#request): AsyncGenerator<ListedMovement[]> {
    let pageToken = "";
    do {
      const page = await this.link.query.listMovements({ ...request, pageSize: EXPORT_PAGE_ROWS, pageToken });
      yield page.movements;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  async #export(): Promise<void> {
    const words = wordsOf(ONE_GOODS);
    const name = `goods-${this.goodsId}-location-${this.locationId}.csv`;
    const parts: string[] = [];
    this.exported = 0;
    let isCut = false;
    try {
      for await (const part of historyCsv(this.#pages())) {
        parts.push(part.text);
        this.exported = part.rows;
        isCut = part.isCut;
      }
      saveText(parts, name, "text/csv");
      const rows = formats().number(this.exported);
      showToast(isCut ? words.exportedPart(rows) : words.exported(rows));
    } catch (error) {
      this.trouble = sayTrouble(error);
    } finally {
      this.exported = undefined;
    }
  }

  #choose(part: Partial<Record<keyof HistoryFilter, unknown>>): void {
    const filter = Object.fromEntries(
      Object.entries({ ...this.filter, ...part }).filter(([, value]) => value !== undefined),
    );
    this.dispatchEvent(new CustomEvent("filter", { detail: filter }));
  }

  override render() {
    const words = wordsOf(ONE_GOODS);
    const forms = wordsOf(FORMS);
    return html`
      <section class="card" aria-labelledby="history">
        <div class="row">
          <h2 id="history" class="grow">${words.history}</h2>
          <button class="small" ?disabled=${this.exported !== undefined} @click=${() => void this.#export()}>
            ${this.exported === undefined ? words.export : words.exporting(formats().number(this.exported))}
          </button>
        </div>
        ${this.#filters()} ${this.trouble === undefined ? nothing : troubleNote(this.trouble)}
        ${this.rows === undefined
          ? html`<p class="muted">${forms.loading}</p>`
          : this.rows.length === 0 && this.next === ""
          ? html`<p class="muted">${words.noHistory}</p>`
          : movementsTable(this.rows)}
        ${this.next === "" || (this.rows?.length ?? 0) >= ROWS_MAX
          ? nothing
          : html`<div><button @click=${() => void this.#readOlder()}>${forms.more}</button></div>`}
      </section>
    `;
  }

  #filters() {
    const words = wordsOf(ONE_GOODS);
    const forms = wordsOf(FORMS);
    const { kinds } = LEDGER[language()];
    const { filter } = this;
    const typed = (part: Partial<Record<keyof HistoryFilter, unknown>>) => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#choose(part), 300);
    };
    return html`
      <div class="filters">
        ${textField({
          id: "actor",
          label: words.who,
          value: filter.actor,
          onInput: (actor) => typed({ actor: actor.trim() }),
        })} ${choiceField({
          id: "kind",
          label: words.kind,
          value: `${filter.kinds[0] ?? ""}`,
          choices: [
            ["", forms.any],
            ...KINDS.map((kind) => [`${kind}`, kinds[kindName(kind) as keyof typeof kinds]] as const),
          ],
          onInput: (kind) => this.#choose({ kinds: kind === "" ? [] : [Number(kind) as MovementKind] }),
        })} ${choiceField({
          id: "reason",
          label: words.reason,
          value: filter.reason,
          choices: [["", forms.any], ...this.reasons.map(([code]) => [code, code] as const)],
          onInput: (reason) => this.#choose({ reason }),
        })} ${textField({
          id: "since",
          label: forms.from,
          kind: "date",
          value: filter.since ?? "",
          onInput: (since) => this.#choose({ since: since === "" ? undefined : since }),
        })} ${textField({
          id: "until",
          label: forms.to,
          kind: "date",
          value: filter.until ?? "",
          onInput: (until) => this.#choose({ until: until === "" ? undefined : until }),
        })}
        <button class="quiet" @click=${() => this.#choose({ ...NO_FILTER, since: undefined, until: undefined })}>
          ${forms.clear}
        </button>
      </div>
    `;
  }
}

/** Each row once, the newest first. */
function joined(newer: readonly ListedMovement[], older: readonly ListedMovement[]): ListedMovement[] {
  const byVersion = new Map([...older, ...newer].map((row) => [row.version, row]));
  return [...byVersion.values()].sort((a, b) => a.version < b.version ? 1 : -1);
}

customElements.define("hf-goods-history", GoodsHistory);
