/**
 * Sessions of the service as PostgreSQL sees them: none may keep a transaction, and what it has locked, without end.
 */
import postgres from "postgres";
import { until } from "../../../src/base/bounded_wait.ts";

/**
 * A transaction of the service that is older does not move any more; several times what any of its own limits allow, in
 * ms.
 */
const TRANSACTION_MS_MAX = 10_000;
const LOOK_MS_MAX = 10_000;
const QUERY_CHARACTERS_MAX = 160;

/** A session of the service. */
export interface Session {
  readonly pid: number;
  readonly database: string;
  readonly state: string;
  /** What it waits for; "": nothing. */
  readonly waitsFor: string;
  /** Since when its transaction is open, in ms since 1970; null: it has none. */
  readonly transactionSinceMs: number | null;
  readonly transactionMs: number;
  readonly query: string;
}

/**
 * All sessions of the service, those with the oldest transactions first. Throws where PostgreSQL does not answer in
 * time.
 */
export async function readSessions(ownerUrl: string): Promise<Session[]> {
  let sessions: Session[] | undefined;
  let failure: unknown;
  await until(async () => {
    const sql = postgres(ownerUrl, { max: 1, connect_timeout: 3, onnotice: () => {} });
    try {
      sessions = await sql<Session[]>`
        select pid, datname as database, coalesce(state, '') as state,
               concat_ws('/', wait_event_type, wait_event) as "waitsFor",
               (extract(epoch from xact_start) * 1000)::float8 as "transactionSinceMs",
               coalesce(extract(epoch from clock_timestamp() - xact_start) * 1000, 0)::float8 as "transactionMs",
               left(query, ${QUERY_CHARACTERS_MAX}) as query
          from pg_stat_activity where application_name = 'holdfast' order by xact_start nulls last, pid`;
    } catch (error) {
      failure = error;
    } finally {
      await sql.end({ timeout: 1 });
    }
    return sessions !== undefined;
  }, LOOK_MS_MAX);
  if (sessions === undefined) throw new Error(`PostgreSQL does not answer after ${LOOK_MS_MAX} ms`, { cause: failure });
  return sessions;
}

/** A session in words. */
export function sessionWords({ pid, database, state, waitsFor, transactionMs, query }: Session): string {
  const words = query.replaceAll(/\s+/g, " ").trim();
  return `session ${pid} of ${database}: ${state}, ${
    waitsFor === "" ? "waits for nothing" : `waits for ${waitsFor}`
  }, ` +
    `its transaction open for ${Math.round(transactionMs)} ms: ${words}`;
}

/** Looks again and again, and keeps what was too old. */
export class SessionWatch {
  readonly #ownerUrl: string;
  readonly #seen = new Set<string>();
  readonly #violations: string[] = [];
  #oldestMs = 0;

  constructor(ownerUrl: string) {
    this.#ownerUrl = ownerUrl;
  }

  /** Age of the oldest transaction that was seen, in ms. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  /** A sentence for each transaction that was older than {@link TRANSACTION_MS_MAX}. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Looks once; answers the age of the oldest transaction now. */
  async look(): Promise<number> {
    const sessions = await readSessions(this.#ownerUrl);
    for (const session of sessions) {
      const { pid, transactionSinceMs, transactionMs } = session;
      this.#oldestMs = Math.max(this.#oldestMs, transactionMs);
      const name = `${pid} ${transactionSinceMs}`;
      if (transactionMs <= TRANSACTION_MS_MAX || this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.#violations.push(sessionWords(session));
    }
    return sessions[0]?.transactionMs ?? 0;
  }

  /** Looks until no transaction is older than `youngMs`, or one has become too old; nothing else may be running. */
  async rest(youngMs: number): Promise<void> {
    await until(async () => {
      const oldestMs = await this.look();
      return oldestMs < youngMs || oldestMs > TRANSACTION_MS_MAX;
    }, TRANSACTION_MS_MAX + youngMs);
  }
}
