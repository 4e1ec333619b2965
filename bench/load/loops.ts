/**
 * The two kinds of load. Closed loop: each caller sends its next call when it has the answer to the last, which
 * finds the highest rate. Open loop: calls begin at times that were fixed before, and a latency counts from there, so
 * that a stall is felt by every call that should have begun in it (no coordinated omission).
 */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../stats.ts";
import type { LoadRun, Tally } from "./protocol.ts";

/** How one call ended: what counts for the rate, and what must be found in the ledger. */
export interface CallResult {
  /** Orders sold; 1 for a call that sells nothing and was answered. */
  readonly done: number;
  readonly orders: number;
  readonly units: number;
  /** Units that live holds have. */
  readonly reserved?: number;
  /** What has a record of its own beside orders. */
  readonly operations?: number;
  /** Answers that nothing was sold, by their reason. */
  readonly refused?: Readonly<Record<string, number>>;
  /** Orders without an answer, which may have been sold, by the reason. */
  readonly unknown?: Readonly<Record<string, number>>;
  /** From the answer to the end of the call, where those differ. */
  readonly laterMs?: number;
}

/** One order of `lines` lines, one unit each, was sold. */
export function sold(lines: number): CallResult {
  return { done: 1, orders: 1, units: lines };
}

/** A hold of `lines` lines, one unit each, has been reserved and is not confirmed; how it ended so is for others. */
export function reserved(lines: number): Pick<CallResult, "orders" | "reserved"> {
  return { orders: 1, reserved: lines };
}

/** Of `lines` goods one unit each went, and no order has it. */
export function adjusted(lines: number): CallResult {
  return { done: 1, orders: 0, units: lines, operations: 1 };
}

/** Nothing was sold. */
export function refused(reason: string): CallResult {
  return { done: 0, orders: 0, units: 0, refused: { [reason]: 1 } };
}

/** Nobody knows whether these orders were sold. */
export function unknown(reason: string, orders = 1): CallResult {
  return { done: 0, orders: 0, units: 0, unknown: { [reason]: orders } };
}

/** One call; throws only what is a fault of the bench or the service. */
export type Call = () => Promise<CallResult>;

/** A caller that was refused waits, or it would only keep asking. */
const REFUSED_PAUSE_MS = 2;
/** Latencies that are reported of one run. */
const LATENCIES_MAX = 10_000;

/** What the loops go by: ms as `performance.now()` counts them, and a wait of so many. */
export interface LoadClock {
  now(): number;
  delay(ms: number): Promise<unknown>;
}

const CLOCK: LoadClock = { now: () => performance.now(), delay };

/** Runs `call` as it is asked for; resolves when every call has ended. */
export async function run(call: Call, load: LoadRun, clock = CLOCK): Promise<Tally> {
  const tallies = new TallyKeeper(load, clock);
  await notBefore(tallies.startMs, clock);
  if (load.ratePerS === undefined) await closedLoop(call, load, tallies, clock);
  else await openLoop(call, load, load.ratePerS, tallies, clock);
  return tallies.tally();
}

async function closedLoop(call: Call, { callers }: LoadRun, tallies: TallyKeeper, clock: LoadClock): Promise<void> {
  await Promise.all(Array.from({ length: callers }, async () => {
    while (clock.now() < tallies.endMs && !tallies.failed) {
      if (!await tallies.enter(call, clock.now())) await clock.delay(REFUSED_PAUSE_MS);
    }
  }));
}

async function openLoop(
  call: Call,
  { callers }: LoadRun,
  ratePerS: number,
  tallies: TallyKeeper,
  clock: LoadClock,
): Promise<void> {
  const inProgress = new Set<Promise<unknown>>();
  const intendedMs = (index: number) => tallies.startMs + index * 1000 / ratePerS;
  for (let index = 0; intendedMs(index) < tallies.endMs && !tallies.failed; index++) {
    const waitMs = intendedMs(index) - clock.now();
    if (waitMs > 0) await clock.delay(waitMs);
    if (inProgress.size >= callers) {
      tallies.refuse("not begun: too many in progress");
      continue;
    }
    const ended = tallies.enter(call, intendedMs(index));
    inProgress.add(ended);
    ended.finally(() => inProgress.delete(ended));
  }
  await Promise.all(inProgress);
}

