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

/** Batches that are young, where no whole batch waits. */
const YOUNG_MAX = 2;
/** From this age on a batch is old, in ms; the dispatcher sees it when it next looks for batches. */
const YOUNG_MS = 50;

/** The batches under way. */
export class BatchesUnderWay {
  readonly #max: number;
  readonly #clock: { monotonicMs(): number };
  /** Each with when it began. */
  readonly #begunMs = new Map<object, number>();

  /** `max`: of them all, old or young. */
  constructor(max: number, clock: { monotonicMs(): number }) {
    this.#max = max;
    this.#clock = clock;
  }

  /** How many there are. */
  get size(): number {
    return this.#begunMs.size;
  }

  /** Whether another may begin; `isWhole`: as many wait as can be in one. As time goes by it may without an event. */
  mayBegin(isWhole: boolean): boolean {
    if (this.size >= this.#max) return false;
    if (this.size < YOUNG_MAX || isWhole) return true;
    const nowMs = this.#clock.monotonicMs();
    let young = 0;
    for (const begunMs of this.#begunMs.values()) if (nowMs - begunMs < YOUNG_MS) young++;
    return young < YOUNG_MAX;
  }

  /** It has begun. */
  begin(batch: object): void {
    this.#begunMs.set(batch, this.#clock.monotonicMs());
  }

  /** It has ended; answers how long it took, in ms. */
  end(batch: object): number {
    const nowMs = this.#clock.monotonicMs();
    const tookMs = nowMs - (this.#begunMs.get(batch) ?? nowMs);
    this.#begunMs.delete(batch);
    return tookMs;
  }
}
