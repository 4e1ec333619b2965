/**
 * The fence: of two writers that read the same rows one succeeds and the other writes nothing at all, whatever they
 * met on. No lease and no turn keeps them apart here.
 */
import { assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import postgres from "postgres";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { FenceLostError, RowLockedError } from "../../src/store/errors.ts";
import type { PoolOptions } from "../../src/store/postgres/pool.ts";
import { DECISION_AGE_MS_MAX } from "../../src/store/statements/write_changes.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, giveBack, rollback, sell, set, settleOn } from "../support/apply.ts";
import { release, reserve } from "../support/holds.ts";
import { createTestDatabase } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS, within } from "../support/pool_probe.ts";
import { allRows } from "../support/all_rows.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";

/** How often two writers are let loose on each other at the same moment. */
const RACES = 10;

/** On what two writers meet, and what each of them does. Goods 1 to 3 have stock, and 1 and 2 were sold to `sold`. */
const MEETINGS: readonly (readonly [what: string, first: Operation, second: Operation])[] = [
  ["two sales of one goods", sell("a", [1, 1]), sell("b", [1, 1])],
  ["sales with one goods in common", sell("a", [1, 1], [2, 1]), sell("b", [2, 1], [3, 1])],
  ["a sale and a set of one goods", sell("a", [1, 1]), set("s", 1, 3)],
  ["two creations of one goods", set("s", 9, 1), set("t", 9, 2)],
  ["two orders under one id, of different goods", sell("a", [1, 1]), sell("a", [3, 1])],
  ["an order and the rollback that bars it", sell("a", [1, 1]), rollback("a", undefined)],
  ["the same bar twice", rollback("a", undefined), rollback("a", undefined)],
  ["two operations under one id, of different goods", giveBack("g", [1, 1]), giveBack("g", [3, 1])],
  ["two sets under one id, of different goods", set("s", 1, 7), set("s", 3, 7)],
  ["two parts of one order, of different goods", rollback("sold", "p", [1, 1]), rollback("sold", "q", [2, 1])],
  ["the same part of one order", rollback("sold", undefined, [1, 1]), rollback("sold", undefined, [1, 1])],
  ["a part and the whole of one order", rollback("sold", "p", [1, 1]), rollback("sold", undefined)],
];

for (const [what, first, second] of MEETINGS) {
  Deno.test(`${what}: the second writer loses and writes nothing`, async () => {
    await using bench = await twoStores();
    const { stores: [one, other], owner } = bench;
    const winner = await settleOn(one, first);
    const loser = await settleOn(other, second);
    const before = await allRows(owner);
    await one.writeChanges(winner.changes, NEVER);
    const after = await allRows(owner);
    assertNotEquals(after, before, "the first writer wrote nothing: they can't have met");
    assertInstanceOf(await rejectionOf(other.writeChanges(loser.changes, NEVER)), FenceLostError);
    assertEquals(await allRows(owner), after, "the second writer left something behind");
    assertEquals(await ledgerViolations(bench.owner), []);
  });

  Deno.test(`${what}: at the same moment exactly one of them is written`, async () => {
    await using bench = await twoStores();
    for (let race = 0; race < RACES; race++) {
      await bench.reset();
      const settled = await Promise.all([settleOn(bench.stores[0], first), settleOn(bench.stores[1], second)]);
      const errors = await within(
        Promise.all(
          settled.map(({ changes }, i) => rejectionOf((bench.stores[i] as Store).writeChanges(changes, NEVER))),
        ),
        "the two writers",
      );
      const lost = errors.filter((error) => error !== undefined);
      assertEquals(lost.length, 1, `of two writers ${2 - lost.length} succeeded in race ${race}`);
      assertInstanceOf(lost[0], FenceLostError);
      assertEquals(await ledgerViolations(bench.owner), []);
    }
  });
}

/** Goods 1 is never sold below 1. */
const POLICY: Operation = {
  kind: "policy",
  operationId: "policy",
  goodsId: 1,
  locationId: 0,
  policy: { safetyStock: 1, backorderMax: 0 },
};

/** What somebody changed behind the ledger after an operation was settled. */
const TAMPERINGS: readonly [what: string, statement: string, operation: Operation][] = [
  ["a stock row whose version moved", "update levels set version = version + 1 where goods_id = 1", sell("a", [1, 1])],
  ["a stock row that is gone", "delete from levels where goods_id = 1", sell("a", [1, 1])],
  ["a goods that was closed", "update levels set deleted_at = now() where goods_id = 1", sell("a", [1, 1])],
  ["a goods that was closed, for a set", "update levels set deleted_at = now() where goods_id = 1", set("s", 1, 3)],
  ["what is on hand, corrected", "update levels set on_hand = 50 where goods_id = 1", sell("a", [1, 1])],
  ["what is on hand, corrected, for a set", "update levels set on_hand = 50 where goods_id = 1", set("s", 1, 3)],
  ["what is reserved, corrected", "update levels set reserved = 1 where goods_id = 1", sell("a", [1, 1])],
  ["what is reserved, corrected, for a set", "update levels set reserved = 1 where goods_id = 1", set("s", 1, 3)],
  ["a stock row whose version moved, for a set", "update levels set version = 3 where goods_id = 1", set("s", 1, 3)],
  ["one of two stock rows", "update levels set version = 9 where goods_id = 3", sell("a", [1, 1], [3, 1])],
  ["what came back of an order", "update orders set returned = '{1,0}'", rollback("sold", "p", [1, 1])],
  ["an order's state", "update orders set state = 'released'", rollback("sold", "p", [1, 1])],
  ["an order that is gone", "delete from orders", rollback("sold", "p", [1, 1])],
  [
    "a hold's goods",
    "update orders set goods_ids = '{1,3}' where order_id = 'held'",
    reserve("held", [[2, 1], [3, 1]]),
  ],
  [
    "where a hold lies",
    "update orders set location_ids = '{0,7}', located_returned = returned where order_id = 'held'",
    reserve("held", [[2, 1], [3, 1]]),
  ],
  ["whose a hold is", "update orders set buyer_id = 'b' where order_id = 'held'", reserve("held", [[2, 1], [3, 1]])],
  ["a hold's state, for a release", "update orders set state = 'expired' where order_id = 'held'", release("held")],
  ["what a hold has, for a release", "update orders set nums = '{3,1}' where order_id = 'held'", release("held")],
  ["what came back of a hold", "update orders set returned = '{1,0}' where order_id = 'held'", release("held")],
  [
    "when a hold ends",
    "update orders set expires_at = expires_at + interval '1 s' where order_id = 'held'",
    release("held"),
  ],
  ["safety stock", "update levels set safety_stock = 2 where goods_id = 1", POLICY],
  ["a buyer's limit", "update levels set buyer_num_max = 2 where goods_id = 1", POLICY],
  ["the length of holds", "update levels set hold_ttl_ms = 2 where goods_id = 1", POLICY],
];

