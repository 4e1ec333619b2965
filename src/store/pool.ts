/**
 * A bounded pool of PostgreSQL connections, each a postgres.js client of its own with one connection.
 *
 * Why not the driver's own pool (3.4.9): it waits for a free connection without a limit, a statement has no
 * time limit on our side, after many killed backends it loses connections for good, and a fresh connection
 * can be handed the error that killed the one before. Here a client that lost its connection, or did not
 * answer in time, is thrown away with whatever state it had, and its place is filled anew.
 *
 * A statement alone is a transaction by itself; see block.ts for several.
 */
import type { EventEmitter } from "node:events";
import postgres from "postgres";
import { errorFields, type Log } from "../telemetry/log.ts";
import { type Block, runBlock, type Statement } from "./block.ts";
import { Dialer } from "./dialer.ts";
import {
  DatabaseUnavailableError,
  isDriverFault,
  OutcomeUnknownError,
  PoolQueueFullError,
  StatementTimeoutError,
  storeError,
} from "./errors.ts";

/** Limits of the pool; times in ms. */
export interface PoolOptions {
  readonly url: string;
  /** Connections at most. */
  readonly max: number;
  /** Callers that may wait for a connection. */
  readonly waitersMax: number;
  readonly connectTimeoutMs: number;
  /** PostgreSQL ends a statement after this. */
  readonly statementTimeoutMs: number;
  /** PostgreSQL ends a statement that waited this long for one row. */
  readonly lockTimeoutMs: number;
  readonly log: Log;
}

/** How long past its own time limit, or past its cancellation, a statement may stay silent. */
const SILENCE_MS_MAX = 500;
/** How long `close` waits for statements under way. */
export const POOL_CLOSE_MS_MAX = 5000;
/** A connection is replaced after this long, so that a fail-over behind one name is followed. */
const CONNECTION_LIFETIME_S_MAX = 1800;

const NEVER = new AbortController().signal;

type Sql = postgres.Sql;

interface Client {
  readonly sql: Sql;
  readonly dialer: Dialer;
  /** Set when its connection closed, or may still be hit by a cancellation: what comes from it next can't be trusted. */
  lost: boolean;
}

interface Waiter {
  grant(client: Client): void;
  fail(reason: unknown): void;
}

