/**
 * The one write after every decision: one statement, whole or not at all.
 */
import type postgres from "postgres";
import type { Changes } from "../../inventory/model.ts";
import { FENCE_LOST_TEXT } from "../errors.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { type Branch, type Fragment, timeOf } from "./branches/branch.ts";
import { insertLevels, type Levelled, stillPlain, updateLevels } from "./branches/levels.ts";
import { insertMovements } from "./branches/movements.ts";
import { areSales, deleteEnded, haveOneLine, insertSold, moveSold } from "./branches/sales.ts";
import { type Changed, insertOrders, updateOrders } from "./branches/orders.ts";
import {
  deleteHolds,
  endShortfalls,
  insertHolds,
  insertOperations,
  insertShortfalls,
  reopenShortfalls,
} from "./branches/records.ts";

/**
 * Writes movements, levels, orders, operations and holds in one data-modifying statement.
 *
 * It is fenced: it inserts movement `version read + 1` of each goods and inserts new orders and operations,
 * so of two writers that read the same rows the second fails on a primary key (while the first is still in
 * flight, it waits for it). A row that existed must still be as it was read, in every column that a decision looks at
 * and that is written: who changes one by hand moves no version, and must not be undone. Levels that were not read for
 * must have no policy either, as when they were kept, and must have been read for lately where units are on hold. Rows
 * that were to be changed but no longer match are found by counting, and the cast of a text to int ends the statement:
 * plain SQL can raise an error by nothing else.
 *
 * Movements are inserted by key, but the plan chooses in which sequence rows of levels are updated, so two
 * servers without a lease can lock each other out. PostgreSQL then ends one of them, and nothing of it is left.
 *
 * Answers the time of what was written, in ms since 1970. Throws FenceLostError with nothing written if a row was
 * changed since it was read.
 */
export async function writeChanges(
  pool: Pool,
  changes: Changes,
  signal: AbortSignal,
  ageMsMax = DECISION_AGE_MS_MAX,
): Promise<number> {
  const [row] = await pool.write(writeStatement(changes, ageMsMax), signal);
  return Number(row?.at_ms ?? changes.atMs);
}

/**
 * How old a decision may be when it is written, in ms. Whoever reads the ledger by time relies on it: a row does not
 * come long after its time. A process that stood still meets the fence with what it had decided before. One whose time
 * was put forward (`CLOCK_BACK_MS_MAX`) may be older by as much, as its row comes no later behind its time.
 */
export const DECISION_AGE_MS_MAX = 2_000;

/**
 * The statement behind {@link writeChanges}, for a transaction block. `ageMsMax` is Infinity where nobody reads the
 * ledger by time.
 *
 * Made of the branches that have rows: engines that spread the tables over servers pay for each branch, and some take
 * no two of one table. A connection prepares those texts that it uses.
 */
export function writeStatement(changes: Changes, ageMsMax = DECISION_AGE_MS_MAX): Statement<WrittenRow[]> {
  return (sql) => {
    const branches = branchesOf(sql, changes);
    if (branches.length === 0) return sql`select 1 as whole`;
    const tables = branches.map((branch) => branch.tables).reduce((all, next) => sql`${all}, ${next}`);
    const mayBeOld = changes.atWrite !== true && changes.movements.length > 0 && ageMsMax < Infinity;
    const unmoved = [
      ...branches.flatMap((branch) => branch.unmoved ?? []),
      ...(mayBeOld ? [isYoung(sql, changes, ageMsMax)] : []),
    ];
    if (unmoved.length === 0) return sql`with ${tables} select 1 as whole`;
    const whole = unmoved.reduce((all, next) => sql`${all} and ${next}`);
    const at = changes.atWrite === true ? sql`, (extract(epoch from ${nowOf(sql)}) * 1000)::bigint as at_ms` : sql``;
    return sql`
        with ${tables} select (case when ${whole} then '1' else ${FENCE_LOST_TEXT}::text end)::int as whole ${at}`;
  };
}

/** The one row of the answer. */
interface WrittenRow {
  readonly at_ms?: string;
}

/** The time of a write that was decided on no snapshot, cut as in readSnapshot. */
function nowOf(sql: postgres.Sql): Fragment {
  return sql`date_trunc('milliseconds', statement_timestamp())`;
}

function isYoung(sql: postgres.Sql, { atMs }: Changes, ageMsMax: number): Fragment {
  return sql`${timeOf(sql, atMs)} > statement_timestamp() - ${ageMsMax}::int * interval '1 millisecond'`;
}

function branchesOf(sql: postgres.Sql, changes: Changes): Branch[] {
  const { atMs, atWrite, operations, heldLines = [], holdsFromMs, shortfalls = [], endedShortfalls = [] } = changes;
  const changed = changes.orders.filter((order): order is Changed => order.before !== undefined);
  const short = new Set(shortfalls.map(({ orderId }) => orderId));
  const fellShort = changed.filter(({ before }) => short.has(before.orderId)).map(({ before }) => before);
  const at = atWrite === true ? nowOf(sql) : timeOf(sql, atMs);
  // Without a read nobody knows which holds are over by now.
  const holdsFromRead = holdsFromMs === undefined ? at : timeOf(sql, holdsFromMs);
  const holdsFrom = atWrite === true ? sql`levels.holds_from` : holdsFromRead;
  return [
    ...(areSales(changes) ? soldOf : movedOf)(sql, at, holdsFrom, changes),
    ...(changed.length > 0 ? [updateOrders(sql, at, changed)] : []),
    ...(operations.length > 0 ? [insertOperations(sql, at, operations)] : []),
    ...(heldLines.length > 0 ? [insertHolds(sql, heldLines)] : []),
    ...(shortfalls.length > 0 ? [insertShortfalls(sql, at, shortfalls), reopenShortfalls(sql, at, fellShort)] : []),
    ...(endedShortfalls.length > 0 ? [endShortfalls(sql, at, endedShortfalls)] : []),
  ];
}

/** Movements, levels, ends of holds and new orders, where there are sales, and ends of holds, alone. */
function soldOf(sql: postgres.Sql, at: Fragment, holdsFrom: Fragment, changes: Changes): Branch[] {
  return [
    moveSold(sql, at, holdsFrom, changes),
    ...(haveOneLine(changes) ? [insertSold(sql, at, changes)] : addedOf(sql, at, changes)),
    ...deleteEnded(sql, changes),
  ];
}

/** The same of any operations. */
function movedOf(sql: postgres.Sql, at: Fragment, holdsFrom: Fragment, changes: Changes): Branch[] {
  const { movements, levels, endedLines = [] } = changes;
  const opened = levels.filter(({ before }) => before === undefined).map(({ after }) => after);
  const levelled = levels.filter((level): level is Levelled => level.before !== undefined);
  return [
    ...(movements.length > 0 ? [insertMovements(sql, at, movements)] : []),
    ...(opened.length > 0 ? [insertLevels(sql, at, opened)] : []),
    ...(levelled.length > 0 ? [updateLevels(sql, { at, holdsFrom, plain: stillPlain(sql, changes) }, levelled)] : []),
    ...addedOf(sql, at, changes),
    ...(endedLines.length > 0 ? [deleteHolds(sql, endedLines)] : []),
  ];
}

function addedOf(sql: postgres.Sql, at: Fragment, { orders }: Changes): Branch[] {
  const added = orders.filter(({ before }) => before === undefined).map(({ after }) => after);
  return added.length > 0 ? [insertOrders(sql, at, added)] : [];
}
