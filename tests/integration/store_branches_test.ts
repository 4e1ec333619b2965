/**
 * The write statement is made of the branches that have rows. Whatever is written together, it comes out as decided;
 * and what the fence of a closed goods keeps, it keeps under load.
 */
import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import type postgres from "postgres";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { snapshotStatement } from "../../src/store/statements/read_snapshot.ts";
import { snapshotOf } from "../../src/store/statements/snapshot_row.ts";
import { settle } from "../../src/inventory/settle.ts";
import { keyOf } from "../../src/inventory/stock_key.ts";
import { writeStatement } from "../../src/store/statements/write_changes.ts";
import { applyTo, giveBack, rollback, sell, set, settleOn } from "../support/apply.ts";
import { confirm, elapse, reserve } from "../support/holds.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { openStoreBench } from "../support/store_bench.ts";

/** One operation for each set of branches: movements and levels, new goods, new orders, changed orders, operations. */
const OPERATIONS: readonly ((id: string, goodsId: number) => Operation)[] = [
  (id, goodsId) => sell(`sell-${id}`, [goodsId, 1]),
  (id, goodsId) => set(`new-${id}`, goodsId + 5000, 4),
  (id, goodsId) => giveBack(`back-${id}`, [goodsId, 2]),
  (id) => rollback(`sold-${id}`, undefined),
  (id) => rollback(`never-${id}`, undefined),
];

Deno.test("every mixture of operations is written as it was decided", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  const texts = new Set<string>();
  for (let mixture = 1; mixture < 2 ** OPERATIONS.length; mixture++) {
    const id = String(mixture);
    await applyTo(store, set(`set-${id}`, mixture, 10), sell(`sold-${id}`, [mixture, 3]));
    const operations = OPERATIONS.filter((_, i) => (mixture >> i) % 2 === 1).map((make) => make(id, mixture));
    const { keys, changes } = await settleOn(store, ...operations);
    await store.writeChanges(changes, NEVER);
    const { levels, orders, operations: recorded } = await store.readSnapshot(keys, NEVER);
    for (const { after } of changes.levels) assertEquals(levels.get(after.goodsId), after);
    for (const { after } of changes.orders) {
      const { atMs: _at, ...found } = orders.get(after.orderId) ?? { atMs: 0 };
      const { atMs: _wanted, ...wanted } = after;
      assertEquals(found, wanted);
    }
    for (const operation of changes.operations) assertEquals(recorded.get(operation.operationId), operation);
    texts.add(await textOf(changes, owner));
  }
  assertEquals(await ledgerViolations(owner), []);
  // A bound, so that prepared statements stay few: movements go with levels, and a bar or a part records itself.
  assertEquals(texts.size <= 31, true, `${texts.size} texts`);
  assertGreater(texts.size, 10);
});

/** Sales alone: of one line each or of several, of the same goods or of others, with more to say of them or less. */
const SALES: readonly (readonly Operation[])[] = [
  [sell("one-a", [1, 1])],
  [sell("same-a", [1, 1]), sell("same-c", [1, 2]), sell("same-b", [1, 1])],
  [sell("others-a", [3, 1]), sell("others-b", [1, 2])],
  [sell("lines-a", [1, 1], [2, 3]), sell("lines-b", [2, 1])],
  [{ ...sell("said", [1, 1]), attribution: { reason: "damage", actor: "till 3" } }, sell("unsaid", [2, 1])],
  [{ ...sell("by", [1, 1]), attribution: { actor: "till 3" } }, sell("by-nobody", [2, 1])],
  [{ ...sell("paper", [1, 1]), attribution: { documentUri: "https://shop.example/1", reason: "found" } }],
  [{ ...sell("bought", [1, 1]), buyerId: "somebody" } as Operation, sell("unbought", [2, 1])],
  [{ ...sell("what-is-there", [2, 500]), fill: "available" } as Operation],
];

