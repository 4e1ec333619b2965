/**
 * Why an operation came to no verdict, in words that the wire can translate without knowing Redis or
 * PostgreSQL. A refusal is not a failure: it is an answer.
 */
import { LeaseTakenError, QuorumLostError } from "../lock/lock.ts";
import {
  BlockLostError,
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  PoolQueueFullError,
  ReadOnlyServerError,
  RowLockedError,
  StatementTimeoutError,
} from "../store/errors.ts";

/**
 * - `busy`: others had the goods, or went on changing them, for too long. Nothing was written.
 * - `no_quorum`: too few lock nodes answer. Nothing was written.
 * - `database`: the database can't be reached or takes no work. Nothing was written.
 * - `read_only`: the database is there, and takes no writes, as a standby does. Nothing was written.
 * - `outcome_unknown`: the database went away in the middle; the change may have been made.
 * - `queue_full`: too many callers wait. Nothing was written.
 * - `deadline_too_short`: the caller's deadline passes before its turn comes. Nothing was begun.
 */
export type FailureKind =
  | "busy"
  | "no_quorum"
  | "database"
  | "read_only"
  | "outcome_unknown"
  | "queue_full"
  | "deadline_too_short";

/** An operation that came to no verdict. A retry under the same id is always safe. */
export class Failure extends Error {
  override name = "Failure";
  readonly kind: FailureKind;
  /** When a retry makes sense, in ms; undefined: as usual. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number }) {
    super(message, options);
    this.kind = kind;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** That a wait of so long can't end in the time that a call has left; undefined: it may. */
export function deadlineTooShort(waitMs: number, remainingMs: number | undefined): Failure | undefined {
  if (remainingMs === undefined || waitMs <= remainingMs) return undefined;
  const [wait, left] = [waitMs, remainingMs].map((ms) => Math.max(0, Math.round(ms)));
  return new Failure("deadline_too_short", `the queue takes ${wait} ms or more, and the call has ${left} ms left`, {
    retryAfterMs: waitMs,
  });
}

/** An error of the lock or the store as a Failure; anything else, a fault of this program, as it is. */
export function failureOf(error: unknown): unknown {
  if (error instanceof LeaseTakenError || error instanceof RowLockedError) {
    return new Failure("busy", "The goods are held by someone else", { cause: error });
  }
  if (error instanceof FenceLostError || error instanceof ConflictError) {
    return new Failure("busy", "Others kept changing the goods", { cause: error });
  }
  if (error instanceof QuorumLostError) {
    return new Failure("no_quorum", "Too few lock nodes answer", { cause: error });
  }
  if (isOfReadOnlyServer(error)) return new Failure("read_only", "The database takes no writes now", { cause: error });
  if (
    error instanceof DatabaseUnavailableError || error instanceof BlockLostError ||
    error instanceof StatementTimeoutError
  ) {
    return new Failure("database", "The database is not available", { cause: error });
  }
  if (error instanceof OutcomeUnknownError) {
    return new Failure("outcome_unknown", "The database went away; the change may have been made", { cause: error });
  }
  if (error instanceof PoolQueueFullError) {
    return new Failure("queue_full", "Too many calls wait for the database", { cause: error });
  }
  return error;
}

/** A part of a batch that met one is the cause of how its other parts end. */
function isOfReadOnlyServer(error: unknown): boolean {
  return error instanceof ReadOnlyServerError ||
    (error instanceof DatabaseUnavailableError && error.cause instanceof ReadOnlyServerError);
}
