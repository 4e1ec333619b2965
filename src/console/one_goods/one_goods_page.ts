/** The page of one goods at one location: its numbers live, what can be done to it, and where they come from. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { MovementKind } from "../../gen/inventory/v1/query_pb.ts";
import type { InvChange } from "../../gen/inventory/v1/watch_pb.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { PageElement } from "../parts/page_element.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { navigate } from "../shell/router.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import "./adjust_dialog.ts";
import "./goods_history.ts";
import "./goods_holds.ts";
import "./goods_why.ts";
import "./level_chart.ts";
import "./policy_dialog.ts";
import "./sale_dialog.ts";
import "./set_dialog.ts";
import "./transfer_dialog.ts";
import { goodsAddress, type GoodsView, readGoodsView } from "./goods_url.ts";
import { nameOf, type PlaceKnown, readPlace } from "./place.ts";
import { NUMBERS_LOOK, placeBadge, placeNumbers } from "./place_numbers.ts";

/** What can be done. */
type Action = "set" | "adjust" | "transfer" | "policy" | "delete" | "restore";

/** Kinds of movements that change what no level says. */
const READ_AFTER: ReadonlySet<MovementKind> = new Set([
  MovementKind.POLICY,
  MovementKind.DELETE,
  MovementKind.RESTORE,
]);
/** The shortest time between two readings of what changes do not bring, in ms. */
const READ_PAUSE_MS = 1000;
/** How often a screen reader hears the number at most, in ms. */
const SAY_PAUSE_MS = 10_000;

/** `<hf-one-goods>` */
export class OneGoodsPage extends PageElement {
  static override properties = {
    ...PageElement.properties,
    view: { state: true },
    place: { state: true },
    trouble: { state: true },
    action: { state: true },
    said: { state: true },
  };
  static override styles = [
    LOOK,
    NUMBERS_LOOK,
    css`
      .page {
        display: grid;
        gap: 16px;
        grid-template-columns: minmax(0, 1fr);
        max-width: 1280px;
        margin: 0 auto;
      }
      /* Nothing to say takes no room. */
      .page > [role="alert"]:not(:has(*)) {
        position: absolute;
      }
      .card {
        display: grid;
        gap: 12px;
      }
    `,
  ];

  declare view: GoodsView | undefined;
  declare place: PlaceKnown | undefined;
  declare trouble: Trouble | undefined;
  declare action: Action | undefined;
  /** What a screen reader heard last. */
  declare said: string;
  #stops: (() => void)[] = [];
  readonly #reader = new Pacer(() => this.#read(), READ_PAUSE_MS);
  readonly #reread = () => this.#reader.now();
  readonly #speaker = new Pacer(() => Promise.resolve(this.#say()), SAY_PAUSE_MS);

  constructor() {
    super();
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stops = [
      this.link.onChanges((changes) => this.#changed(changes)),
      this.link.onReload(() => this.#reader.ask()),
    ];
    if (this.view !== undefined) this.#reader.ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    this.#reader.stop();
    this.#speaker.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("route")) return;
    const before = this.view;
    this.view = readGoodsView(this.route.id, this.route.query);
    if (before?.goodsId === this.view?.goodsId && before?.locationId === this.view?.locationId) return;
    this.place = undefined;
    this.trouble = undefined;
    this.action = undefined;
    if (this.view !== undefined) this.#reader.ask();
  }

  async #read(): Promise<Trouble | void> {
    const { view } = this;
    if (view === undefined) return;
    const isNow = () => this.view?.goodsId === view.goodsId && this.view.locationId === view.locationId;
    try {
      const place = await readPlace(this.link, view.goodsId, view.locationId);
      if (!isNow()) return;
      const known = this.place?.level;
      // A change may have come by the stream while this was read.
      const isOlder = known !== undefined && place.level !== undefined && known.version > place.level.version;
      this.place = isOlder ? { ...place, level: known } : place;
      this.trouble = undefined;
      this.#speaker.ask();
    } catch (error) {
      if (isNow()) return this.trouble = sayTrouble(error);
    }
  }

  /** Numbers come with the changes; what a policy is, or that a place is new, is read. */
  #changed(changes: readonly InvChange[]): void {
    const { view, place } = this;
    if (view === undefined) return;
    const mine = changes.filter(({ level }) => level?.goodsId === view.goodsId);
    if (mine.length === 0) return;
    const latest = mine.findLast(({ level }) => level?.locationId === view.locationId)?.level;
    if (place?.level === undefined || latest === undefined) return this.#reader.ask();
    // What is folded into a change may have been of any kind.
    const isPlain = mine.every(({ kind, folded }) => !READ_AFTER.has(kind) && folded === 0);
    if (latest.version > place.level.version) this.place = { ...place, level: latest };
    if (!isPlain || mine.some(({ level }) => level?.locationId !== view.locationId)) this.#reader.ask();
    this.#speaker.ask();
  }

