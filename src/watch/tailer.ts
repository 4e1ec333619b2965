/**
 * Reads what is committed as it is committed, once for all watchers of the process: which movements came since it read
 * last. It runs while anybody watches.
 *
 *     stopped  --somebody joins-----------------------> starting
 *     starting --the database said where it stands----> tailing
 *     tailing  --a read: its movements go to everybody--> tailing
 *     starting, tailing --the read failed-------------> the same, after a pause that grows
 *     any      --the last one left--------------------> stopped
 *
 * Two reads follow on each other by their snapshots: what the one has not seen and the other has is new, whatever its
 * time and the sequence of its commit, and no row is new twice. A transaction that hangs holds nobody up: what it wrote
 * is new once it is over, and what others wrote while it hung has been new before.
 *
 * The ledger has no index of transactions. Rows are looked for by their time, from {@link OVERLAP_US} before the read
 * before, as their time is that of the read that they were decided on. Of a transaction that was under way then, they
 * are looked for from when it was first seen.
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import { pause } from "../base/bounded_wait.ts";
import { invariant } from "../base/invariant.ts";
import { DatabaseUnavailableError, OutcomeUnknownError, StatementTimeoutError } from "../store/errors.ts";
import type { TailQuery, TailRead, TailRow } from "../store/statements/tail.ts";
import { hasSeen, lowXid } from "../store/transaction_snapshot.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";
import { changesOf, type InvChange } from "./changes.ts";
import type { LivePosition, Witness } from "./position.ts";
import { inVersionOrder } from "./version_order.ts";

/** From the begin of one read to that of the next: at the most, and where this process has written meanwhile. */
const POLL_MS = 150;
const WOKEN_POLL_MS = 50;
/** Rows of one read; what is more comes with further ones of the same difference. */
export const TAIL_ROWS_MAX = 2000;
/** A movement is committed so long after its time at the most: decided on a read, written, committed. */
const OVERLAP_US = 2_000_000;
/** So far before its start a tailer looks for rows of transactions that it finds under way. */
const START_LOOKBACK_US = 300_000_000;
/** Rows of savepoints are distinguished from rows that were seen in transactions that hang no longer than this. */
const SAVEPOINT_US_MAX = 30_000_000;
const FAILED_PAUSE: Backoff = { leastMs: 100, firstMs: 250, growth: 2, maxMs: 2_000 };
const PASSING = [DatabaseUnavailableError, OutcomeUnknownError, StatementTimeoutError];

/** Where movements are read from. */
export interface TailSource {
  /** Names the database: another one has another id. */
  identify(signal: AbortSignal): Promise<string>;
  read(query: TailQuery, signal: AbortSignal): Promise<TailRead>;
  /** Whom to call after every batch that this process has committed; undefined: nobody any more. */
  onCommitted(listener: (() => void) | undefined): void;
}

/** What came with one read. */
export interface TailBatch {
  /** When the read began, by {@link Tailer.clock}. */
  readonly begun: number;
  /** In commit order as far as it shows: by version for each place. */
  readonly rows: readonly TailRow[];
  /** The same as changes of levels. */
  readonly changes: readonly InvChange[];
  /** Where everybody stands who took this batch in; undefined: more of the same difference follows. */
  readonly position: LivePosition | undefined;
}

/** Takes batches in. */
export type Watcher = (batch: TailBatch) => void;

/** What it is made of. */
export interface TailerParts {
  readonly source: TailSource;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
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

/** Reads until nobody watches any more. */
export class Tailer {
  readonly #parts: TailerParts;
  readonly #watchers = new Set<Watcher>();
  readonly #underWaySince = new Map<number, number>();
  readonly #stopping = new AbortController();
  #clock = 0;
  #run: Promise<void> | undefined;
  #position: LivePosition | undefined;
  #nowUs = 0;
  #readAtMs = 0;
  readonly #joining = new Map<Watcher, (origin: LivePosition) => void>();
  /** A part of a difference was given, and the rest was not. */
  #isBetweenPages = false;
  #wake = Promise.withResolvers<void>();
  #isWoken = false;
  #counts = { reads: 0, failures: 0, rows: 0 };

  constructor(parts: TailerParts) {
    this.#parts = parts;
  }