for (const [what, statement, operation] of TAMPERINGS) {
  Deno.test(`${what}: changed behind the ledger, nothing is written`, async () => {
    await using bench = await twoStores();
    const { stores: [store], owner } = bench;
    const { changes } = await settleOn(store, operation);
    await owner.unsafe(statement);
    const before = await allRows(owner);
    assertInstanceOf(await rejectionOf(store.writeChanges(changes, NEVER)), FenceLostError);
    assertEquals(await allRows(owner), before);
  });
}

for (const ending of ["commit", "rollback"] as const) {
  Deno.test(`a writer waits for another that is not through; after its ${ending} the end is clear`, async () => {
    await using bench = await twoStores();
    const { stores: [store], owner } = bench;
    const { changes } = await settleOn(store, sell("a", [1, 1]));
    const foreign = await owner.reserve();
    await foreign`begin`;
    await foreign`
      insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
      select goods_id, version + 1, 'set', 0, 0, on_hand, reserved from levels where goods_id = 1`;
    const writing = rejectionOf(store.writeChanges(changes, NEVER));
    await eventually(async () => await waitingWriters(owner) === 1, "the writer waits for the row");
    await foreign.unsafe(ending);
    foreign.release();
    const error = await within(writing, "the writer");
    if (ending === "rollback") assertEquals(error, undefined);
    else assertInstanceOf(error, FenceLostError);
    const [row] = await owner`select count(*)::int as sold from orders where order_id = 'a'`;
    assertEquals(row?.sold, ending === "rollback" ? 1 : 0);
  });
}

Deno.test("a writer that waits for longer than the lock timeout writes nothing", async () => {
  await using bench = await twoStores({ lockTimeoutMs: 100 });
  const { stores: [store], owner } = bench;
  const { changes } = await settleOn(store, sell("a", [1, 1]));
  const before = await allRows(owner);
  const foreign = await owner.reserve();
  await foreign`begin`;
  await foreign`select 1 from levels where goods_id = 1 for update`;
  assertInstanceOf(await within(rejectionOf(store.writeChanges(changes, NEVER)), "the writer"), RowLockedError);
  await foreign`rollback`;
  foreign.release();
  assertEquals(await allRows(owner), before);
});

Deno.test("a decision is not written when it is too old, as of a process that stood still", async () => {
  await using bench = await twoStores();
  const { stores: [store], owner } = bench;
  for (const operation of [sell("a", [1, 1]), set("b", 9, 1)]) {
    const { changes } = await settleOn(store, operation);
    const before = await allRows(owner);
    const old = { ...changes, atMs: changes.atMs - DECISION_AGE_MS_MAX };
    assertInstanceOf(await within(rejectionOf(store.writeChanges(old, NEVER)), "the writer"), FenceLostError);
    assertEquals(await allRows(owner), before);
    const { changes: anew } = await settleOn(store, operation);
    await store.writeChanges(anew, NEVER);
  }
});

interface Bench extends AsyncDisposable {
  readonly stores: readonly [Store, Store];
  readonly owner: postgres.Sql;
  /** Empties the tables and fills them again. */
  reset(): Promise<void>;
}

/** Two stores on one database with some stock and an order in it. */
async function twoStores(limits: Partial<PoolOptions> = {}): Promise<Bench> {
  const database = await createTestDatabase();
  const options = { ...TEST_LIMITS, ...limits, address: parsePostgresAddress(database.serverUrl) };
  const stores = [createStore(options), createStore(options)] as const;
  const owner = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  const fill = async () => {
    await applyTo(
      stores[0],
      set("set-1", 1, 10),
      set("set-2", 2, 10),
      set("set-3", 3, 10),
      sell("sold", [1, 2], [2, 2]),
      reserve("held", [[2, 1], [3, 1]]),
    );
  };
  await fill();
  return {
    stores,
    owner,
    async reset() {
      await owner`truncate levels, orders, operations, movements, holds`;
      await fill();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      await owner.end({ timeout: 1 });
      await database.drop();
    },
  };
}

async function waitingWriters(owner: postgres.Sql): Promise<number> {
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
     where application_name = 'holdfast' and datname = current_database() and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}