Deno.test("sales alone are written as they were decided, beside what is reserved", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  await applyTo(store, set("set-1", 1, 100), set("set-2", 2, 100), set("set-3", 3, 100), reserve("held", [[1, 5]]));
  for (const operations of SALES) {
    const { keys, changes } = await settleOn(store, ...operations);
    await store.writeChanges(changes, NEVER);
    const { levels, orders } = await store.readSnapshot(keys, NEVER);
    assertEquals(
      changes.levels.map(({ after }) => levels.get(after.goodsId)),
      changes.levels.map(({ after }) => after),
    );
    assertEquals(
      changes.orders.map(({ after }) => orders.get(after.orderId)),
      changes.orders.map(({ after }) => after),
    );
    const ids = changes.orders.map(({ after }) => after.orderId);
    const written = await owner`
      select goods_id, location_id, version::int, kind, order_id, operation_id, on_hand_delta, reserved_delta,
             on_hand_after, reserved_after, reason, document_uri, actor
        from movements where order_id = any (${`{${ids}}`}::text[]) order by goods_id, version`;
    assertEquals(
      written.map((row) => ({ ...row })),
      changes.movements.map((m) => ({
        goods_id: m.goodsId,
        location_id: 0,
        version: m.version,
        kind: "sell",
        order_id: m.orderId,
        operation_id: null,
        on_hand_delta: m.onHandDelta,
        reserved_delta: 0,
        on_hand_after: m.onHandAfter,
        reserved_after: m.reservedAfter,
        reason: m.reason ?? null,
        document_uri: m.documentUri ?? null,
        actor: m.actor ?? null,
      })),
    );
  }
  assertEquals(await ledgerViolations(owner), []);
});

Deno.test("what looks like sales alone, or nearly, is written as it was decided: below nothing, late, elsewhere", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  const policy = { safetyStock: 0, backorderMax: 90, lowStockAt: 3, lowStockUntil: 6 };
  const there = { ...set("set-2-there", 2, 100), locationId: 7 } as Operation;
  const late = ["late-1", "late-2", "late-3", "late-4"];
  await applyTo(
    store,
    ...[set("set-1", 1, 5), set("set-2", 2, 100), set("set-3", 3, 100), there],
    { kind: "policy", operationId: "policy", goodsId: 1, locationId: 0, policy },
    ...late.map((orderId) => reserve(orderId, [[3, 2]], { ttlMs: 1000 })),
  );
  await elapse(owner, 2000);
  const both = {
    ...sell("both"),
    lines: [{ goodsId: 2, locationId: 0, num: 1 }, { goodsId: 2, locationId: 7, num: 2 }],
  };
  const batches: readonly (readonly [kinds: string, isLow: boolean, ...operations: Operation[]])[] = [
    ["sell sell", true, sell("a", [1, 2]), sell("b", [1, 30])],
    ["sell", true, sell("c", [1, 20])],
    ["sell sell sell", true, sell("plain", [2, 3]), both as Operation],
    ["sell", true, { ...sell("there"), lines: [{ goodsId: 2, locationId: 7, num: 4 }] } as Operation],
    // The first of them takes all off that is over; the others are sales in all but their orders.
    ["confirm expire expire expire expire", true, confirm("late-1")],
    ["confirm confirm", true, confirm("late-2"), confirm("late-3")],
    ["confirm sell", true, confirm("late-4"), sell("beside", [2, 1])],
    ["set", false, set("set-1-again", 1, 9)],
    ["sell", false, sell("d", [1, 5])],
    ["sell", true, sell("e", [1, 1])],
  ];
  for (const [kinds, isLow, ...operations] of batches) {
    const { keys, changes } = await settleOn(store, ...operations);
    assertEquals(changes.movements.map(({ kind }) => kind).sort().join(" "), kinds);
    await store.writeChanges(changes, NEVER);
    const { levels, orders } = await store.readSnapshot(keys, NEVER);
    for (const { after } of changes.levels) assertEquals(levels.get(keyOf(after)), after);
    for (const { after } of changes.orders) assertEquals(orders.get(after.orderId), after);
    for (const { goodsId, locationId, version, kind, orderId } of changes.movements) {
      const [found] = await owner`
        select kind, order_id from movements
         where goods_id = ${goodsId}::int and location_id = ${locationId}::int and version = ${version}::bigint`;
      assertEquals([found?.kind, found?.order_id], [kind, orderId ?? null]);
    }
    const [row] = await owner`select is_low, holds_from is null as free from levels where goods_id = 1`;
    assertEquals([row?.is_low, row?.free], [isLow, true], kinds);
  }
  const [row] = await owner`select on_hand from levels where goods_id = 3`;
  assertEquals(row?.on_hand, 92);
  assertEquals(await ledgerViolations(owner), []);
});

