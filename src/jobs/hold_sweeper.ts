/**
 * Writes down which holds have ended. Nothing waits for it: a hold whose time is up is over for every decision, read
 * and list from that moment on. It tidies: it takes what such holds have off the levels of goods that nobody asks for,
 * and gives their orders the state that everybody reads anyway.
 *
 *     pausing  --pause over---------------> sweeping
 *     sweeping --fewer due than a batch---> pausing    the round is over: the next begins where nothing older is left
 *     sweeping --they can't be read-------> pausing
 *     sweeping --a batch was written------> resting
 *     sweeping --nothing came of a batch--> pausing    the round goes on behind that batch
 *     resting  --rest over----------------> sweeping
 *     any      --stop---------------------> stopped
 *
 * After failures it pauses for longer. Each batch goes through the lanes as everybody's operations do, so that any
 * number of processes may sweep at once: whoever comes second finds nothing to do. What a process leaves behind the
 * next one finds, as it is all on record.
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import { pause as realPause } from "../base/bounded_wait.ts";
import type { TimeKey } from "../inventory/hold_lists.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/errors.ts";
import { errorFields, errorSummary, type Log } from "../telemetry/log.ts";

/** Between two rounds, in ms; drawn anew each time, so that processes do not sweep in step. */
const PAUSE: Backoff = { leastMs: 1_000, firstMs: 3_000, growth: 1, maxMs: 3_000 };
/** After a failure, in ms. */
const FAILED_PAUSE: Backoff = { leastMs: 1_000, firstMs: 4_000, growth: 2, maxMs: 60_000 };
/**
 * Behind each batch, so many times as long as it took: where very many holds end at once, sales keep most of the
 * database and of the process, as nothing waits for the sweeper.
 */
const REST_PER_BATCH = 9;
/** The longest of these, in ms. */
const REST_MS_MAX = 2_000;
/** Orders that are under way at a time; the queue of sales has many times as much capacity. */
export const SWEEP_ORDERS_MAX = 200;
/**
 * A round begins so far before the end of the one before it, in ms: a hold that was made by a clock that was put back
 * meanwhile may have ended there.
 */
const OVERLAP_MS = 60_000;
const BEGINNING: TimeKey = { atMs: 0, orderId: "" };

/** What the sweeper works with. */
export interface HoldSweeperParts {
  readonly store: Pick<Store, "readDueOrders">;
  readonly lanes: Pick<Lanes, "applyAll">;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Waits so many ms, or until the signal aborts. Default: real time. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** In ms, from any moment on. Default: real time. */
  readonly nowMs?: () => number;
}

/** What a sweeper shows of itself. */
export interface SweeperView {
  /** Orders whose time was up when it last looked, and that it has not written down since; at most one batch. */
  readonly due: number;
  /** How long ago it was last through with all that was due; at first, since it began. */
  readonly lagMs: number;
  /** Orders that it has written down as expired. */
  readonly expired: number;
  /** Rounds that failed in a row. */
  readonly failures: number;
}

/** What one round came to. */
interface Round {
  readonly expired: number;
  readonly failed: number;
  /** Why some failed, or nothing could be read; undefined: neither. */
  readonly error: unknown;
}

/** Sweeps until it is stopped. */
export class HoldSweeper {
  readonly #parts: HoldSweeperParts;
  readonly #stopping = new AbortController();
  readonly #stopped: Promise<void>;
  /** Where this round goes on, and where the next one begins. */
  #at = BEGINNING;
  #nextFrom: TimeKey | undefined;
  #due = 0;
  #expired = 0;
  #failures = 0;
  #throughAt: number;

  /** Begins, with a pause. */
  constructor(parts: HoldSweeperParts) {
    this.#parts = parts;
    this.#throughAt = this.#nowMs();
    this.#stopped = this.#run();
  }

  get view(): SweeperView {
    const lagMs = this.#nowMs() - this.#throughAt;
    return { due: this.#due, lagMs, expired: this.#expired, failures: this.#failures };
  }

  /** Resolves once it sweeps no more. What is under way in the lanes ends there, or is left to another process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopped;
  }

  async #run(): Promise<void> {
    const { log, random, pause = realPause } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(
        this.#failures === 0 ? backoffMs(PAUSE, 1, random()) : backoffMs(FAILED_PAUSE, this.#failures, random()),
        signal,
      );
      if (signal.aborted) return;
      const begunMs = this.#nowMs();
      const { expired, failed, error } = await this.#sweep();
      if (error === undefined) this.#throughAt = begunMs;
      this.#expired += expired;
      if (expired > 0) log.info({ orders: expired }, "holds that had expired were written down");
      this.#failures = error === undefined ? 0 : this.#failures + 1;
      if (this.#failures > 0 && !signal.aborted) {
        // A store that is away is no fault to be looked for in the program, and it may be away for long.
        const said = error instanceof StoreError ? errorSummary(error) : errorFields(error);
        log.warn(
          { failures: this.#failures, orders: failed, error: said },
          "expired holds could not be written down",
        );
      }
    }
  }

  #nowMs(): number {
    return this.#parts.nowMs?.() ?? performance.now();
  }

  /** A round, or as much of it as can be had now. */
  async #sweep(): Promise<Round> {
    const { store, lanes, pause = realPause } = this.#parts;
    const { signal } = this.#stopping;
    let [expired, failed] = [0, 0];
    let error: unknown;
    try {
      for (;;) {
        const begunMs = this.#nowMs();
        const { atMs, orders } = await store.readDueOrders(this.#at, SWEEP_ORDERS_MAX, signal);
        this.#due = orders.length;
        const ends = await lanes.applyAll(
          orders.map((order) => ({ kind: "expire", orderId: order.orderId, read: order })),
          signal,
        );
        const lost = orders.filter((_, i) => ends[i]?.status === "rejected");
        this.#due = lost.length;
        expired += orders.length - lost.length;
        failed += lost.length;
        const [first] = lost;
        if (first !== undefined) this.#nextFrom ??= before(first.expiresAtMs);
        const last = orders.at(-1);
        if (last !== undefined && orders.length === SWEEP_ORDERS_MAX) {
          this.#at = { atMs: last.expiresAtMs, orderId: last.orderId };
        } else {
          this.#at = this.#nextFrom ?? before(atMs - OVERLAP_MS);
          this.#nextFrom = undefined;
        }
        error ??= ends.find((end) => end.status === "rejected")?.reason;
        const isFutile = lost.length > 0 && lost.length === orders.length;
        if (isFutile || orders.length < SWEEP_ORDERS_MAX) return { expired, failed, error };
        const tookMs = this.#nowMs() - begunMs;
        if (tookMs > 0) await pause(Math.min(REST_PER_BATCH * tookMs, REST_MS_MAX), signal);
      }
    } catch (readError) {
      return { expired, failed, error: readError };
    }
  }
}

/** From which key on rows of that moment are found. */
function before(ms: number): TimeKey {
  return { atMs: Math.max(0, ms - 1), orderId: "" };
}
