/**
 * Where a place stood over time, as the rows of its ledger say: steps, the part of them that a window of time shows,
 * and few enough points to draw, of which none that matters is left out. Pure.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ListedMovement } from "../../gen/inventory/v1/query_pb.ts";

/** From `atMs` (ms since 1970) on it stood so, until the next step. */
export interface LevelStep {
  readonly version: number;
  readonly atMs: number;
  readonly onHand: number;
  readonly reserved: number;
}

/** Steps that a page keeps at most: the newest. */
export const STEPS_MAX = 20_000;
/** Points that are drawn at most. */
const POINTS_MAX = 2000;

/** What of a ledger's row a step is made of. */
export type LedgerRow = Pick<
  ListedMovement,
  "version" | "at" | "onHandDelta" | "reservedDelta" | "onHandAfter" | "reservedAfter"
>;

/**
 * Steps of `before` and of rows in any sequence, by version, each once. Versions say what came first: where a clock
 * went back between two rows the later one is taken to have come at the time of the earlier. Of more than `max` the
 * oldest are left out.
 */
export function withRows(before: readonly LevelStep[], rows: readonly LedgerRow[], max = STEPS_MAX): LevelStep[] {
  const byVersion = new Map(before.map((step) => [step.version, step]));
  for (const { version, at, onHandAfter, reservedAfter } of rows) {
    const atMs = at === undefined ? 0 : timestampMs(at);
    byVersion.set(Number(version), { version: Number(version), atMs, onHand: onHandAfter, reserved: reservedAfter });
  }
  const steps = [...byVersion.values()].sort((a, b) => a.version - b.version).slice(-max);
  let latestMs = -Infinity;
  return steps.map((step) => {
    latestMs = Math.max(latestMs, step.atMs);
    return step.atMs === latestMs ? step : { ...step, atMs: latestMs };
  });
}

/** How far back a chart looks. */
export const ZOOMS = ["hour", "day", "week", "month", "all"] as const;
export type Zoom = typeof ZOOMS[number];

const HOUR_MS = 3_600_000;
const BACK_MS: Readonly<Record<Exclude<Zoom, "all">, number>> = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
};

/** A part of time, in ms since 1970. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The window that ends now; of all steps, at least a minute. */
export function windowOf(zoom: Zoom, steps: readonly LevelStep[], nowMs: number): Window {
  const toMs = Math.max(nowMs, steps.at(-1)?.atMs ?? nowMs);
  if (zoom !== "all") return { fromMs: toMs - BACK_MS[zoom], toMs };
  return { fromMs: Math.min(steps[0]?.atMs ?? toMs, toMs - 60_000), toMs };
}

/** One point of each line; the lines go on level to the next point. */
export interface Point {
  readonly atMs: number;
  readonly onHand: number;
  readonly reserved: number;
}

/**
 * What a window shows: first where it stood as the window begins, as far as that is known, then each step in it, and
 * at its end where it stands. Where that is more than `max` points, time is cut into as many parts as fit, and of each
 * part stay its first and last step and those where a line is lowest and highest: on hand, reserved, and the rest.
 */
export function pointsIn(steps: readonly LevelStep[], { fromMs, toMs }: Window, max = POINTS_MAX): Point[] {
  const begin = firstAfter(steps, fromMs);
  const end = firstAfter(steps, toMs);
  const shown = steps.slice(begin, end);
  const standing = steps[begin - 1];
  const last = steps[end - 1];
  const first: Point[] = standing === undefined ? [] : [{ ...pointOf(standing), atMs: fromMs }];
  const until: Point[] = last === undefined ? [] : [{ ...pointOf(last), atMs: toMs }];
  const thinned = thin(shown, { fromMs, toMs }, max - first.length - until.length);
  return [...first, ...thinned.map(pointOf), ...until];
}

function pointOf({ atMs, onHand, reserved }: LevelStep): Point {
  return { atMs, onHand, reserved };
}

/** The index of the first step after that time. */
function firstAfter(steps: readonly LevelStep[], atMs: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as LevelStep).atMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

const LINES: readonly ((step: LevelStep) => number)[] = [
  ({ onHand }) => onHand,
  ({ reserved }) => reserved,
  ({ onHand, reserved }) => onHand - reserved,
];
/** Of one part of time: its first, its last, and the lowest and highest of each line. */
const KEPT_OF_PART_MAX = 2 + 2 * LINES.length;

function thin(steps: readonly LevelStep[], { fromMs, toMs }: Window, max: number): readonly LevelStep[] {
  if (steps.length <= max) return steps;
  const parts = Math.max(1, Math.floor(max / KEPT_OF_PART_MAX));
  const partMs = Math.max(1, toMs - fromMs) / parts;
  const kept: LevelStep[] = [];
  let begin = 0;
  while (begin < steps.length) {
    const part = partAt(steps[begin] as LevelStep);
    let end = begin + 1;
    while (end < steps.length && partAt(steps[end] as LevelStep) === part) end++;
    for (const index of keptOf(steps, begin, end)) kept.push(steps[index] as LevelStep);
    begin = end;
  }
  return kept;

  function partAt({ atMs }: LevelStep): number {
    return Math.min(parts - 1, Math.floor((atMs - fromMs) / partMs));
  }
}

/** The indices that stay of those from `begin` to before `end`, rising. */
function keptOf(steps: readonly LevelStep[], begin: number, end: number): number[] {
  const kept = new Set([begin, end - 1]);
  for (const line of LINES) {
    let lowest = begin;
    let highest = begin;
    for (let i = begin + 1; i < end; i++) {
      const value = line(steps[i] as LevelStep);
      if (value < line(steps[lowest] as LevelStep)) lowest = i;
      if (value > line(steps[highest] as LevelStep)) highest = i;
    }
    kept.add(lowest).add(highest);
  }
  return [...kept].sort((a, b) => a - b);
}
