/** Sales beside ends of holds: written as they were decided, and not at all where somebody changed what was read. */
import { assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { INT32_MAX } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { DUE_HOLDS_MAX } from "../../src/store/statements/snapshot_row.ts";
import { allRows } from "../support/all_rows.ts";
import { applyTo, sell, set, settleOn } from "../support/apply.ts";
import { elapse, expire, release, reserve } from "../support/holds.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { openStoreBench } from "../support/store_bench.ts";

/** What is written beside ends of holds; each has ends of its own. */
const BESIDE_ENDS: readonly (readonly Operation[])[] = [
  [sell("one", [1, 1])],
  [sell("before-a", [1, 1]), sell("before-b", [1, 2]), sell("elsewhere", [4, 1])],
  [sell("lines", [1, 1], [2, 3]), sell("line", [2, 1])],
  [{ ...sell("said", [1, 1]), attribution: { reason: "damage", actor: "till 3" } }, sell("unsaid", [2, 1])],
  [{ ...sell("bought", [1, 1]), buyerId: "somebody" } as Operation],
  [expire("over-1-4")],
  [sell("swept", [1, 1]), expire("over-1-5"), expire("over-2-5")],
  [release("live"), sell("released", [1, 1])],
];

const ENDS_AFTER_MS = 600_000;

Deno.test("sales beside ends of holds are written as they were decided", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  await applyTo(
    store,
    ...[1, 2, 3, 4].map((goodsId) => set(`set-${goodsId}`, goodsId, INT32_MAX)),
    reserve("live", [[1, 5]], { ttlMs: 100 * ENDS_AFTER_MS }),
    ...BESIDE_ENDS.flatMap((_, i) =>
      [1, 2].flatMap((goodsId) =>
        ["over", "then"].map((name, later) =>
          reserve(`${name}-${goodsId}-${i}`, [[goodsId, 1 + i]], { ttlMs: ENDS_AFTER_MS * (i + 1) + 100 * later })
        )
      )
    ),
  );
  let ends = 0;
  for (const operations of BESIDE_ENDS) {
    // However long this takes, those of the next are live.
    await elapse(owner, ENDS_AFTER_MS + 1000);
    const { keys, changes } = await settleOn(store, ...operations);
    const ended = changes.movements.filter(({ kind }) => kind === "expire");
    ends += ended.length;
    await store.writeChanges(changes, NEVER);
    const { levels, orders, due } = await store.readSnapshot(keys, NEVER);
    assertEquals(due, undefined, "what has ended is off");
    for (const { after } of changes.levels) assertEquals(levels.get(after.goodsId), after);
    for (const { after } of changes.orders) assertEquals(orders.get(after.orderId), after);
    for (const movement of changes.movements) {
      const { goodsId, version } = movement;
      const [found] = await owner`
        select goods_id as "goodsId", location_id as "locationId", version::int, kind, order_id as "orderId",
               operation_id as "operationId", on_hand_delta as "onHandDelta", reserved_delta as "reservedDelta",
               on_hand_after as "onHandAfter", reserved_after as "reservedAfter", reason, actor,
               (extract(epoch from occurred_at) * 1000)::float8 as "occurredAtMs"
          from movements where goods_id = ${goodsId}::int and version = ${version}::bigint`;
      const { operationId = null, reason = null, actor = null, occurredAtMs = null } = movement;
      assertEquals({ ...found }, { ...movement, operationId, reason, actor, occurredAtMs });
    }
    const [row] = await owner`select reserved, holds_from is null as free from levels where goods_id = 1`;
    assertEquals(row?.free, row?.reserved === 0);
  }
  assertGreater(ends, 2 * BESIDE_ENDS.length);
  assertEquals(await ledgerViolations(owner), []);
});

Deno.test("of very many holds that end at one moment as many as were read are taken off beside a sale", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  const count = DUE_HOLDS_MAX + 7;
  const holds = Array.from({ length: count }, (_, i) => reserve(`h-${i}`, [[1 + i % 2, 1]], { ttlMs: 1000 }));
  await applyTo(store, set("set-1", 1, 5000), set("set-2", 2, 5000), ...holds);
  const [moment] = await owner`select count(distinct expires_at)::int as count from holds`;
  assertEquals(moment?.count, 1);
  await elapse(owner, 2000);
  for (const [orderId, left] of [["a", 7], ["b", 0]] as const) {
    const { changes } = await settleOn(store, sell(orderId, [1, 1], [2, 1]));
    await store.writeChanges(changes, NEVER);
    const [row] = await owner`
      select (select count(*)::int from holds) as holds, (select sum(reserved)::int from levels) as reserved`;
    assertEquals({ ...row }, { holds: left, reserved: left });
  }
  assertEquals(await ledgerViolations(owner), []);
});

/** What somebody changed by hand after sales beside ends were settled. */
const CHANGED_BY_HAND: readonly string[] = [
  "delete from holds where order_id = 'b'",
  "update holds set expires_at = expires_at + interval '1 ms' where order_id = 'b'",
  "update holds set num = num + 1 where order_id = 'a'",
  "with gone as (delete from holds where order_id = 'b') update holds set num = 4 where order_id = 'a'",
  "insert into holds select goods_id, location_id, expires_at, 'also', 1 from holds where order_id = 'b'",
  "update levels set reserved = reserved + 1 where goods_id = 1",
  "update levels set on_hand = on_hand + 1 where goods_id = 1",
  "update levels set deleted_at = now() where goods_id = 1",
];

Deno.test("what was changed by hand is met by sales beside ends of holds: nothing of them is written", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  for (const [i, statement] of CHANGED_BY_HAND.entries()) {
    await owner`truncate levels, orders, operations, movements, holds`;
    const holds = ["a", "b"].map((orderId) => reserve(orderId, [[1, 2]], { ttlMs: 1000 }));
    await applyTo(store, set(`set-${i}`, 1, 100), ...holds, reserve("live", [[1, 5]]));
    await elapse(owner, 2000);
    const { changes } = await settleOn(store, sell("sold", [1, 1]));
    assertEquals(changes.movements.map(({ kind }) => kind), ["expire", "expire", "sell"]);
    await owner.unsafe(statement);
    const before = await allRows(owner);
    assertInstanceOf(await store.writeChanges(changes, NEVER).catch((error) => error), FenceLostError, statement);
    assertEquals(await allRows(owner), before, statement);
  }
});
