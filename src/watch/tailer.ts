/**
 * Reads what is committed as it is committed, once for all watchers of the process. It runs while anybody watches.
 *
 *     stopped  --somebody joins---------------------------> starting
 *     starting --the database said where it stands--------> tailing
 *     tailing  --a read: what is new goes to everybody----> tailing
 *     starting, tailing --the read failed-----------------> the same, after a pause that grows
 *     tailing  --the database is not the one that it was--> starting: everybody's stream has to end
 *     any      --the last one left------------------------> stopped
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import { pause } from "../base/bounded_wait.ts";
import { DatabaseUnavailableError, OutcomeUnknownError, StatementTimeoutError } from "../store/errors.ts";
import type { TailStore } from "../store/store.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";
import type { ChangesByGoods } from "./filter.ts";
import type { LivePosition } from "./position.ts";
import { DatabaseSetBackError, type TailPart, TailReader, type TailSource } from "./tail_reader.ts";

/** From the begin of one read to that of the next: at the most, and where this process has written meanwhile. */
const POLL_MS = 150;
const WOKEN_POLL_MS = 50;
/**
 * The same where a read brings so much that it is better brought together: so much more for each row, up to this. A
 * read looks at all rows of the last seconds again, and a message costs a stream far more than one change more in it.
 */
const POLL_MS_PER_ROW = 1;
const BUSY_POLL_MS = 200;
/** A read is followed by a pause of at least so many times what it took, so that it costs a bounded part of a core. */
const PAUSE_PER_READ = 4;
const FAILED_PAUSE: Backoff = { leastMs: 100, firstMs: 250, growth: 2, maxMs: 2_000 };
const PASSING = [DatabaseUnavailableError, OutcomeUnknownError, StatementTimeoutError];

/** What came with one read, or a part of it. */
export interface TailBatch extends TailPart, ChangesByGoods {
  /** The read was the so many-th to begin. */
  readonly begun: number;
}

/** Takes batches in; undefined: the database is not the one that it was, and there will be no more. */
export type Watcher = (batch: TailBatch | undefined) => void;

/** What it is made of. */
export interface TailerParts {
  readonly source: TailSource & Pick<TailStore, "onCommitted">;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
  /** Instead of LATE_US_MAX of tail_reader.ts. */
  readonly lateUsMax?: number | undefined;
}

/** What it shows of itself. */
export interface TailerView {
  readonly watchers: number;
  /** Reads since the start, those that failed, and movements that they brought. */
  readonly reads: number;
  readonly failures: number;
  readonly rows: number;
  /** How long ago the last read that succeeded began, in seconds; 0 while nobody watches. */
  readonly lagSeconds: number;
}

/** The shortest pause behind a read that took so long and brought so many rows. */
export function pauseMs(tookMs: number, rows: number): number {
  const everyMs = Math.min(WOKEN_POLL_MS + POLL_MS_PER_ROW * rows, BUSY_POLL_MS);
  return Math.max(0, everyMs - tookMs, PAUSE_PER_READ * tookMs);
}

/** What streams ask of a tailer. */
export type WatchedTailer = Pick<Tailer, "clock" | "wholeClock" | "position" | "join" | "wake">;

/** Reads until nobody watches any more. */
export class Tailer {
  readonly #parts: TailerParts;
  readonly #watchers = new Set<Watcher>();
  /** Those who joined while there was no position to begin from. */
  readonly #joining = new Map<Watcher, (origin: LivePosition) => void>();
  readonly #stopping = new AbortController();
  #reader: TailReader | undefined;
  #run: Promise<void> | undefined;
  /** A part of a difference was given, and the rest was not. */
  #isBetweenParts = false;
  #clock = 0;
  #wholeClock = 0;
  #readAtMs = 0;
  #wake = Promise.withResolvers<void>();
  #isWoken = false;
  #counts = { reads: 0, failures: 0, rows: 0 };

  constructor(parts: TailerParts) {
    this.#parts = parts;
  }

