/**
 * Compares the levels with the ledger, a few at a time, from the first goods to the last and then anew: what somebody
 * changed by hand, or restored in part, is found before a sale stumbles over it. It repairs nothing.
 *
 *     pausing  --pause over----------> checking   a page
 *     checking --page read-----------> pausing    behind that page; at the end a pass is over, and the next begins
 *     checking --it can't be read----> pausing    at the same place
 *     any      --stop----------------> stopped
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import { pause as realPause } from "../base/bounded_wait.ts";
import { keyOf, type Place, type StockKey } from "../inventory/stock_key.ts";
import { DatabaseUnavailableError, PoolQueueFullError } from "../store/errors.ts";
import type { PostgresStore } from "../store/store.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";

/** Between two pages, in ms; drawn anew each time. */
const PAUSE: Backoff = { leastMs: 4_000, firstMs: 6_000, growth: 1, maxMs: 6_000 };
/** Places in a page: two lookups in indexes each, some ms for all of them. A million places take under three hours. */
const PAGE_PLACES = 500;
/** Places that are off and are remembered, so as to be counted once in a pass. */
const OFF_MAX = 10_000;
/** Of these, in a line of the log. */
const NAMED_MAX = 10;
const PASSING = [DatabaseUnavailableError, PoolQueueFullError];

/** What it is made of. */
export interface LedgerCheckParts {
  readonly store: Pick<PostgresStore, "checkLedger">;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Waits so many ms, or until the signal aborts. Default: real time. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Instead of {@link PAGE_PLACES}. */
  readonly pagePlaces?: number;
}

/** What it shows of itself. */
export interface LedgerCheckView {
  /** Places that are off: in the last whole pass, or so far in this one, whichever are more. */
  readonly violations: number;
  /** Places that were compared since the start. */
  readonly checked: number;
  /** Whole passes since the start. */
  readonly passes: number;
}

/** Checks until it is stopped. */
export class LedgerCheck {
  readonly #parts: LedgerCheckParts;
  readonly #stopping = new AbortController();
  readonly #stopped: Promise<void>;
  readonly #off = new Set<StockKey>();
  #lastOff = 0;
  #at: Place | undefined;
  #checked = 0;
  #passes = 0;

  /** Begins, with a pause. */
  constructor(parts: LedgerCheckParts) {
    this.#parts = parts;
    this.#stopped = this.#run();
  }

  get view(): LedgerCheckView {
    return {
      violations: Math.max(this.#lastOff, this.#off.size),
      checked: this.#checked,
      passes: this.#passes,
    };
  }

  /** Resolves once it checks no more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopped;
  }

  async #run(): Promise<void> {
    const { log, random, pause = realPause } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(backoffMs(PAUSE, 1, random()), signal);
      if (signal.aborted) return;
      try {
        await this.#checkPage(signal);
      } catch (error) {
        // Whether PostgreSQL is there, and takes work, is for health to say; anything else would go on unseen.
        const isPassing = signal.aborted || PASSING.some((kind) => error instanceof kind);
        log[isPassing ? "debug" : "warn"](
          { error: errorSummary(error) },
          "the ledger could not be compared with the levels",
        );
      }
    }
  }

  async #checkPage(signal: AbortSignal): Promise<void> {
    const { store, log, pagePlaces = PAGE_PLACES } = this.#parts;
    const { places, last, off } = await store.checkLedger(this.#at, pagePlaces, signal);
    this.#checked += places;
    const news = off.map(keyOf).filter((stockKey) => !this.#off.has(stockKey));
    for (const stockKey of news.slice(0, OFF_MAX - this.#off.size)) this.#off.add(stockKey);
    if (news.length > 0) {
      log.error({ goods: news.slice(0, NAMED_MAX), places: news.length }, "stock is not what its ledger came to");
    }
    if (places === pagePlaces) return void (this.#at = last);
    this.#at = undefined;
    this.#passes++;
    this.#lastOff = this.#off.size;
    this.#off.clear();
  }
}
