/** What operations came to, how large batches were, and why they were tried again: since the process started. */
import type { OperationKind, Refusal, Verdict } from "../inventory/model.ts";
import type { Operation } from "../inventory/operations/operation.ts";
import { Tally } from "../telemetry/measures.ts";
import { Failure, type FailureKind } from "./failure.ts";
import type { Cause } from "./retry_rule.ts";

/**
 * - `applied`: now, or `repeated`: by an earlier call under the same id, whose answer it got again
 * - `tried`: a dry run that would have been applied
 * - `refused`: nothing changed, by a rule of stock
 * - `failed`: it came to no verdict: others had the goods, or the lock, the database or the queue was not to be had
 * - `left`: its caller had gone, or its time was up, before it was decided
 * - `fault`: of the program
 */
export type OperationEnd = "applied" | "repeated" | "tried" | "refused" | "failed" | "left" | "fault";

const ENDS: Readonly<Record<OperationEnd, 0>> = {
  applied: 0,
  repeated: 0,
  tried: 0,
  refused: 0,
  failed: 0,
  left: 0,
  fault: 0,
};
const KINDS: Readonly<Record<OperationKind, 0>> = {
  set: 0,
  sell: 0,
  rollback: 0,
  give_back: 0,
  reserve: 0,
  extend: 0,
  confirm: 0,
  release: 0,
  expire: 0,
  adjust: 0,
  count: 0,
  transfer: 0,
  policy: 0,
  delete: 0,
  restore: 0,
};
const REASONS: Readonly<Record<Refusal["reason"] | FailureKind, 0>> = {
  unknown_goods: 0,
  short_stock: 0,
  unknown_order: 0,
  order_state: 0,
  exceeds_sold: 0,
  exceeds_held: 0,
  content_differs: 0,
  out_of_range: 0,
  not_as_expected: 0,
  over_limit: 0,
  buyer_required: 0,
  shortfall: 0,
  has_holds: 0,
  below_floor: 0,
  busy: 0,
  no_quorum: 0,
  database: 0,
  read_only: 0,
  outcome_unknown: 0,
  queue_full: 0,
  deadline_too_short: 0,
};
const CAUSES: Readonly<Record<Cause, 0>> = {
  fence: 0,
  conflict: 0,
  row_locked: 0,
  lost_write: 0,
  block_lost: 0,
  database: 0,
  other: 0,
};

/** The numbers of one process's lanes. */
export class LanesTallies {
  readonly #operations = Object.fromEntries(
    Object.keys(KINDS).map((kind) => [kind, new Tally(ENDS)]),
  ) as Readonly<Record<OperationKind, Tally<OperationEnd>>>;
  /** Why operations were refused, or failed. */
  readonly reasons = new Tally(REASONS);
  /** Attempts of batches whose read or write failed, by what with. */
  readonly failedAttempts = new Tally(CAUSES);
  /** Of these, those after which entries were tried again. */
  readonly retries = new Tally(CAUSES);
  /** Leases that ran out: before the write of their batch began, or under it. */
  readonly leasesRanOut = new Tally({ before_write: 0, under_write: 0 });
  /** Writes on levels that were kept: made, or lost to the fence, and decided again on a snapshot. */
  readonly unread = new Tally({ written: 0, lost: 0 });

  #batches = 0;
  #batchEntries = 0;

  /** Batches that have begun, and the entries of all of them. */
  get batches(): { readonly count: number; readonly entries: number } {
    return { count: this.#batches, entries: this.#batchEntries };
  }

  /** A batch of so many entries begins. */
  batchBegan(entries: number): void {
    this.#batches++;
    this.#batchEntries += entries;
  }

  /** What operations came to, by kind. */
  get operations(): Readonly<Record<OperationKind, Tally<OperationEnd>>> {
    return this.#operations;
  }

  /** An operation has ended: with a verdict, with an error, or, without either, because its caller has left. */
  ended({ kind, dryRun }: Operation, verdict: Verdict | undefined, error: unknown): void {
    const ends = this.#operations[kind];
    if (verdict !== undefined) {
      const reason = verdict.ok ? verdict.kind === "shortfall" ? "shortfall" : undefined : verdict.refusal.reason;
      if (reason === undefined) return ends.add(dryRun ? "tried" : isReplay(verdict) ? "repeated" : "applied");
      ends.add("refused");
      return this.reasons.add(reason);
    }
    if (error === undefined) return ends.add("left");
    if (!(error instanceof Failure)) return ends.add("fault");
    ends.add("failed");
    this.reasons.add(error.kind);
  }

  /** An attempt failed for this; some of its entries are tried again, or none. */
  attemptFailed(cause: Cause, isTriedAgain: boolean): void {
    this.failedAttempts.add(cause);
    if (isTriedAgain) this.retries.add(cause);
  }
}

function isReplay(verdict: Verdict): boolean {
  return verdict.ok && verdict.replayed === true;
}
