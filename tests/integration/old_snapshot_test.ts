/**
 * A session with an old snapshot keeps every version of a row that batches change. The statements of the store
 * must not read them all: counted in pages that PostgreSQL touches, not in time.
 */
import { assert } from "@std/assert";
import postgres from "postgres";
import type { Changes } from "../../src/inventory/model.ts";
import { settle } from "../../src/inventory/settle.ts";
import type { Statement } from "../../src/store/postgres/transaction_block.ts";
import { lockStatement } from "../../src/store/statements/change_under_row_locks.ts";
import { listLevelsStatement } from "../../src/store/statements/lists/levels.ts";
import { offLedgerStatement } from "../../src/store/statements/read_off_ledger.ts";
import { schemaStatement } from "../../src/store/statements/ping.ts";
import { snapshotStatement } from "../../src/store/statements/read_snapshot.ts";
import { snapshotOf } from "../../src/store/statements/snapshot_row.ts";
import { levelsStatement } from "../../src/store/statements/read_levels.ts";
import { locationsStatement } from "../../src/store/statements/read_locations.ts";
import { lockedStatement } from "../../src/store/statements/read_locked.ts";
import { writeStatement } from "../../src/store/statements/write_changes.ts";
import { sell } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";

/** The next one begins a block, so that the write adds an entry to the index, which looks for equal ones. */
const VERSIONS = 470 * 64 - 2;
/** A few pages for each index and table that a statement goes through. The old rows lie on some 280 pages. */
const PAGES_MORE_MAX = 40;
const KEYS = { stockKeys: [1], orderIds: ["next"], operationIds: [] };
const STOCK = { deleted: "excluded", sort: "goods", isDescending: false } as const;

Deno.test("under an old snapshot no statement of the store reads the old versions of a row", async (t) => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const reader = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const server = postgres(database.serverUrl, { max: 1, fetch_types: false, connection: { enable_seqscan: "off" } });
  try {
    await owner.unsafe("insert into levels (goods_id, on_hand, version) values (1, 1000000, 1)");
    await owner.unsafe(
      `insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
                        values (1, 1, 'set', 1000000, 0, 1000000, 0)`,
    );
    const before = await pagesOfAll(server);
    await reader.unsafe("begin isolation level repeatable read");
    await reader.unsafe("select 1 from orders");
    await age(owner);
    // As autovacuum does. The planner then knows of one row, and of none of the old versions that it has to leave.
    await owner.unsafe("vacuum analyze levels");
    const aged = await pagesOfAll(server);
    for (const [name, pages] of Object.entries(aged)) {
      const young = before[name]!;
      await t.step(`${name}: ${young} pages, ${pages} with ${VERSIONS} old versions`, () => {
        assert(pages <= young + PAGES_MORE_MAX, `${pages} pages instead of ${young}`);
      });
    }
    await t.step(
      "the write finds the row by its whole key, so that it passes over no blocks of the goods",
      async () => {
        const changes = settle(snapshotOf(await snapshotStatement(KEYS)(server)), [sell("next", [1, 1])]).changes;
        const unread: Changes = { ...changes, atWrite: true };
        for (const written of [changes, unread]) {
          const plan = (await server`explain ${writeStatement(written)(server)}`).map((row) => row["QUERY PLAN"]);
          const condition = plan[plan.findIndex((line: string) => line.includes("levels_pkey")) + 1];
          for (const column of ["goods_id", "location_id", "version_block"]) {
            assert(condition.includes(`(${column} = `), condition);
          }
        }
      },
    );
    await t.step("a search by goods alone does read them: the snapshot was old", async () => {
      const pages = await pagesOf(
        server,
        (sql) => sql`select on_hand from levels where goods_id = any (${"{1}"}::int[])`,
      );
      assert(pages > 200, `${pages} pages`);
    });
  } finally {
    await Promise.all([owner, reader, server].map((sql) => sql.end({ timeout: 1 })));
  }
});

Deno.test("under an old snapshot neither the remains of holds nor live ones are read for what is due", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const reader = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const server = postgres(database.serverUrl, { max: 1, fetch_types: false, connection: { enable_seqscan: "off" } });
  try {
    await owner.unsafe("insert into levels (goods_id, on_hand, reserved, version) values (1, 1000000, 20000, 1)");
    const young = await pagesOf(server, snapshotStatement(KEYS));
    // Half of them ended a minute ago, the others live.
    await owner.unsafe(`
      insert into holds (goods_id, location_id, expires_at, order_id, num)
      select 1, 0, date_trunc('milliseconds', now()) + case when i <= 20000 then -interval '1 minute' else interval '1 day' end
                     + i * interval '1 ms', 'held-' || i, 1
        from generate_series(1, 40000) as i`);
    await reader.unsafe("begin isolation level repeatable read");
    await reader.unsafe("select 1 from orders");
    await owner.unsafe("delete from holds where expires_at < now()");
    await owner.unsafe("vacuum analyze holds");
    const pages = async (holdsFrom: string) => {
      await owner.unsafe(`update levels set holds_from = now() - interval '${holdsFrom}'`);
      return await pagesOf(server, snapshotStatement(KEYS));
    };
    const aged = await pages("1 second");
    assert(aged <= young + PAGES_MORE_MAX, `${aged} pages instead of ${young}`);
    const all = await pages("1 hour");
    assert(all > 200, `${all} pages: without the moment of the last write the remains are read`);
  } finally {
    await Promise.all([owner, reader, server].map((sql) => sql.end({ timeout: 1 })));
  }
});

