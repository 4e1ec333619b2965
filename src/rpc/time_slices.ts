/**
 * Long work of calls in short slices, so that others have their turn: the process has one thread. All calls share the
 * slices. When each had its own, 20 batches blocked everybody for 20 slices in each turn of the loop, and a call that
 * needs ten turns took 4.6 s.
 */

/** Longest time in one turn of the loop, in ms, for the work of all calls together, beside what one item takes. */
export const SLICE_MS = 4;
/** Longest time for one call, in ms, while others wait for theirs: a small batch does not wait for a huge one. */
export const SHARE_MS = 1;
/**
 * A call with more items than this has a large answer to write, however little its items take: 1,000 of them some 3 ms.
 */
export const LARGE_ITEMS = 200;

/** What slices are measured with. */
export interface SliceClock {
  /** A clock that runs forward, in ms. */
  nowMs(): number;
  /** Calls back in the next turn of the loop, after others had theirs. */
  next(then: () => void): void;
}

/** Work of one call. */
interface Job {
  /** Does the next item, and ends after the last. Throws what the work throws. */
  step(): void;
  fail(error: unknown): void;
  readonly isLarge: boolean;
  isOver: boolean;
  /** What it took so far. */
  tookMs: number;
}

/** Shares one slice in each turn of the loop among all who have work, in rounds of {@link SHARE_MS} each. */
export class Slicer {
  readonly #clock: SliceClock;
  /** Whoever has work left; the first is the next. */
  readonly #jobs = new Set<Job>();
  /** What is spent of this turn's slice. */
  #spentMs = 0;
  #turnAsked = false;

  constructor(clock: SliceClock) {
    this.#clock = clock;
  }

  /**
   * Does `work` for each item, one after the other, and begins at once where this turn's slice is not spent.
   *
   * Rejects with what `work` throws. Rejects with the signal's reason as soon as that aborts, and does nothing from
   * then on; so the signal is also the limit of the wait.
   */
  run<T>(items: readonly T[], signal: AbortSignal, work: (item: T, index: number) => void): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (items.length === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = () => {
      job.isOver = true;
      this.#jobs.delete(job);
      signal.removeEventListener("abort", leave);
    };
    let done = 0;
    const job: Job = {
      step() {
        work(items[done]!, done);
        if (++done < items.length || job.isOver) return;
        end();
        resolve();
      },
      fail(error) {
        end();
        reject(error);
      },
      isLarge: items.length > LARGE_ITEMS,
      isOver: false,
      tookMs: 0,
    };
    const leave = () => job.fail(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    this.#jobs.add(job);
    this.#slice();
    return promise;
  }

  /** Spends what is left of this turn's slice, and comes back in the next one. */
  #slice(): void {
    while (this.#spentMs < SLICE_MS) {
      const [job] = this.#jobs;
      if (job === undefined) break;
      this.#jobs.delete(job);
      this.#share(job);
      if (!job.isOver) this.#jobs.add(job);
      // The answer of a large batch is written in one go, which may take 100 ms: no two of them in one turn.
      else if (job.isLarge || job.tookMs > SHARE_MS) this.#spentMs = SLICE_MS;
    }
    if (this.#spentMs === 0 || this.#turnAsked) return;
    this.#turnAsked = true;
    this.#clock.next(() => {
      this.#turnAsked = false;
      this.#spentMs = 0;
      this.#slice();
    });
  }

  /** Works for one call until its share is spent, or its work. */
  #share(job: Job): void {
    const sinceMs = this.#clock.nowMs();
    const shareMs = Math.min(SHARE_MS, SLICE_MS - this.#spentMs);
    let tookMs = 0;
    while (!job.isOver && tookMs < shareMs) {
      try {
        job.step();
      } catch (error) {
        job.fail(error);
      }
      tookMs = this.#clock.nowMs() - sinceMs;
    }
    job.tookMs += tookMs;
    this.#spentMs += tookMs;
  }
}

/**
 * The slices of this process. Not with setImmediate: Deno 2.9.3 then goes round at once, and looks at the sockets in
 * one of 61 rounds only, so that an echo took 60 slices of 4 ms. A timer has it wait, for 1 ms, and look.
 */
const slicer = new Slicer({ nowMs: () => performance.now(), next: (then) => void setTimeout(then, 0) });

/** Does `work` for each item, as {@link Slicer.run} does, in the slices that all calls of the process share. */
export function inSlices<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, index: number) => void,
): Promise<void> {
  return slicer.run(items, signal, work);
}
