/**
 * One client of the pool: one connection to PostgreSQL, and the settings of its session.
 */
import postgres from "postgres";
import { errorFields, type Log } from "../telemetry/log.ts";
import { Dialer } from "./dialer.ts";

/** Where a client connects to, and the limits of its session; times in ms. */
export interface ClientOptions {
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** PostgreSQL ends a statement after this. */
  readonly statementTimeoutMs: number;
  /** PostgreSQL ends a statement that waited this long for one row. */
  readonly lockTimeoutMs: number;
  readonly log: Log;
}

/** A connection is replaced after this long, so that a fail-over behind one name is followed. */
const CONNECTION_LIFETIME_S_MAX = 1800;

/** A postgres.js client with one connection, made on first use. */
export class Client {
  readonly sql: postgres.Sql;
  readonly dialer = new Dialer();
  /** Set when its connection closed, or may still be hit by a cancellation: what comes from it next can't be trusted. */
  lost = false;
  readonly #log: Log;

  /** `onLost` is called when its connection closed. Throws for an address that can't be read. */
  constructor(options: ClientOptions, onLost: (client: Client) => void) {
    const { url, connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, log } = options;
    this.#log = log;
    this.sql = postgres(url, {
      max: 1,
      connect_timeout: connectTimeoutMs / 1000,
      max_lifetime: CONNECTION_LIFETIME_S_MAX,
      // Reading the catalogue on every connect fails as an unhandled rejection when the connection dies under it.
      fetch_types: false,
      onnotice: (notice) => log.debug({ notice: notice.message }, "PostgreSQL notice"),
      onclose: () => {
        this.lost = true;
        onLost(this);
      },
      // The first of them is the first sign that PostgreSQL takes us.
      onparameter: () => this.dialer.admitted = true,
      ...this.dialer.options,
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
    });
  }

  /** Closes it. It can't be used any more. */
  discard(): void {
    const { lost } = this;
    this.lost = true;
    this.sql.end({ timeout: 0 }).catch((error) =>
      this.#log.debug({ error: errorFields(error) }, "a PostgreSQL connection did not close cleanly")
    ).finally(() => {
      // Who is behind a lost one may never answer the goodbye, or go on talking.
      if (lost) this.dialer.destroy();
    });
  }
}