Deno.test("under an old snapshot no old versions of a location's row are read on the path to the next location", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const reader = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const server = postgres(database.serverUrl, { max: 1, fetch_types: false, connection: { enable_seqscan: "off" } });
  try {
    // Locations on both sides of the one that gets old, and some goods beside: with few rows on many pages the planner
    // takes a bitmap for as cheap.
    await owner.unsafe(`
      insert into levels (goods_id, location_id, on_hand, version)
      select 1, i, 1000000, 1 from generate_series(0, 9) as i union all select i, 0, 1, 1 from generate_series(2, 500) as i`);
    const young = await pagesOf(server, locationsStatement([1]));
    await reader.unsafe("begin isolation level repeatable read");
    await reader.unsafe("select 1 from orders");
    await age(owner, 4);
    await owner.unsafe("vacuum analyze levels");
    const aged = await pagesOf(server, locationsStatement([1]));
    assert(aged <= young + PAGES_MORE_MAX, `${aged} pages instead of ${young}`);
    const upwards = await pagesOf(
      server,
      (sql) => sql`select * from levels where goods_id = 1 and location_id > 3 order by location_id limit 1`,
    );
    assert(upwards > 200, `${upwards} pages: a step up reads them`);
  } finally {
    await Promise.all([owner, reader, server].map((sql) => sql.end({ timeout: 1 })));
  }
});

/** Changes goods 1 at the location again and again, a transaction each, with its movements. */
async function age(owner: postgres.Sql, locationId = 0): Promise<void> {
  await owner.unsafe(`
    do $$ begin
      for read in 1..${VERSIONS} loop
        update levels set on_hand = on_hand - 1, version = version + 1
         where goods_id = 1 and location_id = ${locationId} and version_block = read / 64 and version = read;
        insert into movements (goods_id, location_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after,
                               reserved_after)
        values (1, ${locationId}, read + 1, 'sell', 'o', -1, 0, 1000000 - read, 0);
        commit;
      end loop;
    end $$`);
}

/** The pages that each statement touches. */
async function pagesOfAll(server: postgres.Sql): Promise<Record<string, number>> {
  const snapshot = snapshotOf(await snapshotStatement(KEYS)(server));
  const changes: Changes = settle(snapshot, [sell("next", [1, 1])]).changes;
  return {
    "the snapshot": await pagesOf(server, snapshotStatement(KEYS)),
    "the levels": await pagesOf(server, levelsStatement(KEYS.stockKeys)),
    "the row lock": await pagesOf(server, lockStatement(KEYS.stockKeys)),
    "who is locked": await pagesOf(server, lockedStatement(KEYS.stockKeys)),
    "who is off the ledger": await pagesOf(server, offLedgerStatement(KEYS.stockKeys)),
    "the look of readiness": await pagesOf(server, schemaStatement),
    "a page of stock": await pagesOf(server, listLevelsStatement(STOCK, { size: 100 })),
    "a page of stock, the last first": await pagesOf(
      server,
      listLevelsStatement({ ...STOCK, isDescending: true }, { size: 100 }),
    ),
    "a page of what is sold out": await pagesOf(
      server,
      listLevelsStatement({ ...STOCK, isSoldOut: true }, { size: 100 }),
    ),
    "the write": await pagesOf(server, writeStatement(changes)),
  };
}

/** Runs it once for PostgreSQL to settle what it writes at the first look, and undoes both. */
async function pagesOf<T>(server: postgres.Sql, statement: Statement<T>): Promise<number> {
  const explained = (sql: postgres.Sql) => sql`explain (analyze, buffers, format json) ${statement(sql)}`;
  let pages = 0;
  for (let round = 0; round < 2; round++) {
    await server`begin`;
    const [row] = await explained(server);
    await server`rollback`;
    pages = pagesBelow((row!["QUERY PLAN"] as { Plan: Plan }[])[0]!.Plan);
  }
  return pages;
}

interface Plan {
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
}

/**
 * Over all nodes: the first one does not count what is written beside it. One below others is counted in them as well.
 */
function pagesBelow(plan: Plan): number {
  const below = (plan.Plans ?? []).reduce((sum, each) => sum + pagesBelow(each), 0);
  return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] + below;
}
