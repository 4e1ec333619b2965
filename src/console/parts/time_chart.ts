/**
 * Lines over time by uplot: steps or slopes, zoomed by dragging. It is a picture, hidden from screen readers: whoever
 * shows it says in words what it shows.
 */
import { css, html, type PropertyValues } from "lit";
import uPlot from "uplot";
import { locale } from "../words/language.ts";
import { ConsoleElement } from "./console_element.ts";
import { LOOK } from "./look.ts";
import { formats } from "./speech.ts";

/** One line. */
export interface ChartLine {
  readonly label: string;
  /** A colour of the theme, as "--chart-1". */
  readonly color: string;
}

/** Times in ms since 1970, rising, and of each line a value for each; null: there is none. */
export interface ChartData {
  readonly timesMs: readonly number[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** `<hf-time-chart>` */
export class TimeChart extends ConsoleElement {
  static override properties = {
    lines: { attribute: false },
    data: { attribute: false },
    isStepped: { attribute: false },
    height: { type: Number },
  };
  static override styles = [
    LOOK,
    css`
      .uplot {
        position: relative;
        font: 12px/16px var(--mono);
      }
      .u-wrap {
        position: relative;
        user-select: none;
      }
      .u-over,
      .u-under,
      .u-axis {
        position: absolute;
      }
      .u-under {
        overflow: hidden;
      }
      canvas {
        display: block;
        position: relative;
        width: 100%;
        height: 100%;
      }
      .u-legend {
        width: auto;
        margin: 8px auto 0;
        font: var(--font);
        font-size: 12px;
      }
      .u-legend tr {
        display: inline-flex;
        align-items: center;
        margin-inline-end: 16px;
      }
      .u-legend th,
      .u-legend td {
        border: 0;
        padding: 0 4px;
        display: inline-flex;
        align-items: center;
        font-variant-numeric: tabular-nums;
      }
      .u-marker {
        width: 12px;
        height: 3px;
        margin-right: 6px;
      }
      .u-select {
        position: absolute;
        background: var(--selected);
        opacity: 0.6;
        pointer-events: none;
      }
      .u-cursor-x,
      .u-cursor-y {
        position: absolute;
        left: 0;
        top: 0;
        pointer-events: none;
      }
      .u-cursor-x {
        height: 100%;
        border-right: 1px dashed var(--muted);
      }
      .u-cursor-y,
      .u-off {
        display: none;
      }
      .u-cursor-pt {
        position: absolute;
        top: 0;
        left: 0;
        border-radius: 50%;
        pointer-events: none;
      }
    `,
  ];

  declare lines: readonly ChartLine[];
  declare data: ChartData;
  /** Values go on level to the next one. */
  declare isStepped: boolean;
  /** In pixels. */
  declare height: number;
  #plot: uPlot | undefined;
  #drawn = "";
  /** Its reader looks at a part: new data leave that as it is. */
  #isZoomed = false;
  readonly #sizes = new ResizeObserver(() => this.#fit());
  readonly #theme = new MutationObserver(() => this.#draw());

  constructor() {
    super();
    this.lines = [];
    this.data = { timesMs: [], values: [] };
    this.isStepped = false;
    this.height = 240;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.#sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#theme.disconnect();
    this.#sizes.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  override render() {
    return html`<div aria-hidden="true"></div>`;
  }

  override updated(_changed: PropertyValues): void {
    const made = JSON.stringify([this.lines, this.isStepped, this.height, locale()]);
    if (this.#plot === undefined || made !== this.#drawn) this.#draw();
    else this.#plot.setData(this.#aligned(), !this.#isZoomed);
    this.#drawn = made;
  }

  #fit(): void {
    if (this.#plot !== undefined && this.clientWidth > 0) {
      this.#plot.setSize({ width: this.clientWidth, height: this.height });
    }
  }

  #aligned(): uPlot.AlignedData {
    const { timesMs, values } = this.data;
    return [timesMs.map((ms) => ms / 1000), ...values.map((line) => [...line])];
  }

  #draw(): void {
    const target = this.renderRoot.querySelector("div");
    if (target === null) return;
    this.#plot?.destroy();
    this.#isZoomed = false;
    const style = getComputedStyle(this);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const { number, time } = formats();
    const axis = {
      stroke: color("--muted"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { stroke: color("--line"), width: 1 },
    };
    const paths = this.isStepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    this.#plot = new uPlot(
      {
        width: Math.max(this.clientWidth, 120),
        height: this.height,
        cursor: { y: false },
        hooks: {
          setSelect: [(plot) => this.#isZoomed = plot.select.width > 0],
          ready: [(plot) => plot.over.addEventListener("dblclick", () => this.#isZoomed = false)],
        },
        series: [
          // An empty label becomes "Time", in English.
          { label: "\u00a0", value: (_plot, atS) => atS === null ? "" : time(atS * 1000) },
          ...this.lines.map(({ label, color: name }): uPlot.Series => ({
            label,
            stroke: color(name),
            width: 2,
            points: { show: false },
            value: (_plot, value) => value === null ? "–" : number(value),
            ...(paths === undefined ? {} : { paths }),
          })),
        ],
        axes: [{ ...axis, size: AXIS_HEIGHT, space: LABEL_SPACE, values: timeLabels }, {
          ...axis,
          size: 64,
          values: (_plot, ticks) => ticks.map(number),
        }],
        scales: { y: { range: (_plot, min, max) => [Math.min(0, min), Math.max(1, max) * 1.05] } },
      },
      this.#aligned(),
      target,
    );
  }
}

const MINUTES_S = 15 * 60;
const DAYS_S = 3 * 86_400;
/** Pixels between two labels, so that they stay apart in every language. */
const LABEL_SPACE = 84;
/** Pixels for the labels of times, one line. */
const AXIS_HEIGHT = 32;

/** Clock times where days are few, to the second where minutes are, and days where they are many. */
function timeLabels(_plot: uPlot, ticks: number[]): string[] {
  const rangeS = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
  const seconds = rangeS < MINUTES_S ? { second: "2-digit" } as const : {};
  const clock = new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...seconds,
  });
  const day = new Intl.DateTimeFormat(locale(), { month: "short", day: "numeric" });
  return ticks.map((atS) => {
    const date = new Date(atS * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    return rangeS < DAYS_S && !isMidnight ? clock.format(date) : day.format(date);
  });
}

customElements.define("hf-time-chart", TimeChart);
