/**
 * No write is cancelled, whoever leaves: PostgreSQL answers a commit that waits for a standby, and is cancelled, as if
 * the standby had it, and shows it to everybody. Each write of the store stands still at its commit while its caller
 * leaves.
 */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { settle } from "../../src/inventory/settle.ts";
import { OutcomeUnknownError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { applyTo, keysOf, sell, set, settleOn } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { startOwnPostgres } from "../support/own_postgres.ts";
import { TEST_LIMITS, within } from "../support/pool_probe.ts";
import { stallCommits } from "../support/stalled_commits.ts";
import { eventually } from "../support/eventually.ts";

const LIMITS = { ...TEST_LIMITS, max: 8, statementTimeoutMs: 4000 };

/** All writes of a store, and what of each is seen once it is committed. */
const WRITES: Readonly<
  Record<string, { write: (store: Store, signal: AbortSignal) => Promise<unknown>; seen: string }>
> = {
  writeChanges: {
    write: async (store, signal) => store.writeChanges((await settleOn(store, sell("one", [1, 1]))).changes, signal),
    seen: "select from orders where order_id = 'one'",
  },
  changeUnderRowLocks: {
    write: (store, signal) => {
      const operation = sell("two", [2, 1]);
      const decide = (snapshot: Parameters<typeof settle>[0]) => Promise.resolve(settle(snapshot, [operation]).changes);
      return store.changeUnderRowLocks(keysOf(operation), decide, signal);
    },
    seen: "select from orders where order_id = 'two'",
  },
  resolveShortfall: {
    write: (store, signal) => store.resolveShortfall({ orderId: "short", resolution: "refunded" }, signal),
    seen: "select from shortfalls where resolved_at is not null",
  },
  nameGoods: {
    write: (store, signal) => store.nameGoods({ sku: "a-sku", goodsId: 7, candidatesMax: 1 }, signal),
    seen: "select from goods where sku = 'a-sku'",
  },
  addReason: {
    write: (store, signal) => store.addReason({ code: "a_reason", description: "" }, 100, signal),
    seen: "select from reasons where code = 'a_reason'",
  },
};

Deno.test("a write whose caller leaves while its commit waits for a standby is not cancelled", async () => {
  await using own = await startOwnPostgres({ fsync: false });
  const database = await own.database("waiting");
  const store = createStore({ ...LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await using owner = ownerOf(database.ownerUrl);
  const isSeen = async (seen: string) => (await owner.sql.unsafe(seen)).length === 1;
  await applyTo(store, set("set-1", 1, 10), set("set-2", 2, 10));
  await owner.sql`
    insert into shortfalls (order_id, goods_ids, location_ids, asked, available, created_at)
    values ('short', '{1}', '{0}', '{1}', '{0}', now())`;
  const stalled = await stallCommits(database.ownerUrl);
  const waiting = async () => {
    const rows = await owner.sql`
      select from pg_stat_activity where wait_event = 'SyncRep' and usename = 'holdfast_server'`;
    return rows.length;
  };

  const leaving = new AbortController();
  const ends = Object.values(WRITES).map(({ write }) =>
    write(store, leaving.signal).then(() => "done", (error) => error)
  );
  await eventually(async () => await waiting() === ends.length, "all of them wait for the standby");
  leaving.abort();
  const came = await within(Promise.all(ends), "the writes");
  for (const [i, name] of Object.keys(WRITES).entries()) {
    assertInstanceOf(came[i], OutcomeUnknownError, `${name} ended as ${came[i]}`);
    assertEquals(await isSeen(WRITES[name]!.seen), false, `${name} is seen before it is safe`);
  }
  assertEquals(await waiting(), ends.length);

  await stalled.heal();
  for (const [name, { seen }] of Object.entries(WRITES)) {
    await eventually(() => isSeen(seen), `${name} is done once the standby has it`);
  }
  await store.close();
});
