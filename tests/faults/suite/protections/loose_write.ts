/**
 * The write as several statements, so that each thing that keeps it right can be taken out of it alone.
 */
import type postgres from "postgres";
import type { Changes } from "../../../../src/inventory/model.ts";
import { arrayLiteral } from "../../../../src/store/postgres/arrays.ts";
import { FenceLostError } from "../../../../src/store/errors.ts";

/** What is left in. */
export interface Fences {
  /** Rows must still have the version and the state that was read. */
  readonly versions: boolean;
  /** An id that is taken stops the write; else its row is left as it is, and all else is written. */
  readonly ids: boolean;
}

/**
 * Writes the changes, statement by statement; `beforeLast` is waited for in front of the last one.
 *
 * @throws FenceLostError, or the driver's error
 */
export async function looseWrite(
  sql: postgres.ISql,
  changes: Changes,
  { versions, ids }: Fences,
  beforeLast: () => Promise<void>,
): Promise<void> {
  const keep = sql`on conflict do nothing`;
  const nothing = sql``;
  const at = sql`to_timestamp(${changes.atMs / 1000}::float8)`;
  const statements: (() => Promise<{ readonly count: number }>)[] = [];
  for (const { before, after } of changes.levels) {
    const { goodsId, onHand, reserved, version } = after;
    statements.push(async () =>
      before === undefined
        ? await sql`
            insert into levels (goods_id, on_hand, reserved, version) values (${goodsId}, ${onHand}, ${reserved}, ${version})
            ${
          versions ? nothing : sql`on conflict (goods_id, location_id, version_block) do update
                                          set on_hand = excluded.on_hand, version = excluded.version`
        }`
        : await sql`
            update levels set on_hand = ${onHand}, reserved = ${reserved}, version = ${version}, updated_at = ${at}
             where goods_id = ${goodsId} ${versions ? sql`and version = ${before.version}` : nothing}`
    );
  }
  for (const m of changes.movements) {
    statements.push(async () => {
      await sql`
        insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                               on_hand_after, reserved_after, at)
        values (${m.goodsId}, ${m.version}, ${m.kind}, ${m.orderId ?? null}, ${m.operationId ?? null},
                ${m.onHandDelta}, ${m.reservedDelta}, ${m.onHandAfter}, ${m.reservedAfter}, ${at})
        ${versions ? nothing : keep}`;
      return WRITTEN;
    });
  }
  for (const { before, after } of changes.orders) {
    const { orderId, state } = after;
    const returned = arrayLiteral(after.returned);
    const goodsIds = arrayLiteral(after.lines.map((line) => line.goodsId));
    const nums = arrayLiteral(after.lines.map((line) => line.num));
    statements.push(async () => {
      if (before !== undefined) {
        return await sql`
          update orders set state = ${state}, returned = ${returned}::text::int[], updated_at = ${at}
           where order_id = ${orderId}
                 ${versions ? sql`and returned = ${arrayLiteral(before.returned)}::text::int[]` : nothing}`;
      }
      await sql`
        insert into orders (order_id, state, goods_ids, nums, returned, created_at)
        values (${orderId}, ${state}, ${goodsIds}::text::int[], ${nums}::text::int[], ${returned}::text::int[], ${at})
        ${ids ? nothing : keep}`;
      return WRITTEN;
    });
  }
  for (const { operationId, kind, orderId, lines } of changes.operations) {
    const goodsIds = arrayLiteral(lines.map((line) => line.goodsId));
    const nums = arrayLiteral(lines.map((line) => line.num));
    statements.push(async () => {
      await sql`
        insert into operations (operation_id, kind, order_id, goods_ids, nums)
        values (${operationId}, ${kind}, ${orderId ?? null}, ${goodsIds}::text::int[], ${nums}::text::int[])
        ${ids ? nothing : keep}`;
      return WRITTEN;
    });
  }
  for (const [i, statement] of statements.entries()) {
    if (i === statements.length - 1) await beforeLast();
    if ((await statement()).count === 0) throw new FenceLostError("rows no longer stand where they were read");
  }
}

/** Of an insert, whose failure is an error and not a count. */
const WRITTEN = { count: 1 };
