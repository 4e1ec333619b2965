/**
 * What our sessions in PostgreSQL have to be set to, and how they come by it. A session of our own asks for it at
 * log-in.
 *
 * A pooler in between (PgBouncer in transaction mode) refuses or ignores that, and gives each transaction to whichever
 * of its sessions is free: a statement that was prepared by name in one is not there in the next. Behind a pooler the
 * settings are those of the role, which migrate makes, and no statement has a name.
 *
 *     own --a log-in refused for what it asked for--> pooled
 *     own --a statement ran in another session than the one that logged in--> pooled
 *
 * Never back: what is begun for a pooler does everywhere, at a lower rate.
 */
import type { Log } from "../../telemetry/log.ts";

/** Time limits that PostgreSQL keeps, in ms. */
export interface SessionLimits {
  /** PostgreSQL ends a statement after this. */
  readonly statementTimeoutMs: number;
  /** PostgreSQL ends a statement that waited this long for one row. */
  readonly lockTimeoutMs: number;
}

/** How sessions are begun. */
export type SessionKind = "own" | "pooled";

/** By this name, beside role and database, a session of ours is known; a pooler hands it on. */
export const APPLICATION_NAME = "holdfast";

/** What a session has to be set to, by PostgreSQL's names and as PostgreSQL takes it. */
export function sessionSettings({ statementTimeoutMs, lockTimeoutMs }: SessionLimits): Record<string, string> {
  return {
    // Every statement finds its rows by primary key. Without this a plan that was cached while a table was new and
    // empty reads all of it, until the table is next analyzed: a read of 30 ms instead of 0.6 was measured.
    enable_seqscan: "off",
    jit: "off",
    // What is acknowledged is on disk, whatever the database or the role is set to.
    synchronous_commit: "on",
    statement_timeout: `${statementTimeoutMs}ms`,
    // A block of ours is idle for as long as an order takes to be decided; a process that was paused in one must
    // not keep rows locked.
    idle_in_transaction_session_timeout: `${statementTimeoutMs}ms`,
    lock_timeout: `${lockTimeoutMs}ms`,
  };
}

/** How a session is set: switches as PostgreSQL shows them, times in ms, 0 for no limit. */
export interface SessionState {
  readonly enable_seqscan: string;
  readonly jit: string;
  readonly synchronous_commit: string;
  readonly statement_timeout: number;
  readonly idle_in_transaction_session_timeout: number;
  readonly lock_timeout: number;
}

/** Levels of `synchronous_commit` at which a commit is answered before the disks that it must be on have it. */
const NOT_DURABLE = new Set(["off", "local"]);

/** What of it does not keep to the limits, a few words for each; none where all is well. */
export function unfitSettings(state: SessionState, { statementTimeoutMs, lockTimeoutMs }: SessionLimits): string[] {
  const switches = (["enable_seqscan", "jit"] as const).filter((name) => state[name] !== "off");
  const timesMax = {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
  };
  const times = Object.entries(timesMax).flatMap(([name, msMax]) => {
    const ms = state[name as keyof typeof timesMax];
    return ms > 0 && ms <= msMax ? [] : [`${name} is ${ms} ms, expected 1 to ${msMax}`];
  });
  const { synchronous_commit } = state;
  return [
    ...(NOT_DURABLE.has(synchronous_commit)
      ? [`synchronous_commit is ${synchronous_commit}, expected on or remote_apply: what is acknowledged could be lost`]
      : []),
    ...switches.map((name) => `${name} is ${state[name]}, expected off`),
    ...times,
  ];
}

/** How all sessions of a store are begun. */
export class Sessions {
  readonly #log: Log;
  #kind: SessionKind = "own";

  constructor(log: Log) {
    this.#log = log;
  }

  get kind(): SessionKind {
    return this.#kind;
  }

  /** From now on sessions are begun for a pooler. `sign`: what showed that there is one. */
  foundPooler(sign: string): void {
    if (this.#kind === "pooled") return;
    this.#kind = "pooled";
    this.#log.info({ sign }, "PostgreSQL is behind a pooler: statements get no names, and settings are the role's");
  }
}

/** Whether a log-in was refused for what it asked for, in PgBouncer's words. */
export function refusesSettings(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: string }).code === "08P01" &&
    error.message.includes("unsupported startup parameter");
}
