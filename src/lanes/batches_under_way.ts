/**
 * How many batches go side by side. No I/O.
 *
 * Whatever its size a batch costs PostgreSQL, the nodes and the process as much again as some forty orders do, so that
 * few large ones get more done than many small ones: sales of 10,000 goods by 256 callers took all three together 1.17
 * times as much CPU time with four side by side as with two. One alone took less still, but left the process or
 * PostgreSQL idle.
 * So there are two, and who comes meanwhile goes together with the next; more where
 *
 * - one of them is old: it waits for something that keeps only itself, and is no reason for others to wait, or
 * - a whole batch waits, which company would not make cheaper.
 */

import { invariant } from "../base/invariant.ts";

/** Batches that are young, where no whole batch waits. */
const YOUNG_MAX = 2;
/** From this age on a batch is old, in ms; the dispatcher sees it when it next looks for batches. */
const YOUNG_MS = 50;

/** One of them, which names nothing that is in it: for how long that lives is for others (`base/roll.ts`). */
export interface BegunBatch {
  readonly begunMs: number;
}

/** The batches under way. */
export class BatchesUnderWay {
  readonly #max: number;
  readonly #clock: { monotonicMs(): number };
  readonly #begun: BegunBatch[] = [];

  /** `max`: of them all, old or young. */
  constructor(max: number, clock: { monotonicMs(): number }) {
    this.#max = max;
    this.#clock = clock;
  }

  /** How many there are. */
  get size(): number {
    return this.#begun.length;
  }

  /** Whether another may begin; `isWhole`: as many wait as can be in one. As time goes by it may without an event. */
  mayBegin(isWhole: boolean): boolean {
    if (this.size >= this.#max) return false;
    if (this.size < YOUNG_MAX || isWhole) return true;
    const nowMs = this.#clock.monotonicMs();
    let young = 0;
    for (const { begunMs } of this.#begun) if (nowMs - begunMs < YOUNG_MS) young++;
    return young < YOUNG_MAX;
  }

  /** One begins. */
  begin(): BegunBatch {
    const batch = { begunMs: this.#clock.monotonicMs() };
    this.#begun.push(batch);
    return batch;
  }

  /** It has ended; answers how long it took, in ms. */
  end(batch: BegunBatch): number {
    const place = this.#begun.indexOf(batch);
    invariant(place >= 0, "a batch ended that is not under way");
    this.#begun.splice(place, 1);
    return this.#clock.monotonicMs() - batch.begunMs;
  }
}