/** The pool. All its connections are made on first use. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #free: Client[] = [];
  readonly #waiters = new Set<Waiter>();
  #lent = 0;
  #closed: ((value: void) => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Connections in use, idle and waited for. */
  get counts(): { readonly lent: number; readonly free: number; readonly waiting: number } {
    return { lent: this.#lent, free: this.#free.length, waiting: this.#waiters.size };
  }

  /**
   * Runs one statement on a connection of its own.
   *
   * When `signal` aborts, a caller that still waits leaves at once, and a statement under way is cancelled
   * in PostgreSQL; the promise settles only when its outcome is known or can't be known.
   *
   * Throws the signal's reason if it aborted before anything was sent, and the errors of errors.ts.
   */
  async run<T>(statement: Statement<T>, signal: AbortSignal): Promise<T> {
    const client = await this.#take(signal);
    try {
      return await this.#send(client, statement, signal);
    } finally {
      this.#putBack(client);
    }
  }

  /**
   * Runs `work` in a transaction block on a connection of its own. What it did not commit is undone.
   *
   * When `signal` aborts, the statement under way is cancelled. Throws what `work` throws, and as `run` does.
   */
  async block<T>(work: (block: Block) => Promise<T>, signal: AbortSignal): Promise<T> {
    const client = await this.#take(signal);
    client.dialer.sealed = true;
    try {
      return await runBlock({
        isLost: () => client.lost,
        send: (statement) => this.#send(client, statement, signal),
        undo: () => this.#send(client, (sql) => sql`rollback`, NEVER).then(() => {}, () => void (client.lost = true)),
      }, work);
    } finally {
      client.dialer.sealed = false;
      this.#putBack(client);
    }
  }

  /** Runs one statement on a client; one that can't be trusted after it is marked as lost. */
  async #send<T>(client: Client, statement: Statement<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const query = statement(client.sql);
    try {
      return await this.#execute(client, query, signal);
    } catch (error) {
      const ours = this.#judge(error);
      // After a fail-over a connection may be to a server that only reads now; a new one finds the right server.
      if (ours instanceof OutcomeUnknownError || ours instanceof DatabaseUnavailableError) client.lost = true;
      if (client.dialer.admitted || ours instanceof StatementTimeoutError) throw ours;
      client.lost = true;
      // The driver sends a statement only after PostgreSQL has let the connection in.
      throw new DatabaseUnavailableError("PostgreSQL did not let us in", { cause: error });
    }
  }

  /** A driver's error as one of ours. What it fails over was sent, and may have committed. */
  #judge(error: unknown): unknown {
    const ours = storeError(error);
    if (!isDriverFault(ours)) return ours;
    this.#options.log.error({ error: errorFields(error) }, "the driver failed over an answer of PostgreSQL");
    return new OutcomeUnknownError("PostgreSQL's answer could not be read", { cause: error });
  }

  /** Closes the connections that are idle: what runs next is on a new one. */
  dropIdle(): void {
    for (const client of this.#free.splice(0)) this.#discard(client);
  }

  /** Waits for statements under way (bounded) and closes all connections. Waiting callers are refused. */
  async close(): Promise<void> {
    const idle = new Promise<void>((resolve) => this.#closed = resolve);
    for (const waiter of this.#waiters) waiter.fail(new DatabaseUnavailableError("the pool is closing"));
    this.#waiters.clear();
    this.dropIdle();
    if (this.#lent === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([idle, new Promise((resolve) => timer = setTimeout(resolve, POOL_CLOSE_MS_MAX))]);
    clearTimeout(timer);
  }

  async #execute<T>(client: Client, query: postgres.PendingQuery<postgres.Row[] & T>, signal: AbortSignal): Promise<T> {
    const { promise: silent, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(new OutcomeUnknownError("PostgreSQL did not answer in time"));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUpAfter = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, ms);
    };
    const answerMsMax = this.#options.statementTimeoutMs + SILENCE_MS_MAX;
    if (client.dialer.admitted) giveUpAfter(answerMsMax);
    else {
      const admit = () => client.dialer.admitted ? giveUpAfter(answerMsMax) : giveUp();
      timer = setTimeout(admit, this.#options.connectTimeoutMs + SILENCE_MS_MAX);
    }
    const cancel = () => {
      // It may arrive only when the connection already serves the next statement.
      client.lost = true;
      requestCancel(query);
      giveUpAfter(SILENCE_MS_MAX);
    };
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const answer = await Promise.race([query, silent]);
      if (Array.isArray(answer)) return answer;
      // A stream: PostgreSQL began to copy something, which nobody asked for. Its error, when the connection goes, is of
      // no interest, and would otherwise end the process.
      (answer as EventEmitter).on("error", () => {});
      throw new OutcomeUnknownError("PostgreSQL answered what it was not asked");
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
    }
  }

  #take(signal: AbortSignal): Promise<Client> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#closed !== undefined) return Promise.reject(new DatabaseUnavailableError("the pool is closed"));
    if (this.#lent < this.#options.max) {
      // First the client: it throws for an address that can't be read.
      const client = this.#free.pop() ?? this.#connect();
      this.#lent++;
      return Promise.resolve(client);
    }
    if (this.#waiters.size >= this.#options.waitersMax) {
      return Promise.reject(
        new PoolQueueFullError(`${this.#options.waitersMax} callers already wait for a connection`),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        grant: (client) => {
          signal.removeEventListener("abort", leave);
          resolve(client);
        },
        fail: (reason) => {
          signal.removeEventListener("abort", leave);
          reject(reason);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #putBack(client: Client): void {
    const usable = client.lost ? undefined : client;
    if (usable === undefined) this.#discard(client);
    const [next] = this.#waiters;
    if (next !== undefined) {
      this.#waiters.delete(next);
      next.grant(usable ?? this.#connect());
      return;
    }
    this.#lent--;
    if (usable !== undefined && this.#closed === undefined) this.#free.push(usable);
    else if (usable !== undefined) this.#discard(usable);
    if (this.#lent === 0) this.#closed?.();
  }

  #connect(): Client {
    const { url, connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, log } = this.#options;
    const dialer = new Dialer();
    const client: Client = {
      dialer,
      lost: false,
      sql: postgres(url, {
        max: 1,
        connect_timeout: connectTimeoutMs / 1000,
        max_lifetime: CONNECTION_LIFETIME_S_MAX,
        // Reading the catalogue on every connect fails as an unhandled rejection when the connection dies under it.
        fetch_types: false,
        onnotice: (notice) => log.debug({ notice: notice.message }, "PostgreSQL notice"),
        onclose: () => this.#lose(client),
        // The first of them is the first sign that PostgreSQL takes us.
        onparameter: () => dialer.admitted = true,
        ...dialer.options,
        connection: {
          application_name: "holdfast",
          // Every statement finds its rows by primary key. Without this a plan that was cached while a table was new and
          // empty reads all of it, until the table is next analyzed: a read of 30 ms instead of 0.6 was measured.
          enable_seqscan: "off",
          jit: "off",
          // What is acknowledged is on disk, whatever the database or the role is set to.
          synchronous_commit: "on",
          statement_timeout: statementTimeoutMs,
          // A block of ours is idle for as long as an order takes to be decided; a process that was paused in one must
          // not keep rows locked.
          idle_in_transaction_session_timeout: statementTimeoutMs,
          lock_timeout: lockTimeoutMs,
        },
      }),
    };
    return client;
  }

  #lose(client: Client): void {
    client.lost = true;
    const index = this.#free.indexOf(client);
    if (index < 0) return;
    this.#free.splice(index, 1);
    this.#discard(client);
  }

  #discard(client: Client): void {
    const { lost } = client;
    client.lost = true;
    client.sql.end({ timeout: 0 }).catch((error) =>
      this.#options.log.debug({ error: errorFields(error) }, "a PostgreSQL connection did not close cleanly")
    ).finally(() => {
      // Who is behind a lost one may never answer the goodbye, or go on talking.
      if (lost) client.dialer.destroy();
    });
  }
}

/**
 * Asks PostgreSQL to cancel a statement, on a connection of its own; if that fails the silence limit decides.
 *
 * `query.cancel()` calls the same function but drops its promise, whose failure would end the process as an
 * unhandled rejection.
 */
function requestCancel(query: object): void {
  const { canceller } = query as { canceller: (query: object) => Promise<void> };
  canceller(query).catch(() => {});
}
