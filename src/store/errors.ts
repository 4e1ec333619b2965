/**
 * What can go wrong between us and PostgreSQL, by what the caller may conclude from it.
 * SQLSTATE meanings: PostgreSQL manual, appendix A.
 */
import { isTlsAlert } from "../base/tls_failure.ts";
import type { StockKey } from "../inventory/stock_key.ts";

/** Base of this folder's errors. The driver's error is the cause; only its code is ever shown. */
export abstract class StoreError extends Error {}

/** A row that was read has been changed by someone else since. Nothing was written. */
export class FenceLostError extends StoreError {
  override name = "FenceLostError";
}

/**
 * The rows of levels of these goods do not stand where their ledger does. Nothing was written, and nothing can be until
 * somebody has put that right: a fault of the data, and no use to try again.
 */
export class OffLedgerError extends StoreError {
  override name = "OffLedgerError";
  readonly stockKeys: readonly StockKey[];

  constructor(stockKeys: readonly StockKey[], options?: ErrorOptions) {
    super(`stock of goods ${stockKeys.join(", ")} does not stand where the ledger does`, options);
    this.stockKeys = stockKeys;
  }
}

/** PostgreSQL chose this statement as the victim of a conflict. Nothing was written; may be tried again at once. */
export class ConflictError extends StoreError {
  override name = "ConflictError";
}

/** The connection went away under the statement: it may have committed, or still be about to. */
export class OutcomeUnknownError extends StoreError {
  override name = "OutcomeUnknownError";
}

/** The connection of a transaction block went away before anything was written in it. May be tried again at once. */
export class BlockLostError extends StoreError {
  override name = "BlockLostError";
}

/** The database can't be reached or takes no work now. Nothing was written. */
export class DatabaseUnavailableError extends StoreError {
  override name = "DatabaseUnavailableError";
}

/** PostgreSQL is there, and refuses who logs in, or its certificate is not taken. Nothing was sent. */
export class LogInFailedError extends DatabaseUnavailableError {
  override name = "LogInFailedError";
}

/** PostgreSQL is there, and takes no writes: it is a standby, or set so. Nothing was written. */
export class ReadOnlyServerError extends DatabaseUnavailableError {
  override name = "ReadOnlyServerError";
}

/** The error of a server that was looked at. */
export function takesNoWrites(isStandby: boolean): ReadOnlyServerError {
  const why = isStandby ? "it is a standby" : "its sessions are set to read only";
  return new ReadOnlyServerError(`PostgreSQL takes no writes: ${why}`);
}

/** A row was locked by someone else for longer than the lock timeout. Nothing was written. */
export class RowLockedError extends StoreError {
  override name = "RowLockedError";
}

/** The statement ran into its time limit or was cancelled for its caller. Nothing was written. */
export class StatementTimeoutError extends StoreError {
  override name = "StatementTimeoutError";
}

/** Too many callers already wait for a connection. Nothing was sent. */
export class PoolQueueFullError extends StoreError {
  override name = "PoolQueueFullError";
}

/**
 * A primary key of ours, which only a second writer on the same read can violate. A partition or a shard has its own
 * under its own name, such as orders_0_pkey, movements_pkey_102009 or, where that was taken, orders_0_pkey1.
 */
const PRIMARY_KEY = /_pkey(_?\d+)?$/;
/**
 * Units of a hold would be taken off that are off already: PostgreSQL looks at this before the statement finds that the
 * lines of the hold are gone. By a clock that was set back, as by a failover, and by more than is made up for
 * (`CLOCK_BACK_MS_MAX`), a hold lives that had ended.
 */
const HOLD_IS_OFF = /^(movement_)?reserved_not_negative$/;
/** How Citus says it where the SQLSTATE of a shard was lost. */
const PRIMARY_KEY_IN_TEXT = /unique constraint "(\w+_pkey(?:_?\d+)?)"/;

/** A decision of before a period of the ledger began; see retention/periods.ts. */
const PERIOD_BEGAN = /^movements_\d+_began$/;

/** The text that the write statement casts to a number when a row it read has moved; see write_changes.ts. */
export const FENCE_LOST_TEXT = "rows no longer stand where they were read";

