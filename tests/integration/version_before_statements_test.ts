/** Servers of the version before, 0.1.0, beside new ones on one database: its statements on the new schema. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { ConflictError, FenceLostError, RowLockedError } from "../../src/store/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { applyTo, sell, set } from "../support/apply.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { storeOn } from "../support/store_bench.ts";
import {
  oldLevels,
  oldLock,
  oldLocked,
  oldOffLedger,
  oldPing,
  oldRollback,
  oldSell,
  oldSet,
  oldSnapshot,
} from "../support/version_0_1_0.ts";

/** Nothing was written: others were faster, or had the rows for longer than one waits for them. */
const AGAIN = [FenceLostError, ConflictError, RowLockedError];

Deno.test("statements of both versions sell the same goods at once: nothing is oversold, the ledger is whole", async () => {
  await using database = await createTestDatabase();
  const [goods, other] = [1, 2];
  const stock = 120;
  await using old = ownerOf(database.serverUrl);
  await oldSet(old.sql, "old-set", goods, stock);
  const stores = [storeOn(database), storeOn(database)];
  await applyTo(stores[0]!, set("new-set", other, stock));
  const sold = { old: 0, new: 0 };
  const oldSessions = [1, 2].map(() => postgres(database.serverUrl, { max: 1, onnotice: () => {} }));
  try {
    // Dialled before anybody sells: all could be sold by then.
    await Promise.all([
      ...oldSessions.map((sql) => sql`select 1`),
      ...stores.map((store) => store.readLevels([goods], NEVER)),
    ]);
    await Promise.all([
      ...oldSessions.map(async (sql, n) => {
        for (let i = 0;; i++) {
          if (await oldSell(sql, `old-${n}-${i}`, [goods, 1], [other, 1]) !== "sold") break;
          sold.old++;
        }
      }),
      ...stores.map(async (store, n) => {
        for (let i = 0; await newSell(store, `new-${n}-${i}`, goods, other); i++) sold.new++;
      }),
    ]);
  } finally {
    await Promise.all([...oldSessions.map((sql) => sql.end()), ...stores.map((store) => store.close())]);
  }
  assertEquals(sold.old + sold.new, stock, JSON.stringify(sold));
  assert(sold.old > 0 && sold.new > 0, `one of them sold nothing: ${JSON.stringify(sold)}`);
  const left = await oldLevels(old.sql, [goods, other]);
  assertEquals(left.map((row) => row["on_hand"]), [0, 0]);
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("each version finds the other's orders: sold once, given back once, barred for both", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    await applyTo(store, set("set", 1, 10));
    assertEquals(await oldSell(old.sql, "a", [1, 2]), "sold");
    const { verdicts: [again] } = await applyTo(store, sell("a", [1, 2]));
    assert(again?.ok && again.replayed);
    await applyTo(store, sell("b", [1, 3]));
    assertEquals(await oldSell(old.sql, "b", [1, 3]), "sold");
    assertEquals(await oldRollback(old.sql, "b"), "rolled_back");
    assertEquals(await oldRollback(old.sql, "c"), "barred");
    const { verdicts: [barred] } = await applyTo(store, sell("c", [1, 1]));
    assertEquals(barred?.ok, false);
    assertEquals((await store.readLevels([1], NEVER)).get(1)?.onHand, 8);
  } finally {
    await store.close();
  }
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("0.1.0 sees nothing of other locations, and leaves what holds have reserved", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    await applyTo(store, set("here", 1, 10), { kind: "set", operationId: "there", goodsId: 1, locationId: 5, num: 7 });
    await applyTo(store, { kind: "set", operationId: "only-there", goodsId: 2, locationId: 5, num: 7 });
    const { levels } = await oldSnapshot(old.sql, [1, 2]);
    assertEquals([...levels.values()], [{ goodsId: 1, onHand: 10, reserved: 0, version: 1, deleted: false }]);
    assertEquals((await oldLevels(old.sql, [1, 2])).length, 1);
    assertEquals(await oldSell(old.sql, "a", [2, 1]), "short");
    await applyTo(store, {
      kind: "reserve",
      orderId: "hold",
      lines: [{ goodsId: 1, locationId: 0, num: 4 }],
      ttlMs: 60_000,
    });
    assertEquals(await oldSell(old.sql, "b", [1, 7]), "short");
    assertEquals(await oldSell(old.sql, "b", [1, 6]), "sold");
    assertEquals((await store.readLevels(["1@5"], NEVER)).get("1@5")?.onHand, 7);
  } finally {
    await store.close();
  }
  await using owner = ownerOf(database.ownerUrl);
  const added = await owner.sql`
    select goods_id, location_id, on_hand, reserved, version from levels
    except
    select goods_id, location_id, sum(on_hand_delta)::int, sum(reserved_delta)::int, max(version) from movements
     group by goods_id, location_id having count(*) = max(version)`;
  assertEquals([...added], [], "levels that their movements do not add up to");
});

Deno.test("0.1.0 can't give back at location 0 what was sold at another", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  const lines = [{ goodsId: 1, locationId: 5, num: 2 }];
  try {
    await applyTo(store, set("here", 1, 10), { kind: "set", operationId: "there", goodsId: 1, locationId: 5, num: 7 });
    await applyTo(store, { kind: "sell", orderId: "a", lines });
    await assertRejects(() => oldRollback(old.sql, "a"), Error, "order_locations_are_known");
    const part = [{ goodsId: 1, locationId: 5, num: 1 }];
    const { verdicts: [verdict] } = await applyTo(store, {
      kind: "rollback",
      orderId: "a",
      rollbackId: "part",
      lines: part,
    });
    assertEquals(verdict?.ok, true);
    await assertRejects(() => oldRollback(old.sql, "a"), Error, "order_locations_are_known");
    await applyTo(store, { kind: "rollback", orderId: "a", rollbackId: undefined, lines: [] });
    const levels = await store.readLevels([1, "1@5"], NEVER);
    assertEquals([levels.get(1)?.onHand, levels.get("1@5")?.onHand], [10, 7]);
  } finally {
    await store.close();
  }
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("0.1.0 is ready on the new schema, and its locks and looks work on it with the server's rights", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  await using other = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    assertEquals((await oldPing(old.sql)).length, 1);
    await applyTo(store, set("a", 1, 10), set("b", 2, 10));
    assertEquals(await oldOffLedger(old.sql, [1, 2, 3]), []);
    await old.sql.begin(async (sql) => {
      assertEquals((await oldLock(sql as unknown as postgres.Sql, [2, 1, 3])).length, 3);
      assertEquals((await store.readLocked([1, 2], NEVER)).sort(), [1, 2]);
      assertEquals((await oldLocked(other.sql, [1, 2])).sort(), [1, 2]);
    });
    assertEquals(await store.readLocked([1, 2], NEVER), []);
    await other.sql.begin(async (sql) => {
      await sql`select from levels where goods_id = 1 for update`;
      assertEquals(await oldLocked(old.sql, [1, 2]), [1]);
    });
  } finally {
    await store.close();
  }
});

/** One of each goods, as the lanes would: again where another was faster. False: there is none left. */
async function newSell(store: Store, orderId: string, ...goods: number[]): Promise<boolean> {
  for (;;) {
    try {
      const { verdicts: [verdict] } = await applyTo(
        store,
        sell(orderId, ...goods.map((id) => [id, 1] as [number, number])),
      );
      return verdict?.ok === true;
    } catch (error) {
      if (!AGAIN.some((kind) => error instanceof kind)) throw error;
    }
  }
}
