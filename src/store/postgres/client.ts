/**
 * One client of the pool: one connection to PostgreSQL, and the settings of its session.
 */
import postgres from "postgres";
import type { Reread } from "../../base/reread.ts";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { errorFields, type Log } from "../../telemetry/log.ts";
import type { DatabaseAccess } from "./access.ts";
import { Dialer, type DialerOptions } from "./dialer.ts";
import { APPLICATION_NAME, type SessionKind, type SessionLimits, sessionSettings } from "./sessions.ts";

/** Where a client connects to, and the limits of its session; times in ms. */
export interface ClientOptions extends DialerOptions, SessionLimits {
  /** Who logs in, read anew, in place of the address and its certificates; where absent, always those. */
  readonly access?: Reread<DatabaseAccess> | undefined;
  /** Settings of the session instead of ours; for tests. */
  readonly session?: Readonly<Record<string, string>> | undefined;
  readonly log: Log;
}

/** A connection is replaced after this long, so that a failover behind one name is followed. */
const CONNECTION_LIFETIME_S_MAX = 1800;
/** A connection is idle for so long before TCP looks whether the other side is there. */
const KEEPALIVE_IDLE_S = 60;

/** What the driver gets to know of an address. Of several hosts it needs to know none: the dialer chooses. */
export function driverAddress({ hosts, user, password, database, prepare, keepaliveIdleS }: PostgresAddress) {
  const [host] = hosts;
  return {
    host: host?.name ?? "",
    port: host?.port ?? 0,
    user,
    pass: password ?? "",
    database,
    prepare,
    keep_alive: keepaliveIdleS ?? KEEPALIVE_IDLE_S,
  };
}

/** A postgres.js client with one connection, made on first use. */
export class Client {
  readonly sql: postgres.Sql;
  readonly dialer: Dialer;
  /**
   * Set when its connection closed, or may still be hit by a cancellation: what comes from it next can't be trusted.
   */
  lost = false;
  /** Who waits for its connection to be let in. */
  readonly #waiting = new Set<(error: Error) => void>();
  readonly kind: SessionKind;
  /** What it was made with, where that may become another. */
  readonly access: DatabaseAccess | undefined;
  readonly #log: Log;

  /** `onLost` is called when its connection closed. */
  constructor(options: ClientOptions, kind: SessionKind, onLost: (client: Client) => void) {
    const { connectTimeoutMs, log } = options;
    this.kind = kind;
    this.access = options.access?.current;
    this.#log = log;
    const { address } = this.access ?? options;
    this.dialer = new Dialer({ ...options, ...this.access });
    this.sql = postgres({
      ...driverAddress(address),
      max: 1,
      connect_timeout: connectTimeoutMs / 1000,
      max_lifetime: CONNECTION_LIFETIME_S_MAX,
      // Reading the catalogue on every connect fails as an unhandled rejection when the connection dies under it.
      fetch_types: false,
      onnotice: (notice) => log.debug({ notice: notice.message }, "PostgreSQL notice"),
      onclose: () => {
        if (!this.lost) this.dialer.doubtHost();
        this.lost = true;
        onLost(this);
      },
      // The first of them is the first sign that PostgreSQL takes us.
      onparameter: () => this.dialer.admitted = true,
      ...this.dialer.options,
      ...(kind === "pooled" ? { prepare: false } : {}),
      connection: {
        application_name: address.applicationName ?? APPLICATION_NAME,
        ...(address.options === undefined ? {} : { options: address.options }),
        ...(kind === "own" ? { ...sessionSettings(options), ...options.session } : {}),
      },
    });
  }

  /** Has whoever waits for its connection to be let in hear that it was not, until it waits no more: the answer. */
  untilAdmitted(refused: (error: Error) => void): () => void {
    this.#waiting.add(refused);
    return () => this.#waiting.delete(refused);
  }

  /**
   * Its connection was not let in, with this error, which is answered. The driver fails one statement by that; those
   * behind it would wait in vain. And one that was given up it would still send, should the log-in come to its end.
   */
  refuse<E extends Error>(error: E): E {
    this.lost = true;
    this.dialer.destroy();
    for (const refused of this.#waiting) refused(error);
    return error;
  }

  /**
   * Asks PostgreSQL to cancel a statement of it, on a connection of its own; whether that succeeds is not known. It may
   * arrive only when the connection already serves the next statement, so it can't be used any more.
   *
   * `query.cancel()` calls the same function but drops its promise, whose failure would end the process as an
   * unhandled rejection.
   */
  cancel(query: object): void {
    this.lost = true;
    const { canceller } = query as { canceller: (query: object) => Promise<void> };
    canceller(query).catch(() => {});
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
