/** Keeps movements for a window: periods begin and leave, and behind them orders and operations. */
import type { OpenSession } from "../migrate/session.ts";
import { pause } from "../base/bounded_wait.ts";
import { STATEMENT_TIMEOUT_MS } from "../config/config.ts";
import {
  FIRST_PAGE,
  leaveOperations,
  leaveOrders,
  type LeftPage,
  type PageStart,
} from "../store/statements/retention/old_orders.ts";
import {
  beginPeriod,
  divide,
  dropPeriod,
  openPeriod,
  readAheadMs,
  readPeriods,
} from "../store/statements/retention/periods.ts";
import { DECISION_AGE_MS_MAX } from "../store/statements/write_changes.ts";
import type { Statement } from "../store/postgres/transaction_block.ts";
import { planRetention, type Window } from "./plan.ts";

/** A session. */
type Sql = OpenSession["sql"];

/** Between two pages, for everybody else. */
const PAGE_PAUSE_MS = 20;
/** Orders, or operations, that are looked at with one statement. */
const PAGE_ROWS = 5_000;
/** Until no decision of before a period may be written any more: it, the statement that writes it, and a second. */
const DECIDED_MS = DECISION_AGE_MS_MAX + STATEMENT_TIMEOUT_MS + 1_000;
/** What a clock that says what may leave may be off by. */
const CLOCKS_APART_MS_MAX = 3_600_000;
/** Two runs at once would do the same twice. */
const LOCK_ID = 7_083_361;

/** What was done. */
export interface Retained {
  /** The period that began; undefined: none. */
  readonly began: number | undefined;
  /** Those that left. */
  readonly dropped: readonly number[];
  readonly orders: number;
  readonly operations: number;
}

/** What tests set. */
interface Pace {
  readonly pageRows: number;
  readonly decidedMs: number;
  /** This machine's time, in ms since 1970. */
  readonly nowMs: () => number;
}

/**
 * Does what there is to do now, on one session of the owner's. May be run at any time, also again where it failed.
 * Throws Error where another run is under way or PostgreSQL's clock is far from this machine's, and what PostgreSQL
 * says.
 */
export async function retain(
  sql: Sql,
  window: Window,
  signal: AbortSignal,
  { pageRows = PAGE_ROWS, decidedMs = DECIDED_MS, nowMs = Date.now }: Partial<Pace> = {},
): Promise<Retained> {
  const [lock] = await sql<{ ours: boolean }[]>`select pg_try_advisory_lock(${LOCK_ID}) as ours`;
  if (lock?.ours !== true) throw new Error("another run is under way");
  try {
    const before = await readPeriods(sql);
    const apartMs = Math.abs(before.nowMs - nowMs());
    if (apartMs > CLOCKS_APART_MS_MAX) {
      const apart = `${Math.round(apartMs / 1000)} s apart`;
      throw new Error(`the clocks of PostgreSQL and of this machine are ${apart}: nothing was done, as one is wrong`);
    }
    const plan = planRetention(before.nowMs, before.periods, window);
    if (plan.divides) await divide(sql);
    if (plan.begins !== undefined) {
      // What has a time from then on is in the period that begins, and what was decided before has none.
      await pause(await readAheadMs(sql), signal);
      await beginPeriod(sql, plan.begins);
      await pause(decidedMs, signal);
    }
    // Also where an earlier run did not come to it.
    const written = plan.begins ?? before.periods.at(-1)?.period;
    if (written !== undefined) await openPeriod(sql, written);
    for (const period of plan.drops) await dropPeriod(sql, period);
    const { periods: [oldest] } = await readPeriods(sql);
    // Of these no movement is kept, or all are.
    const beforeMs = oldest?.beganAtMs ?? -Infinity;
    const leave = async (page: typeof leaveOrders) =>
      beforeMs === -Infinity ? 0 : await leavePages(sql, (after) => page(beforeMs, after, pageRows), signal);
    return {
      began: plan.begins,
      dropped: plan.drops,
      orders: await leave(leaveOrders),
      operations: await leave(leaveOperations),
    };
  } finally {
    await sql`select pg_advisory_unlock(${LOCK_ID})`;
  }
}

async function leavePages(
  sql: Sql,
  page: (after: PageStart) => Statement<LeftPage[]>,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  let after: PageStart | null = FIRST_PAGE;
  while (after !== null) {
    const [row]: LeftPage[] = await page(after)(sql);
    count += Number(row?.left ?? 0);
    after = row?.next ?? null;
    if (after !== null) await pause(PAGE_PAUSE_MS, signal);
  }
  return count;
}
