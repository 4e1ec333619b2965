/**
 * One client of the pool: one connection to PostgreSQL, and the settings of its session.
 */
import postgres from "postgres";
import { errorFields, type Log } from "../telemetry/log.ts";
import { Dialer } from "./dialer.ts";
import { APPLICATION_NAME, type SessionKind, type SessionLimits, sessionSettings } from "./sessions.ts";

/** Where a client connects to, and the limits of its session; times in ms. */
export interface ClientOptions extends SessionLimits {
  readonly url: string;
  readonly connectTimeoutMs: number;
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
  readonly kind: SessionKind;
  readonly #log: Log;

  /** `onLost` is called when its connection closed. Throws for an address that can't be read. */
  constructor(options: ClientOptions, kind: SessionKind, onLost: (client: Client) => void) {
    const { url, connectTimeoutMs, log } = options;
    this.kind = kind;
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
      ...(kind === "pooled" ? { prepare: false } : {}),
      connection: { application_name: APPLICATION_NAME, ...(kind === "own" ? sessionSettings(options) : {}) },
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