/** A timer leaves fractions of a millisecond out, and so ends before its time: what was sold then is in no window. */
async function notBefore(ms: number, clock: LoadClock): Promise<void> {
  for (let waitMs = ms - clock.now(); waitMs > 0; waitMs = ms - clock.now()) {
    await clock.delay(Math.ceil(waitMs));
  }
}

/** Adds up the calls of one run. Times are those of its clock. */
class TallyKeeper {
  readonly startMs: number;
  readonly endMs: number;
  readonly #clock: LoadClock;
  readonly #windowFromMs: number;
  readonly #refused: Record<string, number> = {};
  readonly #unknown: Record<string, number> = {};
  readonly #latenciesUs: number[] = [];
  readonly #laterUs: number[] = [];
  readonly #lateUs: number[] = [];
  #done = 0;
  #answered = 0;
  #orders = 0;
  #units = 0;
  #reserved = 0;
  #operations = 0;
  #longestMs = 0;
  #fault: string | undefined;

  constructor({ startAtMs, warmupMs, windowMs }: LoadRun, clock: LoadClock) {
    this.#clock = clock;
    this.startMs = startAtMs - performance.timeOrigin;
    this.#windowFromMs = this.startMs + warmupMs;
    this.endMs = this.#windowFromMs + windowMs;
  }

  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** One call that should begin at `fromMs`. Answers whether it was done; never rejects. */
  async enter(call: Call, fromMs: number): Promise<boolean> {
    const lateMs = this.#clock.now() - fromMs;
    let result: CallResult;
    try {
      result = await call();
    } catch (error) {
      this.#fault ??= error instanceof Error ? error.stack ?? error.message : String(error);
      return false;
    }
    const nowMs = this.#clock.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - fromMs);
    this.#orders += result.orders;
    this.#units += result.units;
    this.#reserved += result.reserved ?? 0;
    this.#operations += result.operations ?? 0;
    for (const [reason, count] of Object.entries(result.refused ?? {})) add(this.#refused, reason, count);
    for (const [reason, count] of Object.entries(result.unknown ?? {})) add(this.#unknown, reason, count);
    if (result.done === 0) return false;
    this.#answered += result.done;
    const laterMs = result.laterMs ?? 0;
    if (nowMs >= this.#windowFromMs && nowMs < this.endMs) this.#done += result.done;
    if (fromMs >= this.#windowFromMs) {
      // What comes after the answer is part of the call for its caller, who goes on only then.
      this.#latenciesUs.push(Math.round((nowMs - laterMs - fromMs) * 1000));
      if (result.laterMs !== undefined) this.#laterUs.push(Math.round((nowMs - fromMs) * 1000));
      this.#lateUs.push(Math.round(lateMs * 1000));
    }
    return true;
  }

  refuse(reason: string): void {
    add(this.#refused, reason, 1);
  }

  tally(): Tally {
    return {
      done: this.#done,
      answered: this.#answered,
      orders: this.#orders,
      units: this.#units,
      reserved: this.#reserved,
      operations: this.#operations,
      refused: this.#refused,
      unknown: this.#unknown,
      latenciesUs: share(this.#latenciesUs),
      laterUs: share(this.#laterUs),
      longestMs: this.#longestMs,
      lateUs: this.#lateUs.length === 0 ? 0 : quantile(this.#lateUs, 0.5),
      fault: this.#fault,
    };
  }
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

function share(values: readonly number[]): number[] {
  const step = Math.ceil(values.length / LATENCIES_MAX);
  return values.filter((_, index) => index % step === 0);
}