  #say(): void {
    if (this.place?.level !== undefined) {
      this.said = wordsOf(ONE_GOODS).now(formats().number(this.place.level.num));
    }
  }

  #go(part: Partial<GoodsView>): void {
    if (this.view !== undefined) navigate(goodsAddress({ ...this.view, ...part }), { replace: true });
  }

  override render() {
    const words = wordsOf(ONE_GOODS);
    const { view, place } = this;
    if (view === undefined) return html`<div class="page"><h1>${words.noGoods}</h1>${this.#back()}</div>`;
    return html`
      <div class="page">
        ${this.#back()} ${this.#head(view)}
        <div role="alert">
          ${this.trouble === undefined ? nothing : html`
            ${troubleNote(this.trouble)}
            <button class="small" @click=${() => this.#reader.ask()}>${wordsOf(FORMS).retry}</button>
          `}
        </div>
        ${place === undefined ? this.#loading() : this.#sections(view, place)}
        <div class="visually-hidden" role="status">${this.said}</div>
        ${this.action === undefined || place === undefined ? nothing : this.#dialog(this.action, place)}
      </div>
    `;
  }

  #back(): TemplateResult {
    return html`<a href="/goods">← ${wordsOf(ONE_GOODS).back}</a>`;
  }

  #loading() {
    return this.trouble === undefined ? html`<p class="muted" role="status">${wordsOf(FORMS).loading}</p>` : nothing;
  }

  #head({ goodsId, locationId }: GoodsView): TemplateResult {
    const words = wordsOf(ONE_GOODS);
    const level = this.place?.level;
    const locations = new Set([...this.place?.everywhere.map((each) => each.locationId) ?? [], locationId]);
    return html`
      <div class="row">
        <h1>${nameOf(goodsId, level, words.goods)}</h1>
        ${level === undefined || level.sku === "" ? nothing : html`<span class="muted">${words.goods(goodsId)}</span>`}
        ${level === undefined ? nothing : placeBadge(level)}
        <span class="grow"></span>
        <label for="location" class="muted">${words.location}</label>
        <select
          id="location"
          @change=${(event: Event) => this.#go({ locationId: Number((event.target as HTMLSelectElement).value) })}
        >
          ${[...locations].sort((a, b) => a - b).map((id) =>
            html`<option value=${id} ?selected=${id === locationId}>${id}</option>`
          )}
        </select>
      </div>
    `;
  }

  #sections(view: GoodsView, place: PlaceKnown): TemplateResult {
    const words = wordsOf(ONE_GOODS);
    if (place.level === undefined) {
      return html`<div class="card"><p>${words.noGoodsHere(view.goodsId)}</p>${this.#actions(place)}</div>`;
    }
    const { version } = place.level;
    return html`
      ${placeNumbers(place, this.#actions(place))}
      <hf-level-chart
        .link=${this.link}
        .place=${place}
        .zoom=${view.zoom}
        @zoom=${(event: CustomEvent<GoodsView["zoom"]>) => this.#go({ zoom: event.detail })}
      ></hf-level-chart>
      <hf-goods-why .link=${this.link} .goodsId=${view.goodsId} .locationId=${view.locationId} .version=${version}>
      </hf-goods-why>
      <hf-goods-holds
        .link=${this.link}
        .goodsId=${view.goodsId}
        .locationId=${view.locationId}
        .version=${version}
        .reread=${this.#reread}
      ></hf-goods-holds>
      <hf-goods-history
        .link=${this.link}
        .goodsId=${view.goodsId}
        .locationId=${view.locationId}
        .filter=${view.filter}
        .version=${version}
        @filter=${(event: CustomEvent<GoodsView["filter"]>) => this.#go({ filter: event.detail })}
      ></hf-goods-history>
    `;
  }

  #actions({ level }: PlaceKnown): TemplateResult {
    const words = wordsOf(ONE_GOODS);
    if (!this.link.may("stocker")) return html`<p class="muted">${words.mayNotChange}</p>`;
    const actions: readonly Action[] = level === undefined
      ? ["set"]
      : level.deletedAt !== undefined
      ? ["restore", "set"]
      : ["set", "adjust", "transfer", "policy", "delete"];
    return html`
      <div class="row" role="group" aria-label=${words.actions}>
        ${actions.map((action) =>
          html`
            <button class=${action === "delete" ? "danger" : ""} @click=${() => this.action = action}>
              ${words[action]}
            </button>
          `
        )}
      </div>
    `;
  }

  #dialog(action: Action, place: PlaceKnown) {
    const closed = () => this.action = undefined;
    switch (action) {
      case "set":
        return html`<hf-set-dialog .link=${this.link} .place=${place} @closed=${closed} .reread=${this.#reread}></hf-set-dialog>`;
      case "adjust":
        return html`<hf-adjust-dialog .link=${this.link} .place=${place} @closed=${closed} .reread=${this.#reread}></hf-adjust-dialog>`;
      case "transfer":
        return html`<hf-transfer-dialog .link=${this.link} .place=${place} @closed=${closed} .reread=${this.#reread}></hf-transfer-dialog>`;
      case "policy":
        return html`<hf-policy-dialog .link=${this.link} .place=${place} @closed=${closed} .reread=${this.#reread}></hf-policy-dialog>`;
      case "delete":
      case "restore":
        return html`<hf-sale-dialog .link=${this.link} .place=${place} @closed=${closed} .reread=${this.#reread}></hf-sale-dialog>`;
    }
  }
}

customElements.define("hf-one-goods", OneGoodsPage);