/** The end of a connection: the driver's own word, one of PostgreSQL's, or an error of the socket or of TLS. */
const CONNECTION_ENDED = /^(CONNECTION_|25P03|25P04|57P01|57P02|57P04|57P05|08|40003|ERR_|E[A-Z]+$)/;
/** The connection was not made. */
const NOT_CONNECTED = /^(CONNECT_TIMEOUT|ECONNREFUSED|ENOTFOUND|EAI_)/;
/**
 * Refused before a statement was taken, or a whole class in which the statement was undone: out of resources (53), I/O
 * error (58), starting up or shutting down (57P03), log-in (28), no database, not migrated (42P01, 42703). A PANIC has
 * such codes too, and may come behind a commit; but the driver (3.4.9) waits for the end of an answer, so that an error
 * which ends the session is to its statement a connection that was closed.
 */
const TAKES_NO_WORK = /^(57P03|53|58|28|3D000|42P01|42703)/;

/**
 * The driver's error as one of ours. Errors that are not the database's condition (syntax, missing rights, a violated
 * check) come back as they are: they are faults of this program and end as INTERNAL.
 */
export function storeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, constraint_name } = error as { code?: string; constraint_name?: string };
  if (typeof code !== "string") return error;
  if (code === "23505" && PRIMARY_KEY.test(constraint_name ?? "")) {
    return new FenceLostError(constraint_name, { cause: error });
  }
  if (code === "23514" && [PERIOD_BEGAN, HOLD_IS_OFF].some((check) => check.test(constraint_name ?? ""))) {
    return new FenceLostError(constraint_name, { cause: error });
  }
  const constraint = code === "XX000" ? PRIMARY_KEY_IN_TEXT.exec(error.message)?.[1] : undefined;
  if (constraint !== undefined) return new FenceLostError(constraint, { cause: error });
  if (code === "22P02" && error.message.includes(FENCE_LOST_TEXT)) {
    return new FenceLostError(FENCE_LOST_TEXT, { cause: error });
  }
  if (code === "40001" || code === "40P01") return new ConflictError(code, { cause: error });
  if (code === "55P03") return new RowLockedError(code, { cause: error });
  if (code === "57014") return new StatementTimeoutError(code, { cause: error });
  if (code === "25006") return new ReadOnlyServerError("PostgreSQL takes no writes", { cause: error });
  if (NOT_CONNECTED.test(code) || TAKES_NO_WORK.test(code)) return new DatabaseUnavailableError(code, { cause: error });
  if (CONNECTION_ENDED.test(code)) return new OutcomeUnknownError(code, { cause: error });
  return error;
}

/** Whether PostgreSQL undid a statement for want of disk or memory, which a look that writes nothing need not meet. */
export function lacksResources(error: unknown): boolean {
  return /^(53|58)/.test(String((error as { code?: unknown } | null)?.code));
}

/** Refused for who logs in: the password (28P01), the user, the certificate or the address (28000). */
const LOG_IN_REFUSED = /^28/;
/** How PgBouncer (1.18) says it, under a code for all that it refuses. */
const POOLER_REFUSES = /^08P01 .*(authentication failed|no such user)/;

const NOT_LET_IN = "PostgreSQL did not let us in";
/** Nobody who could have let us in answered, or the name leads nowhere. */
export const NOT_REACHED = "PostgreSQL could not be reached";

/** The error of a connection that could not be made, or was not let in. What is one already comes back as it is. */
export function notLetIn(error: unknown): DatabaseUnavailableError {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof LogInFailedError || error instanceof ReadOnlyServerError) return error;
  if (error instanceof DatabaseUnavailableError && [NOT_LET_IN, NOT_REACHED].includes(error.message)) return error;
  if (typeof code === "string" && (LOG_IN_REFUSED.test(code) || POOLER_REFUSES.test(`${code} ${message}`))) {
    return new LogInFailedError(`PostgreSQL refuses the log-in (${code}): user, password or certificate`, {
      cause: error,
    });
  }
  return error instanceof Error && isTlsAlert(error)
    ? new LogInFailedError("PostgreSQL refuses the log-in under TLS: the certificate", { cause: error })
    : new DatabaseUnavailableError(NOT_LET_IN, { cause: error });
}

/** What is at the bottom of an error: the words of a server or a socket, or ours where a log-in failed. */
export function innermost(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error && !(inner instanceof LogInFailedError)) {
    inner = inner.cause;
  }
  return inner;
}

/** What the driver refuses before it sends anything: faults of this program. */
const NOT_SENT = new Set(["MAX_PARAMETERS_EXCEEDED", "NOT_TAGGED_CALL", "UNDEFINED_VALUE"]);

/** Whether the driver failed over something that it was sent: neither PostgreSQL's word nor the end of a connection. */
export function isDriverFault(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return !(error instanceof StoreError) && name !== "PostgresError" && !NOT_SENT.has(code ?? "");
}