  get view(): TailerView {
    const lagMs = this.#run === undefined ? 0 : this.#parts.nowMs() - this.#readAtMs;
    return { watchers: this.#watchers.size, ...this.#counts, lagSeconds: lagMs / 1000 };
  }

  /** Counts the reads that have begun: one that begins later sees all that was committed before. */
  get clock(): number {
    return this.#clock;
  }

  /** Where it stands; undefined: it does not run, or is starting. */
  get position(): LivePosition | undefined {
    return this.#position;
  }

  /**
   * Gives every batch to the watcher from now on: all that is committed after `origin`. Leaving is to be called once.
   */
  join(watcher: Watcher): { readonly origin: Promise<LivePosition>; leave(): void } {
    const leave = () => {
      this.#watchers.delete(watcher);
      this.#joining.delete(watcher);
    };
    if (this.#position !== undefined && !this.#isBetweenPages) {
      this.#watchers.add(watcher);
      return { origin: Promise.resolve(this.#position), leave };
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

  /** Those who joined before there was a position to begin from. */
  #admit(position: LivePosition): void {
    for (const [watcher, resolve] of this.#joining) {
      this.#watchers.add(watcher);
      resolve(position);
    }
    this.#joining.clear();
  }

  /** This process has committed something: the next read is due. Costs a flag. */
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
    let failures = 0;
    while (this.#watchers.size + this.#joining.size > 0 && !this.#stopping.signal.aborted) {
      const begunMs = nowMs();
      try {
        await this.#read(++this.#clock);
        if (failures > 0) log.info({ failures }, "changes are read again");
        failures = 0;
        await this.#pause(begunMs);
      } catch (error) {
        failures++;
        this.#counts.failures++;
        const isPassing = PASSING.some((kind) => error instanceof kind);
        if (!this.#stopping.signal.aborted) {
          log[isPassing && failures > 1 ? "debug" : "warn"](
            { failures, error: errorSummary(error) },
            "changes could not be read",
          );
        }
        await this.#rest(backoffMs(FAILED_PAUSE, failures, random()));
      }
    }
    this.#position = undefined;
    this.#underWaySince.clear();
    this.#isBetweenPages = false;
    this.#parts.source.onCommitted(undefined);
    this.#run = undefined;
  }

  async #pause(begunMs: number): Promise<void> {
    const { nowMs } = this.#parts;
    await this.#rest(begunMs + WOKEN_POLL_MS - nowMs());
    if (this.#isWoken) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const due = new Promise<void>((resolve) => timer = setTimeout(resolve, begunMs + POLL_MS - nowMs()));
    await Promise.race([due, this.#wake.promise]);
    clearTimeout(timer);
  }

  async #rest(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, this.#stopping.signal);
  }

  /** One read, and further ones where it is more than fits; the first of all only says where the database stands. */
  async #read(begun: number): Promise<void> {
    const { source, nowMs } = this.#parts;
    const { signal } = this.#stopping;
    this.#isWoken = false;
    this.#wake = Promise.withResolvers();
    const from = this.#position;
    const begunMs = nowMs();
    this.#counts.reads++;
    if (from === undefined) {
      const databaseId = await source.identify(signal);
      const first = await source.read({ sinceUs: 0, limit: 0 }, signal);
      this.#position = this.#positionAt(first, { databaseId, witness: undefined });
      this.#admit(this.#position);
    } else {
      const query = this.#queryBehind(from, begunMs);
      let read = await source.read(query, signal);
      const { snapshot } = read;
      let { witness } = from;
      for (let page = read;; page = read) {
        witness = witnessOf(page.rows) ?? witness;
        const rows = inVersionOrder(page.rows.filter(({ xid }) => !hasSeen(from.snapshot, xid)));
        this.#counts.rows += rows.length;
        const changes = changesOf(rows, page.levels);
        if (!page.hasMore) {
          this.#position = this.#positionAt({ ...page, snapshot }, { databaseId: from.databaseId, witness });
          this.#isBetweenPages = false;
          this.#give({ begun, rows, changes, position: this.#position });
          this.#admit(this.#position);
          break;
        }
        this.#isBetweenPages = true;
        this.#give({ begun, rows, changes, position: undefined });
        const { atUs, goodsId, locationId, version } = page.rows.at(-1)!;
        read = await source.read({ ...query, upTo: snapshot, key: [atUs, goodsId, locationId, version] }, signal);
      }
    }
    this.#readAtMs = begunMs;
  }

  #queryBehind({ snapshot }: LivePosition, begunMs: number): TailQuery {
    const late = snapshot.xip.map((xid) => {
      const sinceUs = this.#underWaySince.get(xid);
      invariant(sinceUs !== undefined, "a transaction under way has no time since when");
      return { xid, sinceUs };
    });
    return {
      after: snapshot,
      sinceUs: this.#nowUs - OVERLAP_US,
      agoUs: Math.ceil((begunMs - this.#readAtMs) * 1000) + OVERLAP_US,
      late,
      withSavepoints: late.filter(({ sinceUs }) => this.#nowUs - sinceUs < SAVEPOINT_US_MAX).map(({ xid }) => xid),
      limit: TAIL_ROWS_MAX,
    };
  }

  #positionAt(
    { snapshot, nowUs }: Pick<TailRead, "snapshot" | "nowUs">,
    { databaseId, witness }: Pick<LivePosition, "databaseId" | "witness">,
  ): LivePosition {
    const isFirst = this.#position === undefined;
    const since = isFirst ? nowUs - START_LOOKBACK_US : this.#nowUs - OVERLAP_US;
    for (const xid of this.#underWaySince.keys()) if (hasSeen(snapshot, xid)) this.#underWaySince.delete(xid);
    for (const xid of snapshot.xip) if (!this.#underWaySince.has(xid)) this.#underWaySince.set(xid, since);
    this.#nowUs = nowUs;
    return {
      databaseId,
      snapshot,
      sinceUs: Math.max(0, Math.min(nowUs, ...this.#underWaySince.values())),
      witness,
    };
  }

  #give(batch: TailBatch): void {
    for (const watcher of this.#watchers) watcher(batch);
  }
}

function witnessOf(rows: readonly TailRow[]): Witness | undefined {
  const last = rows.at(-1);
  return last && { goodsId: last.goodsId, locationId: last.locationId, version: last.version, xid: lowXid(last.xid) };
}
