/** How large batches are and how long they take, and what they ask of the lock and of PostgreSQL. */
import { Distribution, Distributions, PairDistributions, SECONDS, SIZES, Tally } from "./measures.ts";
import type { Ended, LeaseStep, ObservedBatch, StockObserver } from "./observer.ts";

/** How asking for a lease ended, by the name of the error. */
const ACQUIRE_RESULTS: ReadonlyMap<string, AcquireResult> = new Map([
  ["LeaseTakenError", "taken"],
  ["QuorumLostError", "no_quorum"],
]);
type AcquireResult = "acquired" | "taken" | "no_quorum" | "failed";

/** How a statement ended, by the name of the error; anything else is `other`. */
const ERROR_TYPES: ReadonlyMap<string, string> = new Map([
  ["FenceLostError", "fence_lost"],
  ["OffLedgerError", "off_ledger"],
  ["ConflictError", "conflict"],
  ["OutcomeUnknownError", "outcome_unknown"],
  ["BlockLostError", "block_lost"],
  ["DatabaseUnavailableError", "unavailable"],
  ["ReadOnlyServerError", "read_only"],
  ["RowLockedError", "row_locked"],
  ["StatementTimeoutError", "timeout"],
  ["PoolQueueFullError", "pool_queue_full"],
  ["ConnectError", "cancelled"],
  ["AbortError", "cancelled"],
]);
/** All that `error_type` can be; nothing where a statement did what it should. */
export const STATEMENT_ERRORS: readonly string[] = [...new Set(["", ...ERROR_TYPES.values(), "other"])];

/** The durations of one operation's statements that ended alike. */
export interface StatementDurations {
  readonly operation: string;
  readonly error: string;
  readonly seconds: Distribution;
}

/** Measures the work of one process's stock. */
export class StockMeasures implements StockObserver {
  readonly batchEntries = new Distribution(SIZES);
  readonly batchSeconds = new Distribution(SECONDS);
  /** From the arrival of a batch's first entry to its begin. */
  readonly waitSeconds = new Distribution(SECONDS);
  readonly acquireSeconds = new Distributions<AcquireResult>(
    { acquired: 0, taken: 0, no_quorum: 0, failed: 0 },
    SECONDS,
  );
  readonly extensions = new Tally<"extended" | "lost">({ extended: 0, lost: 0 });
  /** By operation of the store, then by error. */
  readonly #statements = new PairDistributions(SECONDS);

  /** @param nowMs a clock that runs forward */
  constructor(private readonly nowMs: () => number) {}

  call(): undefined {
    return undefined;
  }

  async batch({ entries, waitedMs }: ObservedBatch, work: () => Promise<void>): Promise<void> {
    const begunMs = this.nowMs();
    this.batchEntries.observe(entries);
    this.waitSeconds.observeMs(waitedMs);
    await work();
    this.batchSeconds.observeMs(this.nowMs() - begunMs);
  }

  lease(step: LeaseStep): Ended | undefined {
    if (step === "release") return undefined;
    if (step === "extend") return (error) => this.extensions.add(error === undefined ? "extended" : "lost");
    const begunMs = this.nowMs();
    return (error) => {
      const result = error === undefined
        ? "acquired"
        : ACQUIRE_RESULTS.get((error as Error | null)?.name ?? "") ?? "failed";
      this.acquireSeconds.of(result).observeMs(this.nowMs() - begunMs);
    };
  }

  statement(operation: string): Ended {
    const begunMs = this.nowMs();
    return (error) => {
      const type = error === undefined ? "" : ERROR_TYPES.get((error as Error | null)?.name ?? "") ?? "other";
      this.#statements.of(operation, type).observeMs(this.nowMs() - begunMs);
    };
  }

  /** All that there were. */
  statements(): StatementDurations[] {
    return this.#statements.all.map(([operation, error, seconds]) => ({ operation, error, seconds }));
  }
}
