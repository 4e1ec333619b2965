/**
 * The version before, as far as the database sees it: the texts of the statements of 0.1.0, letter by letter, and
 * decisions that are as simple as a test needs. They are here because a shallow clone has no tag to take them from.
 */
import type postgres from "postgres";
import { arrayLiteral } from "../../src/store/postgres/arrays.ts";
import {
  FENCE_LOST_TEXT,
  type OldChanges,
  type OldLevel,
  type OldLine,
  type OldMovement,
  type OldOrder,
  oldWrite,
} from "./version_0_1_0_write.ts";

interface OldSnapshot {
  readonly atMs: number;
  readonly levels: ReadonlyMap<number, OldLevel>;
  readonly orders: ReadonlyMap<string, OldOrder>;
}

const ATTEMPTS_MAX = 200;

/** The read before every decision. */
export async function oldSnapshot(
  sql: postgres.Sql,
  goods: readonly number[],
  orders: readonly string[] = [],
  operations: readonly string[] = [],
): Promise<OldSnapshot> {
  const goodsIds = arrayLiteral(goods);
  const orderIds = arrayLiteral(orders);
  const operationIds = arrayLiteral(operations);
  const [row] = await sql`
        select
          (extract(epoch from statement_timestamp()) * 1000)::bigint as at_ms,
          (select coalesce(json_agg((
                    select json_build_array(goods_id, on_hand, reserved, version, deleted_at is not null)
                      from stock where goods_id = asked.goods_id order by version_block desc limit 1)), '[]')
             from unnest((select ${goodsIds}::int[])) as asked (goods_id)) as levels,
          (select coalesce(json_agg(json_build_array(order_id, state, goods_ids, nums, returned,
                                                     (extract(epoch from created_at) * 1000)::bigint)), '[]')
             from orders where order_id = any (${orderIds}::text[])) as orders,
          (select coalesce(json_agg(json_build_array(operation_id, kind, order_id, goods_ids, nums)), '[]')
             from operations where operation_id = any (${operationIds}::text[])) as operations`;
  type LevelRow = [number, number, number, number, boolean] | null;
  type OrderRow = [string, string, number[], number[], number[], number];
  const levels = (row!["levels"] as LevelRow[]).filter((level) => level !== null);
  return {
    atMs: Number(row!["at_ms"]),
    levels: new Map(levels.map(([goodsId, onHand, reserved, version, deleted]) => [
      goodsId,
      { goodsId, onHand, reserved, version, deleted },
    ])),
    orders: new Map((row!["orders"] as OrderRow[]).map(([orderId, state, ids, nums, returned]) => [
      orderId,
      { orderId, state, lines: ids.map((id, i): OldLine => [id, nums[i]!]), returned },
    ])),
  };
}

/** The read behind its InvDetail. */
export function oldLevels(sql: postgres.Sql, goodsIds: readonly number[]): Promise<readonly postgres.Row[]> {
  return sql`
        select newest.goods_id, on_hand, reserved, version
          from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id),
               lateral (select * from stock where goods_id = asked.goods_id order by version_block desc limit 1) as newest
         where deleted_at is null`;
}

/** Locks rows of stock in its mode `row`, until the transaction ends. */
export function oldLock(sql: postgres.Sql, goodsIds: readonly number[]): Promise<readonly postgres.Row[]> {
  const ids = arrayLiteral(goodsIds);
  return sql`
      select (select goods_id from stock where goods_id = asked.goods_id order by version_block desc limit 1 for update)
        from (select goods_id from unnest((select ${ids}::int[])) as goods (goods_id) order by goods_id) as asked`;
}

/** Those of the goods whose rows others have locked. */
export async function oldLocked(sql: postgres.Sql, goodsIds: readonly number[]): Promise<number[]> {
  const rows = await sql`
        with newest as (
          select stock.goods_id, version_block
            from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id),
                 lateral (select * from stock where goods_id = asked.goods_id order by version_block desc limit 1) as stock
        ), free as (
          -- That or a higher block: a row that has moved on meanwhile is free as well.
          select stock.goods_id
            from newest,
                 lateral (select goods_id from stock
                           where goods_id = newest.goods_id and version_block >= newest.version_block
                             for update skip locked) as stock
        )
        select goods_id from newest except select goods_id from free`;
  return rows.map((row) => row["goods_id"]);
}

/** Those of the goods that stand off their ledger. */
export async function oldOffLedger(sql: postgres.Sql, goodsIds: readonly number[]): Promise<number[]> {
  const rows = await sql`
        with newest as (
          select asked.goods_id,
                 (select version from stock where goods_id = asked.goods_id order by version_block desc limit 1) as version
            from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id)
        )
        select newest.goods_id
          from newest
          join movements on movements.goods_id = newest.goods_id and movements.version = coalesce(newest.version, 0) + 1`;
  return rows.map((row) => row["goods_id"]);
}

/** What its readiness asks; fails where the schema is not what it needs. */
export function oldPing(sql: postgres.Sql): Promise<readonly postgres.Row[]> {
  return sql`
    select current_setting('transaction_read_only') as read_only, (select version_block from stock where false) as schema,
           pg_backend_pid() as pid, current_user::text as role`;
}

