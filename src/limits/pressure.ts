/**
 * How many calls are shed, by how late the event loop is. Pure: no clock, no randomness.
 *
 *     calm     --late-->     calm       not in each of the latest looks: one long turn is no overload
 *     calm     --late-->     shedding   in each of them
 *     shedding --any look--> shedding   more or less is shed: by how far the delay is from the threshold, and whether
 *                                       it rises or falls (a PI controller, as that of RFC 8033)
 *     shedding --not late--> calm       so little is left that it makes no difference
 *
 * What is shed is a part of the calls, chosen by chance: to refuse all or none would have everybody go and come back at
 * once. Those of operators are shed only when nine of ten others are, and of either kind some go on whatever comes: the
 * delay need not be made by calls.
 */

/** Looks in a row that must be late before anything is shed. */
const LOOKS = 3;
/**
 * What one look changes, of 1: for a delay of twice the threshold in {@link STEP_MS}, and for one that rose by the
 * threshold. Found by simulation for thresholds of 50 to 1000 ms and up to four times the load that can be served:
 * twice as much swings, half as much lags.
 */
const BY_DELAY = 0.03;
const BY_RISE = 0.2;
const STEP_MS = 100;
const CHANGE_MAX = 0.25;
/** What is shed at first; less than {@link LEAST} makes no difference. */
const FIRST = 0.1;
const LEAST = 0.02;
/** The most that is shed of other calls; and of operators', once the pressure is above 1. */
const OTHERS_MAX = 0.9;
const OPERATORS_MAX = 0.5;

/** The pressure on one event loop. */
export class Pressure {
  readonly #thresholdMs: number;
  readonly #lateMs: number[] = [];
  #value = 0;

  /** @param thresholdMs the delay that is aimed at: what stands above it is shed */
  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs;
  }

  /** 0: nothing is shed. Up to 1: that part of the calls is. Above: of operators' as well. */
  get value(): number {
    return this.#value;
  }

  /** The least delay of the latest looks, in ms: what stands, and has not passed by itself. */
  get standingMs(): number {
    return this.#lateMs.length < LOOKS ? 0 : Math.min(...this.#lateMs);
  }

  /** Takes a look: the loop was so late; `sinceMs` is the time since the look before. */
  look(lateMs: number, sinceMs: number): void {
    const before = this.#lateMs.at(-1) ?? 0;
    this.#lateMs.push(lateMs);
    if (this.#lateMs.length > LOOKS) this.#lateMs.shift();
    const isCalm = this.#value === 0;
    if (isCalm && this.standingMs < this.#thresholdMs) return;
    const off = between(-1, (lateMs - this.#thresholdMs) / this.#thresholdMs, 2);
    const rise = between(-1, (lateMs - before) / this.#thresholdMs, 1);
    const change = BY_DELAY * off * Math.min(3, sinceMs / STEP_MS) + BY_RISE * rise;
    const value = this.#value + between(isCalm ? FIRST : -CHANGE_MAX, change, CHANGE_MAX);
    this.#value = value < LEAST ? 0 : Math.min(value, 1 + OPERATORS_MAX);
  }

  /** Whether a call is shed; `chance` is evenly spread over [0, 1). */
  sheds(isOperators: boolean, chance: number): boolean {
    return chance < (isOperators ? this.#value - 1 : Math.min(this.#value, OTHERS_MAX));
  }
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