  get view(): TailerView {
    const lagMs = this.#run === undefined ? 0 : this.#parts.nowMs() - this.#readAtMs;
    return { watchers: this.#watchers.size + this.#joining.size, ...this.#counts, lagSeconds: lagMs / 1000 };
  }

  /** Counts the reads that have begun: one that begins later sees all that was committed before. */
  get clock(): number {
    return this.#clock;
  }

  /** The last read that succeeded was the so many-th to begin; 0: none yet. */
  get wholeClock(): number {
    return this.#wholeClock;
  }

  /** Where it stands; undefined: it does not run, or is starting. */
  get position(): LivePosition | undefined {
    return this.#reader?.position;
  }

  /**
   * Gives every batch to the watcher from now on: all that is committed after `origin`, which is known once the
   * database has said it. Leaving is to be called once.
   */
  join(watcher: Watcher): { readonly origin: Promise<LivePosition>; leave(): void } {
    const leave = () => {
      this.#watchers.delete(watcher);
      this.#joining.delete(watcher);
    };
    const { position } = this;
    if (position !== undefined && !this.#isBetweenParts) {
      this.#watchers.add(watcher);
      return { origin: Promise.resolve(position), leave };
    }
    const { promise: origin, resolve } = Promise.withResolvers<LivePosition>();
    this.#joining.set(watcher, resolve);
    if (this.#run === undefined) {
      this.#readAtMs = this.#parts.nowMs();
      this.#parts.source.onCommitted(() => this.wake());
      this.#run = this.#tail();
    }
    return { origin, leave };
  }

  /** Somebody waits for the next read. Costs a flag. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    this.#wake.resolve();
  }

  /** Resolves once it reads no more; nobody gets anything any more. */
  async stop(): Promise<void> {
    this.#watchers.clear();
    this.#joining.clear();
    this.#stopping.abort();
    this.#wake.resolve();
    await this.#run;
  }

  async #tail(): Promise<void> {
    const { log, random, nowMs } = this.#parts;
    const { signal } = this.#stopping;
    let failures = 0;
    while (this.#watchers.size + this.#joining.size > 0 && !signal.aborted) {
      const begunMs = nowMs();
      const { rows: rowsBefore } = this.#counts;
      try {
        await this.#read(failures > 0);
        this.#readAtMs = begunMs;
        this.#wholeClock = this.#clock;
        if (failures > 0) log.info({ failures }, "changes are read again");
        failures = 0;
        await this.#pause(begunMs, this.#counts.rows - rowsBefore);
      } catch (error) {
        failures++;
        this.#counts.failures++;
        const isPassing = PASSING.some((kind) => error instanceof kind);
        if (!signal.aborted) {
          log[isPassing && failures > 1 ? "debug" : "warn"](
            { failures, error: errorSummary(error) },
            "changes could not be read",
          );
        }
        await pause(backoffMs(FAILED_PAUSE, failures, random()), signal);
      }
    }
    this.#reader = undefined;
    this.#isBetweenParts = false;
    this.#parts.source.onCommitted(undefined);
    this.#run = undefined;
  }

  /** After a read that began then and brought so many rows. */
  async #pause(begunMs: number, rows: number): Promise<void> {
    const { nowMs } = this.#parts;
    await pause(pauseMs(nowMs() - begunMs, rows), this.#stopping.signal);
    const restMs = begunMs + POLL_MS - nowMs();
    if (this.#isWoken || restMs <= 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const due = new Promise<void>((resolve) => timer = setTimeout(resolve, restMs));
    await Promise.race([due, this.#wake.promise]);
    clearTimeout(timer);
  }

  /** One read; the first of all only says where the database stands. */
  async #read(isAfterFailure: boolean): Promise<void> {
    const { source, nowMs, lateUsMax } = this.#parts;
    const { signal } = this.#stopping;
    this.#isWoken = false;
    this.#wake = Promise.withResolvers();
    this.#counts.reads++;
    const begun = ++this.#clock;
    if (this.#reader === undefined) {
      const reader = new TailReader(source, nowMs, lateUsMax);
      const position = await reader.start(signal);
      this.#reader = reader;
      this.#admit(position);
      return;
    }
    try {
      if (isAfterFailure) await this.#reader.verify(signal);
      const give = (part: TailPart) => {
        this.#give({ ...part, begun, byGoods: Map.groupBy(part.changes, ({ level }) => level.goodsId) });
      };
      await this.#reader.read(give, signal);
    } catch (error) {
      if (error instanceof DatabaseSetBackError) this.#dismiss();
      throw error;
    }
  }

  /** Nobody can be given what comes next: it is not what follows on what they have. */
  #dismiss(): void {
    this.#reader = undefined;
    this.#isBetweenParts = false;
    for (const watcher of this.#watchers) watcher(undefined);
    this.#watchers.clear();
  }

  #give(batch: TailBatch): void {
    this.#counts.rows += batch.rows.length;
    this.#isBetweenParts = batch.position === undefined;
    for (const watcher of this.#watchers) watcher(batch);
    if (batch.position !== undefined) this.#admit(batch.position);
  }

  #admit(position: LivePosition): void {
    for (const [watcher, resolve] of this.#joining) {
      this.#watchers.add(watcher);
      resolve(position);
    }
    this.#joining.clear();
  }
}