/** Sells lines of different goods, by rising id. */
export function oldSell(sql: postgres.Sql, orderId: string, ...lines: OldLine[]): Promise<"sold" | "short" | string> {
  return untilWritten(async () => {
    const { atMs, levels, orders } = await oldSnapshot(sql, lines.map(([goodsId]) => goodsId), [orderId]);
    const known = orders.get(orderId);
    if (known !== undefined) return known.state;
    const before = lines.map(([goodsId]) => levels.get(goodsId));
    if (before.some((level, i) => level === undefined || level.onHand - level.reserved < lines[i]![1])) return "short";
    const moved = lines.map(([, num], i) => moveBy(before[i]!, -num, "sell", orderId, undefined));
    const after: OldOrder = { orderId, state: "sold", lines, returned: lines.map(() => 0) };
    await oldWrite(sql, { atMs, ...together(moved), orders: [{ before: undefined, after }], operations: [] });
    return "sold";
  });
}

/** Sets what is available of a goods. */
export function oldSet(sql: postgres.Sql, operationId: string, goodsId: number, num: number): Promise<string> {
  return untilWritten(async () => {
    const { atMs, levels } = await oldSnapshot(sql, [goodsId], [], [operationId]);
    const before = levels.get(goodsId);
    const from = before ?? { goodsId, onHand: 0, reserved: 0, version: 0, deleted: false };
    const moved = moveBy(from, num + from.reserved - from.onHand, "set", undefined, operationId);
    const changes = together([{ ...moved, before, after: { ...moved.after, deleted: false } }]);
    const operation = { operationId, kind: "set", orderId: undefined, lines: [[goodsId, num] as const] };
    await oldWrite(sql, { atMs, ...changes, orders: [], operations: [operation] });
    return "set";
  });
}

/** Gives back units of no order. */
export function oldGiveBack(sql: postgres.Sql, operationId: string, goodsId: number, num: number): Promise<string> {
  return untilWritten(async () => {
    const { atMs, levels } = await oldSnapshot(sql, [goodsId], [], [operationId]);
    const moved = moveBy(levels.get(goodsId)!, num, "give_back", undefined, operationId);
    const operation = { operationId, kind: "give_back", orderId: undefined, lines: [[goodsId, num] as const] };
    await oldWrite(sql, { atMs, ...together([moved]), orders: [], operations: [operation] });
    return "given back";
  });
}

/** Gives back all of an order; one that is unknown is barred. */
export function oldRollback(sql: postgres.Sql, orderId: string): Promise<string> {
  return untilWritten(async () => {
    const found = await oldSnapshot(sql, [], [orderId]);
    const order = found.orders.get(orderId);
    const operationId = `whole~${orderId}`;
    if (order === undefined) {
      const after: OldOrder = { orderId, state: "barred", lines: [], returned: [] };
      const operation = { operationId, kind: "bar", orderId, lines: [] };
      const { atMs } = found;
      await oldWrite(sql, {
        atMs,
        movements: [],
        levels: [],
        orders: [{ before: undefined, after }],
        operations: [operation],
      });
      return "barred";
    }
    if (order.state !== "sold") return order.state;
    const { atMs, levels } = await oldSnapshot(sql, order.lines.map(([goodsId]) => goodsId), [orderId]);
    const moved = order.lines.map(([goodsId, num], i) =>
      moveBy(levels.get(goodsId)!, num - order.returned[i]!, "rollback", orderId, operationId)
    );
    const after: OldOrder = { ...order, state: "rolled_back", returned: order.lines.map(([, num]) => num) };
    const lines = order.lines.map(([goodsId, num], i): OldLine => [goodsId, num - order.returned[i]!]);
    const operation = { operationId, kind: "rollback_whole", orderId, lines };
    await oldWrite(sql, { atMs, ...together(moved), orders: [{ before: order, after }], operations: [operation] });
    return "rolled_back";
  });
}

type Moved = OldMovement & { readonly before: OldLevel | undefined };

function moveBy(
  before: OldLevel,
  delta: number,
  kind: string,
  orderId: string | undefined,
  operationId: string | undefined,
): Moved {
  const { goodsId, onHand, version } = before;
  const after = { ...before, onHand: onHand + delta, version: version + 1 };
  return { goodsId, version: version + 1, kind, orderId, operationId, delta, before, after };
}

function together(movements: readonly Moved[]): Pick<OldChanges, "movements" | "levels"> {
  return { movements, levels: movements.map(({ before, after }) => ({ before, after })) };
}

async function untilWritten(attempt: () => Promise<string>): Promise<string> {
  for (let n = 1;; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFenceLost(error) && !isRowLocked(error) || n === ATTEMPTS_MAX) throw error;
    }
  }
}

/** Somebody else had the row for longer than one waits for it, as on a busy machine: nothing was written. */
function isRowLocked(error: unknown): boolean {
  return (error as { code?: string }).code === "55P03";
}

/** How 0.1.0 knows that another was faster, or that PostgreSQL chose it as the victim of a conflict. */
function isFenceLost(error: unknown): boolean {
  const { code, constraint_name: name = "", message } = error as {
    code?: string;
    constraint_name?: string;
    message: string;
  };
  return code === "23505" && /_pkey(_?\d+)?$/.test(name) || code === "22P02" && message.includes(FENCE_LOST_TEXT) ||
    code === "40P01";
}
