/** Level over time: what was on hand, reserved and available, as far back as its reader asks, and live. */
import { css, html, nothing, type PropertyValues } from "lit";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { troubleNote } from "../parts/operation_dialog.ts";
import { Pacer } from "../parts/pacer.ts";
import { formats, sayTrouble } from "../parts/speech.ts";
import type { Trouble } from "../parts/trouble.ts";
import { wordsOf } from "../words/language.ts";
import * as FORMS from "../words/forms.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { type LevelStep, type Point, pointsIn, type Window, windowOf, type Zoom, ZOOMS } from "./level_over_time.ts";
import { LevelReader } from "./level_reader.ts";
import { type PlaceKnown, standOf } from "./place.ts";

/** The shortest time between two readings of the ledger, in ms. */
const READ_PAUSE_MS = 2000;

/** `<hf-level-chart>`; "zoom" says that its reader has chosen another one. */
export class LevelChart extends ConsoleElement {
  static override properties = {
    link: { attribute: false },
    place: { attribute: false },
    zoom: { attribute: false },
    steps: { state: true },
    nowMs: { state: true },
    trouble: { state: true },
  };
  static override styles = [
    LOOK,
    css`
      section {
        display: grid;
        gap: 12px;
        grid-template-columns: minmax(0, 1fr);
      }
      button[aria-pressed="true"] {
        background: var(--selected);
      }
    `,
  ];

  declare link: Link;
  declare place: PlaceKnown;
  declare zoom: Zoom;
  /** Undefined: nothing was read yet. */
  declare steps: readonly LevelStep[] | undefined;
  declare nowMs: number;
  declare trouble: Trouble | undefined;
  #ledger: LevelReader | undefined;
  #giveUp = new AbortController();
  readonly #pacer = new Pacer(() => this.#read(), READ_PAUSE_MS);

  constructor() {
    super();
    this.nowMs = serverNowMs();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#giveUp.abort();
    this.#pacer.stop();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#giveUp = new AbortController();
    // It brings a library of its own, which nobody waits for who sees no chart.
    void import("../parts/time_chart.ts");
    if (this.hasUpdated) this.#pacer.ask();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("place");
    if (before?.goodsId !== this.place.goodsId || before.locationId !== this.place.locationId) {
      if (changed.has("place")) this.#begin();
    }
    const isNew = changed.has("place") && before?.level?.version !== this.place.level?.version;
    if (isNew || changed.has("zoom")) this.#pacer.ask();
  }

  #begin(): void {
    this.#giveUp.abort();
    this.#giveUp = new AbortController();
    this.#ledger = new LevelReader(this.link.query, this.place);
    this.steps = undefined;
  }

  async #read(): Promise<Trouble | void> {
    const ledger = this.#ledger;
    if (ledger === undefined) return;
    const { fromMs } = windowOf(this.zoom, [], serverNowMs());
    const wantedMs = this.zoom === "all" ? -Infinity : fromMs;
    try {
      await ledger.read(wantedMs, this.#giveUp.signal, () => {
        if (this.#ledger !== ledger) return;
        this.steps = ledger.steps;
        this.nowMs = serverNowMs();
      });
      if (this.#ledger === ledger) this.trouble = undefined;
    } catch (error) {
      if (this.#ledger === ledger && !this.#giveUp.signal.aborted) return this.trouble = sayTrouble(error);
    }
  }

  override render() {
    const words = wordsOf(ONE_GOODS);
    const window = windowOf(this.zoom, this.steps ?? [], this.nowMs);
    return html`
      <section class="card" aria-labelledby="over-time">
        <div class="row">
          <h2 id="over-time" class="grow">${words.overTime}</h2>
          <div class="row" role="group" aria-label=${words.zoom}>
            ${ZOOMS.map((zoom) =>
              html`
                <button
                  class="small"
                  aria-pressed=${zoom === this.zoom ? "true" : "false"}
                  @click=${() => this.dispatchEvent(new CustomEvent("zoom", { detail: zoom }))}
                >
                  ${words.zooms[zoom]}
                </button>
              `
            )}
          </div>
        </div>
        ${this.trouble === undefined ? nothing : troubleNote(this.trouble)}
        ${this.steps === undefined
          ? html`<p class="muted">${wordsOf(FORMS).loading}</p>`
          : this.#chart(this.steps, window)}
      </section>
    `;
  }

  #chart(steps: readonly LevelStep[], window: Window) {
    const words = wordsOf(ONE_GOODS);
    const { number, time } = formats();
    const points = pointsIn(steps, window);
    if (points.length === 0) return html`<p class="muted">${words.noChanges}</p>`;
    const { safetyStock } = standOf(this.place);
    // The chart begins where the window does, though nothing may be known of that time.
    const isKnown = (points[0]?.atMs ?? 0) <= window.fromMs;
    const line = (of: (point: Point) => number) => [...(isKnown ? [] : [null]), ...points.map(of)];
    const data = {
      timesMs: [...(isKnown ? [] : [window.fromMs]), ...points.map(({ atMs }) => atMs)],
      values: [
        line(({ onHand }) => onHand),
        line(({ onHand, reserved }) => onHand - reserved - safetyStock),
        line(({ reserved }) => reserved),
      ],
    };
    const lines = [
      { label: words.onHand, color: "--chart-5" },
      { label: safetyStock === 0 ? words.available : words.availableLine, color: "--chart-1" },
      { label: words.reserved, color: "--chart-4" },
    ];
    const last = points.at(-1);
    const onHand = points.map(({ onHand }) => onHand);
    const inWindow = steps.filter(({ atMs }) => atMs >= window.fromMs).length;
    const first = steps[0];
    const stopsShort = this.#ledger?.hasOlder === true && first !== undefined && first.atMs > window.fromMs;
    return html`
      <p class="muted">
        ${words.chartOf(
          number(last?.onHand ?? 0),
          number(last?.reserved ?? 0),
          number(onHand.reduce((a, b) => Math.min(a, b))),
          number(onHand.reduce((a, b) => Math.max(a, b))),
        )}
      </p>
      <hf-time-chart .lines=${lines} .data=${data} .isStepped=${true}></hf-time-chart>
      <p class="muted" id="reach">
        ${stopsShort ? words.readSome(number(steps.length), time(first.atMs)) : words.readAll(number(inWindow))}
        ${words.zoomHint}
      </p>
    `;
  }
}

customElements.define("hf-level-chart", LevelChart);
