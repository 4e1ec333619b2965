/**
 * The article's pessimistic mode: the rows of levels are locked before they are read, and stay so until the change is
 * committed. Nobody else's change comes in between, so nothing has to be done again.
 */
import type { Changes, Snapshot } from "../../inventory/model.ts";
import type { StockKey } from "../../inventory/stock_key.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { Pool } from "../postgres/pool.ts";
import { keyColumns } from "./stock_keys.ts";
import { type SnapshotKeys, snapshotStatement } from "./read_snapshot.ts";
import { snapshotOf } from "./snapshot_row.ts";
import { writeStatement } from "./write_changes.ts";

/**
 * Locks the rows of levels of `keys`, reads the snapshot, and commits what `decide` makes of it, in one transaction
 * block of two round trips. Undefined: nothing is to be written.
 *
 * Everybody locks by rising goods id, so no two wait for each other. The read is a statement of its own, whose snapshot
 * is taken when the rows are ours; inside the locking one it would be older than the wait. A goods that is new has no
 * row to lock, and orders have none that are locked: these are fenced, as the write statement is everywhere. `decide`
 * must end soon: PostgreSQL ends a block that is idle for longer than a statement may take.
 *
 * Throws what `decide` throws, FenceLostError, RowLockedError, BlockLostError, and OutcomeUnknownError only once
 * something was written.
 */
export async function changeUnderRowLocks(
  pool: Pool,
  keys: SnapshotKeys,
  decide: (snapshot: Snapshot) => Promise<Changes | undefined>,
  signal: AbortSignal,
): Promise<void> {
  await pool.block(async ({ run, commit }) => {
    const locked = run(lockStatement(keys.stockKeys));
    const read = run(snapshotStatement(keys));
    // The first failure says why; those behind it only that the block is undone.
    read.catch(() => {});
    await locked;
    const changes = await decide(snapshotOf(await read));
    if (changes !== undefined) await commit(writeStatement(changes));
  }, signal);
}

/** Locks the rows of these goods, by rising goods id and location; see readSnapshot for how a row is looked for. */
export function lockStatement(stockKeys: readonly StockKey[]): Statement<unknown[]> {
  const { goodsIds, locationIds } = keyColumns(stockKeys);
  return (sql) =>
    sql`
      select (select goods_id from levels where goods_id = asked.goods_id and location_id = asked.location_id
               order by version_block desc limit 1 for update)
        from (select goods_id, location_id
                from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[])) as goods (goods_id, location_id)
               order by goods_id, location_id) as asked`;
}
