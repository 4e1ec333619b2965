/** Confirmations that found their hold expired and the stock gone, for somebody to see to. */
import { css, html, nothing } from "lit";
import { repeat } from "lit-html/directives/repeat.js";
import type { ShortfallRecord } from "../../gen/inventory/v1/holds_pb.ts";
import type { Link } from "../link/link.ts";
import { readResolution, valueOf } from "../parts/checks.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { textField } from "../parts/fields.ts";
import { FORM_LOOK } from "../parts/form_look.ts";
import { nameLines, readNames } from "../parts/goods_names.ts";
import { LOOK } from "../parts/look.ts";
import { OperationDialog, troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { writtenMs } from "../one_goods/level_reader.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ORDERS from "../words/orders.ts";
import { lineText } from "./action_dialog.ts";
import { orderAddress } from "./orders_url.ts";

const PAGE_ROWS = 50;
/** Rows of one call, where more pages than one are read anew; the server answers no more. */
const READ_ROWS = 200;
/** Shortfalls that are shown at most; the oldest first, so that the others come as these are resolved. */
const SHOWN_MAX = 500;
const READ_PAUSE_MS = 2000;

/** `<hf-shortfalls>` */
export class Shortfalls extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    rows: { state: true },
    wanted: { state: true },
    hasMore: { state: true },
    trouble: { state: true },
    asked: { state: true },
  };
  static override styles = [
    LOOK,
    css`
      ul {
        margin: 0;
        padding-inline-start: 16px;
      }
    `,
  ];

  declare link: Link;
  declare rows: readonly ShortfallRecord[] | undefined;
  declare wanted: number;
  declare hasMore: boolean;
  declare trouble: Trouble | undefined;
  /** What is to be resolved, as its reader saw it. */
  declare asked: ShortfallRecord | undefined;
  /** SKUs by goods id, which shortfalls don't know. */
  #names: ReadonlyMap<number, string> = new Map();
  readonly #pacer = new Pacer(() => this.#read(), READ_PAUSE_MS);

  constructor() {
    super();
    this.wanted = PAGE_ROWS;
    this.hasMore = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#pacer.ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#pacer.stop();
  }

  /** All that are wanted, from the first: where one was resolved meanwhile, those behind it are elsewhere now. */
  async #read(): Promise<Trouble | void> {
    const { wanted } = this;
    try {
      const rows: ShortfallRecord[] = [];
      let pageToken = "";
      do {
        const pageSize = Math.min(wanted - rows.length, READ_ROWS);
        const page = await this.link.holds.listShortfalls({ pageSize, pageToken });
        rows.push(...page.shortfalls);
        pageToken = page.nextPageToken;
      } while (pageToken !== "" && rows.length < wanted);
      const lines = rows.flatMap(({ lines }) => lines);
      this.#names = await readNames(this.link.query, lines, this.#names);
      nameLines(lines, this.#names);
      this.rows = rows;
      this.hasMore = pageToken !== "";
      this.trouble = undefined;
    } catch (error) {
      return this.trouble = sayTrouble(error);
    }
  }

  readonly #more = () => {
    this.wanted += PAGE_ROWS;
    void this.#pacer.now();
  };

  override render() {
    const words = wordsOf(ORDERS);
    const forms = wordsOf(FORMS);
    const { rows } = this;
    return html`
      <p class="muted">${words.shortfallHint}</p>
      ${this.trouble === undefined ? nothing : troubleNote(this.trouble)}
      ${rows === undefined
        ? this.trouble === undefined ? html`<p class="muted" role="status">${forms.loading}</p>` : nothing
        : rows.length === 0
        ? html`<p>${words.noShortfalls}</p>`
        : this.#table(rows)}
      ${this.hasMore && this.wanted < SHOWN_MAX ? html`<button @click=${this.#more}>${forms.more}</button>` : nothing}
      ${this.link.may("stocker") ? nothing : html`<p class="muted">${words.mayNotResolve}</p>`}
      ${this.asked === undefined ? nothing : html`
        <hf-resolve-dialog
          .link=${this.link}
          .shortfall=${this.asked}
          @closed=${() => this.asked = undefined}
          .reread=${() => this.#pacer.now()}
        ></hf-resolve-dialog>
      `}
    `;
  }

  #table(rows: readonly ShortfallRecord[]) {
    const words = wordsOf(ORDERS);
    const { number, time } = formats();
    return html`
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">${words.at}</th>
              <th scope="col">${words.id}</th>
              <th scope="col">${words.buyer}</th>
              <th scope="col">${words.missing}</th>
              <th scope="col"><span class="visually-hidden">${words.actions}</span></th>
            </tr>
          </thead>
          <tbody>
            ${repeat(rows, ({ orderId }) => orderId, (shortfall) => {
              const { orderId, buyerId, lines, createdAt } = shortfall;
              return html`
                <tr>
                  <td>${time(writtenMs({ at: createdAt }))}</td>
                  <td><a class="mono" href=${orderAddress(orderId)}>${orderId}</a></td>
                  <td>${buyerId === "" ? html`<span class="muted">${words.nobody}</span>` : buyerId}</td>
                  <td>
                    <ul>
                      ${lines.map((line) =>
                        html`<li>${words.missingLine(lineText(line), number(line.asked), number(line.available))}</li>`
                      )}
                    </ul>
                  </td>
                  <td>
                    ${this.link.may("stocker")
                      ? html`
                        <button class="small" @click=${() => this.asked = shortfall}>
                          ${words.resolve}<span class="visually-hidden"> ${orderId}</span>
                        </button>
                      `
                      : nothing}
                  </td>
                </tr>
              `;
            })}
          </tbody>
        </table>
      </div>
    `;
  }
}

customElements.define("hf-shortfalls", Shortfalls);

/** `<hf-resolve-dialog>` */
export class ResolveDialog extends OperationDialog {
  static override properties = {
    ...OperationDialog.properties,
    shortfall: { attribute: false },
    resolution: { state: true },
  };
  static override styles = [...OperationDialog.styles, FORM_LOOK];

  declare shortfall: ShortfallRecord;
  declare resolution: string;

  constructor() {
    super();
    this.resolution = "";
  }

  protected override heading(): string {
    return wordsOf(ORDERS).resolveTitle(this.shortfall.orderId);
  }

  protected override action() {
    return { label: wordsOf(ORDERS).resolve };
  }

  protected override isRight(): boolean {
    return valueOf(readResolution(this.resolution)) !== undefined;
  }

  protected override async send(): Promise<string> {
    const { done } = wordsOf(ORDERS);
    const { orderId, openedAt } = this.shortfall;
    const which = openedAt === undefined ? {} : { openedAt };
    const resolution = valueOf(readResolution(this.resolution)) ?? "";
    const { replayed } = await this.link.holds.resolveShortfall({ orderId, resolution, ...which });
    return replayed ? done.replayed : done.resolve(orderId);
  }

  /** What there is now stands in the list, for whoever closes the dialog. */
  protected override refused(): void {
    void this.reread();
  }

  protected override body() {
    const words = wordsOf(ORDERS);
    return html`
      ${this.troubleNote()} ${textField({
        id: "resolution",
        label: words.resolution,
        hint: words.resolutionHint,
        value: this.resolution,
        isFirst: true,
        read: readResolution(this.resolution),
        isChecked: this.isChecked,
        onInput: (resolution) => this.resolution = resolution,
      })}
    `;
  }
}

customElements.define("hf-resolve-dialog", ResolveDialog);
