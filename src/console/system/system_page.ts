/** The page of the system: the lock's nodes, the database, the queue, and how fast it goes, read anew each second. */
import { html, nothing, type TemplateResult } from "lit";
import type { StatusResponse } from "../../gen/inventory/v1/lock_pb.ts";
import type { GetSystemResponse } from "../../gen/inventory/v1/system_pb.ts";
import { LOOK } from "../parts/look.ts";
import { PageElement } from "../parts/page_element.ts";
import { formats } from "../parts/speech.ts";
import { failed, loading, noRight } from "../parts/states.ts";
import "../parts/time_chart.ts";
import type { ChartData, ChartLine } from "../parts/time_chart.ts";
import { wordsOf } from "../words/language.ts";
import * as SYSTEM from "../words/system.ts";
import { lockNodes } from "./lock_nodes.ts";
import { type Sample, sampleOf, withSample } from "./rates.ts";
import { SYSTEM_LOOK } from "./system_look.ts";
import { needs, refusalsTable } from "./system_tables.ts";

/** Between two answers, in ms; while nobody looks nothing is asked. */
const EVERY_MS = 1_000;
const CHART_HEIGHT = 180;

/** `<hf-system>` */
export class SystemPage extends PageElement {
  static override properties = {
    ...PageElement.properties,
    system: { state: true },
    lock: { state: true },
    samples: { state: true },
    error: { state: true },
  };
  static override styles = [LOOK, SYSTEM_LOOK];

  declare system: GetSystemResponse | undefined;
  declare lock: StatusResponse | undefined;
  declare samples: readonly Sample[];
  declare error: unknown;
  #timer: number | undefined;
  #asking: AbortController | undefined;

  constructor() {
    super();
    this.system = undefined;
    this.lock = undefined;
    this.samples = [];
    this.error = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#look);
    queueMicrotask(this.#look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#look);
    this.#stop();
  }

  readonly #look = () => {
    this.#stop();
    if (document.visibilityState === "visible" && this.isConnected && this.link.may("operator")) void this.#ask();
  };

  #stop(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = undefined;
  }

  async #ask(): Promise<void> {
    const asking = this.#asking = new AbortController();
    const { signal } = asking;
    try {
      const [system, lock] = await Promise.all([
        this.link.system.getSystem({}, { signal }),
        this.link.lock.status({}, { signal }),
      ]);
      this.samples = withSample(this.samples, sampleOf(this.system, system));
      [this.system, this.lock, this.error] = [system, lock, undefined];
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#ask(), EVERY_MS);
  }

  override render() {
    const words = wordsOf(SYSTEM);
    return html`
      <div class="row">
        <h1>${words.title}</h1>
        ${this.system === undefined ? nothing : this.#readiness(this.system)}
      </div>
      ${this.#content()}
    `;
  }

  #content() {
    if (!this.link.may("operator")) return noRight("operator");
    if (this.system === undefined || this.lock === undefined) {
      return this.error === undefined ? loading() : failed(this.error, this.#look);
    }
    const { system, lock } = this;
    const words = wordsOf(SYSTEM);
    return html`
      ${this.error === undefined ? nothing : html`<p class="note warn" role="status">${words.old}</p>`}
      <p class="muted">${words.lead}</p>
      ${this.#figures(system)} ${this.#charts()} ${lockNodes(lock)}
      <div class="two">${needs(system, lock)} ${refusalsTable(system)}</div>
    `;
  }

  #readiness({ ready, draining }: GetSystemResponse): TemplateResult {
    const words = wordsOf(SYSTEM);
    if (draining) return html`<span class="badge warn">${words.draining}</span>`;
    return html`<span class="badge ${ready ? "good" : "bad"}">${ready ? words.ready : words.notReady}</span>`;
  }

  #figures(system: GetSystemResponse): TemplateResult {
    const words = wordsOf(SYSTEM);
    const last = this.samples.at(-1);
    const figures: readonly (readonly [string, string])[] = [
      [words.ordersPerS, rounded(last?.ordersPerS)],
      [words.refusedPerS, rounded(last?.refusedPerS)],
      [words.p50, inMs(last?.p50Ms)],
      [words.p99, inMs(last?.p99Ms)],
      [words.waiting, rounded(system.lanes?.waiting)],
      [words.batchSize, rounded(last?.batchSize)],
      [words.watchers, rounded(system.watchers)],
      [words.loopDelay, inMs(system.loopDelayMs)],
    ];
    return html`
      <dl class="card figures">
        ${figures.map(([name, value]) =>
          html`
            <div class="figure">
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>
          `
        )}
      </dl>
      ${system.calls.length === 0 ? html`<p class="muted">${words.notMeasured}</p>` : nothing}
    `;
  }

  #charts(): TemplateResult {
    const words = wordsOf(SYSTEM);
    const chart = (heading: string, lines: readonly (ChartLine & { of: (sample: Sample) => number | null })[]) => {
      const data: ChartData = {
        timesMs: this.samples.map(({ atMs }) => atMs),
        values: lines.map(({ of }) => this.samples.map(of)),
      };
      return html`
        <section class="card">
          <h2>${heading}</h2>
          <hf-time-chart
            .lines=${lines.map(({ label, color }) => ({ label, color }))}
            .data=${data}
            .height=${CHART_HEIGHT}
          ></hf-time-chart>
        </section>
      `;
    };
    return html`
      <div class="charts">
        ${chart(words.perSecond, [
          { label: words.ordersPerS, color: "--chart-1", of: ({ ordersPerS }) => ordersPerS },
          { label: words.refusedPerS, color: "--chart-2", of: ({ refusedPerS }) => refusedPerS },
        ])} ${chart(words.callTime, [
          { label: words.p50, color: "--chart-3", of: ({ p50Ms }) => p50Ms },
          { label: words.p99, color: "--chart-4", of: ({ p99Ms }) => p99Ms },
        ])} ${chart(words.queue, [
          { label: words.waiting, color: "--chart-6", of: ({ waiting }) => waiting },
          { label: words.underWay, color: "--chart-5", of: ({ underWay }) => underWay },
          { label: words.batchSize, color: "--chart-1", of: ({ batchSize }) => batchSize },
        ])}
      </div>
    `;
  }
}

/** To three digits, or a whole number from a hundred on. */
function rounded(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return formats().number(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

function inMs(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : wordsOf(SYSTEM).ms(rounded(value));
}

customElements.define("hf-system", SystemPage);
