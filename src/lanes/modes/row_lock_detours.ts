/**
 * Logs the batches that go by row locks although their mode is another, and although nothing is away: where what they
 * need is seldom free at once, or others go on changing it. Each costs a transaction that occupies a connection.
 */
import type { Log } from "../../telemetry/log.ts";
import { Tally } from "../../telemetry/measures.ts";

/** The shortest time between two lines, in ms. */
const LINE_EVERY_MS = 10_000;

/**
 * - `severalGoods`: an entry needs several goods, some of which were refused too often.
 * - `failedAttempts`: the batch was tried without row locks too often.
 */
export type DetourCause = "severalGoods" | "failedAttempts";

/** Counts the detours of one process. */
export class RowLockDetours {
  readonly #log: Log;
  readonly #nowMs: () => number;
  #counts: Record<DetourCause, number> = { severalGoods: 0, failedAttempts: 0 };
  /** Since the start. */
  readonly totals = new Tally<DetourCause>({ severalGoods: 0, failedAttempts: 0 });
  #loggedAtMs = -Infinity;

  /** `nowMs` is a clock that runs forward. */
  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Counts a batch. A line says how many since the line before. */
  note(cause: DetourCause): void {
    this.#counts[cause]++;
    this.totals.add(cause);
    const nowMs = this.#nowMs();
    if (nowMs - this.#loggedAtMs < LINE_EVERY_MS) return;
    this.#log.info(this.#counts, "batches went by row locks, as their goods were seldom free or kept changing");
    this.#counts = { severalGoods: 0, failedAttempts: 0 };
    this.#loggedAtMs = nowMs;
  }
}