/** With fewer the plan for ten of them looks no dearer than that for one. */
const ROWS = 20_000;

Deno.test("statements of one order are planned a few times, and not at every call", async () => {
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  await applyTo(store, set("set", 1, 100));
  await owner`
    insert into levels (goods_id, on_hand, version) select goods_id, 9, 1 from generate_series(2, ${ROWS}::int) as goods_id`;
  await owner`
    insert into orders (order_id, state, goods_ids, nums, returned)
    select 'old-' || i, 'sold', '{1}', '{1}', '{0}' from generate_series(1, ${ROWS}::int) as i`;
  await owner`
    insert into operations (operation_id, kind, goods_ids, nums)
    select 'old-' || i, 'set', '{1}', '{1}' from generate_series(1, ${ROWS}::int) as i`;
  await owner`analyze`;
  // PostgreSQL plans a statement for what it is given five times, and goes on so where that looks cheaper.
  for (let i = 0; i < 12; i++) {
    const keys = { stockKeys: [1], orderIds: [`o-${i}`], operationIds: [] };
    const snapshot = snapshotOf(await snapshotStatement(keys)(owner));
    await writeStatement(settle(snapshot, [sell(`o-${i}`, [1, 1])]).changes)(owner);
  }
  for (let i = 0; i < 12; i++) {
    const keys = { stockKeys: [1], orderIds: [], operationIds: [`set-${i}`] };
    const snapshot = snapshotOf(await snapshotStatement(keys)(owner));
    await writeStatement(settle(snapshot, [set(`set-${i}`, 1, 100 + i)]).changes)(owner);
  }
  const plans = await owner`
    select left(regexp_replace(statement, '\\s+', ' ', 'g'), 40) as statement, custom_plans::int, generic_plans::int
      from pg_prepared_statements where generic_plans + custom_plans >= 12`;
  // The read, the write of a sale, and that of a set.
  assertEquals(plans.length, 3, JSON.stringify(plans));
  for (const { statement, custom_plans: planned } of plans) assert(planned <= 5, `${planned} times: ${statement}`);
});

Deno.test("a goods that is closed by hand under load stays closed; setting it opens it", async () => {
  const rounds = 30;
  await using bench = await openStoreBench();
  const { store, owner } = bench;
  await applyTo(store, set("set", 1, 1_000_000));
  let over = false;
  let fenced = 0;
  let sold = 0;
  const seller = async (name: number) => {
    for (let i = 0; !over; i++) {
      const { changes, verdicts } = await settleOn(store, sell(`${name}-${i}`, [1, 1]));
      if (!verdicts[0]?.ok) continue;
      try {
        await store.writeChanges(changes, NEVER);
        sold++;
      } catch (error) {
        assertInstanceOf(error, FenceLostError);
        fenced++;
      }
    }
  };
  const sellers = Array.from({ length: 8 }, (_, name) => seller(name));
  try {
    for (let round = 0; round < rounds; round++) {
      const before = sold;
      while (sold < before + 5) await new Promise((resolve) => setTimeout(resolve, 1));
      await owner`update levels set deleted_at = now() where goods_id = 1`;
      // Whoever had read the goods as open has written, or met the fence, when all have read once more.
      for (let reads = 0; reads < 10; reads++) await settleOn(store, sell("look", [1, 1]));
      const [row] = await owner`select deleted_at is null as open from levels where goods_id = 1`;
      assertEquals(row?.open, false, `the closing of round ${round} was undone`);
      await applyTo(store, set(`open-${round}`, 1, 1_000_000));
      const [opened] = await owner`select deleted_at is null as open from levels where goods_id = 1`;
      assertEquals(opened?.open, true, "a set did not open it again");
    }
  } finally {
    over = true;
    await Promise.all(sellers);
  }
  assertGreater(fenced, 0, "nobody met the fence: the test proves nothing");
  assertEquals(await ledgerViolations(owner), []);
});

async function textOf(changes: Parameters<typeof writeStatement>[0], owner: postgres.Sql): Promise<string> {
  const described = await owner.begin(async (sql) => {
    const { string } = await writeStatement(changes)(sql as unknown as postgres.Sql).describe();
    return string;
  });
  return described;
}
