/**
 * What a page of a list costs in tables of some 100,000 rows: counted in rows that PostgreSQL fetches, not in time,
 * with the plan that knows the values and with the one that knows none, as a session that has asked often has it.
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import type { LevelQuery, MovementQuery, OrderQuery } from "../../src/inventory/queries.ts";
import { type FrameRow, pageOf } from "../../src/store/statements/lists/frame.ts";
import { listLevelsStatement } from "../../src/store/statements/lists/levels.ts";
import { listMovementsStatement } from "../../src/store/statements/lists/movements.ts";
import { listOrdersStatement } from "../../src/store/statements/lists/orders.ts";
import { explainPlaceStatement, SUMMED_MAX } from "../../src/store/statements/explain_place.ts";
import { turnoverStatement } from "../../src/store/statements/stats/turnover.ts";
import type { Statement } from "../../src/store/postgres/transaction_block.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";

const GOODS = 100_000;
const ORDERS = 100_000;
const SIZE = 100;
/** Rows that are fetched for one row of a page, from all tables: level, sku, order, and what halves and leaps need. */
const FETCHED_MAX = 15 * SIZE;
/** The same where the filters fit seldom: the scan goes as far as it may, and looks at each candidate. */
const FETCHED_SELDOM_MAX = 12_000;
/** When the first order would be, and when the last is; one a second. */
const FIRST_US = Date.UTC(2026, 10, 1) * 1000;
const LAST_US = FIRST_US + ORDERS * 1_000_000;
const DAY_US = 86_400_000_000;
/** When a clock that is behind stood still for one place, and how many movements that has. */
const STILL_US = Date.UTC(2026, 8, 30) * 1000;
const STILL = 20_000;
const MIDDLE_US = LAST_US - (ORDERS / 2) * 1_000_000;

interface Case {
  readonly statement: Statement<FrameRow<readonly [key: readonly (string | number)[], ...unknown[]]>[]>;
  /** Rows of the page and one more, where it is full. */
  readonly rows: number;
  readonly isSeldom?: boolean;
}

function levels(query: Partial<LevelQuery>, rows = SIZE + 1, after?: readonly (string | number)[]): Case {
  const whole = { deleted: "excluded", sort: "goods", isDescending: false, ...query } as const;
  return { statement: listLevelsStatement(whole, { size: SIZE, after }) as unknown as Case["statement"], rows };
}

function movements(query: Partial<MovementQuery>, rows = SIZE + 1, after?: readonly (string | number)[]): Case {
  const whole = { newestFirst: true, ...query };
  return { statement: listMovementsStatement(whole, { size: SIZE, after }) as unknown as Case["statement"], rows };
}

function orders(query: Partial<OrderQuery>, rows = SIZE + 1, after?: readonly (string | number)[]): Case {
  const whole = { newestFirst: true, ...query };
  return { statement: listOrdersStatement(whole, { size: SIZE, after }) as unknown as Case["statement"], rows };
}

const seldom = (of: Case): Case => ({ ...of, isSeldom: true });

const CASES: Readonly<Record<string, Case>> = {
  "stock": levels({}),
  "stock in the middle": levels({}, SIZE + 1, [GOODS / 2, 0]),
  "stock, the last first": levels({ isDescending: true }),
  "stock in the middle, the last first": levels({ isDescending: true }, SIZE + 1, [GOODS / 2, 0]),
  "stock of goods": levels({ goodsIds: Array.from({ length: 200 }, (_, i) => 1 + i * 499) }),
  "stock of skus": levels({ skus: ["SKU-000010", "SKU-050000"] }, 2),
  "stock at a location": levels({ locationIds: [7] }, SIZE + 1, [GOODS / 2, 0]),
  "stock at two locations": levels({ locationIds: [7, 0] }),
  "what is low": levels({ isLow: true }, SIZE + 1, [GOODS / 2, 0]),
  "what is low, the last first": levels({ isLow: true, isDescending: true }, SIZE + 1, [GOODS / 2, 0]),
  "what is sold out": levels({ isSoldOut: true }),
  "what is deleted": levels({ deleted: "only" }),
  "what has holds": levels({ hasHolds: true }),
  "stock by sku": levels({ sort: "sku" }, SIZE + 1, ["SKU-050000", 0]),
  "stock by sku, the last first": levels({ sort: "sku", isDescending: true }, SIZE + 1, ["SKU-050000", 0]),
  "stock by the beginning of a sku": levels({ sort: "sku", skuPrefix: "SKU-05" }),
  "what has changed": levels({ sort: "change", changedSinceUs: LAST_US - 100 * 1_000_000 }),
  "stock where a filter seldom fits": seldom(levels({ hasHolds: true, isSoldOut: true, locationIds: [7] }, 0)),
  "movements": movements({}),
  "movements in the middle": movements({}, SIZE + 1, [MIDDLE_US, 1, 0, 1]),
  "movements, the oldest first": movements({ newestFirst: false }, SIZE + 1, [MIDDLE_US, 1, 0, 1]),
  "movements of a time": movements({ sinceUs: MIDDLE_US - 200_000_000, untilUs: MIDDLE_US }),
  "movements of a goods": movements({ goodsId: 1 }),
  "movements of a goods in the middle": movements({ goodsId: 1 }, SIZE + 1, [MIDDLE_US, 1, 0, 1000]),
  "movements of a goods, the oldest first": movements({ goodsId: 1, newestFirst: false }, SIZE + 1, [
    MIDDLE_US,
    1,
    0,
    9,
  ]),
  "movements of a place, of one time": movements({ goodsId: 5, locationId: 8 }, SIZE + 1, [
    STILL_US,
    5,
    8,
    STILL / 2,
  ]),
  "movements of a place, of one time, the oldest first": movements(
    { goodsId: 5, locationId: 8, newestFirst: false },
    SIZE + 1,
    [STILL_US, 5, 8, STILL / 2],
  ),
  "movements of an order": movements({ orderId: "order-050000" }, 2),
  "movements of an operation": movements({ operationId: "set-77" }, 1),
  "movements of a buyer": movements({ buyerId: "buyer-10" }),
  "movements by an actor": movements({ actor: "clerk" }, SIZE + 1, [MIDDLE_US, 1, 0, 1]),
  "movements for a reason": movements({ reason: "count" }),
  "sales": movements({ kinds: ["sell"] }),
  "counts": movements({ kinds: ["count"] }, SIZE + 1),
  "counts and deletions": movements({ kinds: ["count", "delete"] }, SIZE + 1),
  "movements where a filter seldom fits": seldom(movements({ kinds: ["sell"], reason: "theft" }, 0)),
  "sales of nobody": seldom(movements({ kinds: ["sell"], actor: "nobody" }, 0)),
  "orders": orders({}),
  "orders, the oldest first": orders({ newestFirst: false }, SIZE + 1, [MIDDLE_US, "order-050000"]),
  "orders of a time": orders({ sinceUs: MIDDLE_US - 200_000_000, untilUs: MIDDLE_US }),
  "orders of a buyer": orders({ buyerId: "buyer-10" }),
  "orders of a goods": orders({ goodsId: 1 }),
  "orders of a goods in the middle": orders({ goodsId: 1 }, SIZE + 1, [MIDDLE_US, 0, 5000]),
  "holds that live": orders({ states: ["held"] }),
  "orders that are gone": orders({ states: ["rolled_back", "barred"] }),
  "sold orders": orders({ states: ["sold"] }),
};

Deno.test("a page of a list fetches its rows and few others, whatever the tables have", async (t) => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  await fill(owner.sql);
  await t.step("why a goods stands where it does, by a plan that reads all that the text allows", async () => {
    // As planned of a goods that the planner takes for one of few movements: a limit alone does not bound that.
    const server = postgres(database.serverUrl, {
      max: 1,
      fetch_types: false,
      connection: { enable_seqscan: "off", enable_indexscan: "off", jit: "off" },
    });
    const explained = explainPlaceStatement({ goodsId: 1, locationId: 0 }, { movements: 100, holds: 100 });
    const { answer, fetched } = await counted(server, explained);
    await server.end();
    assertEquals(answer.movements.length, 100);
    assert(fetched <= SUMMED_MAX + 1 + FETCHED_MAX, `${fetched} rows were fetched`);
  });
  for (const mode of ["force_custom_plan", "force_generic_plan"]) {
    const server = postgres(database.serverUrl, {
      max: 1,
      fetch_types: false,
      connection: { enable_seqscan: "off", jit: "off", plan_cache_mode: mode },
    });
    try {
      for (const [name, { statement, rows, isSeldom }] of Object.entries(CASES)) {
        await t.step(`${name}, ${mode}`, async () => {
          const { answer, fetched, scannedWhole } = await counted(server, statement);
          assertEquals(answer.found, rows);
          assertEquals(scannedWhole, 0, "rows of tables that were read from end to end");
          const max = isSeldom === true ? FETCHED_SELDOM_MAX : FETCHED_MAX;
          assert(fetched <= max, `${fetched} rows were fetched for a page of ${rows}`);
        });
      }
      await t.step(`why a goods of many movements stands where it does, ${mode}`, async () => {
        const explained = explainPlaceStatement({ goodsId: 1, locationId: 0 }, { movements: 100, holds: 100 });
        const { answer, fetched, scannedWhole } = await counted(server, explained);
        assertEquals([answer.opening?.[0], scannedWhole], [ORDERS / 2 + 1 - SUMMED_MAX, 0]);
        assert(fetched <= SUMMED_MAX + 1 + FETCHED_MAX, `${fetched} rows were fetched`);
      });
      await t.step(`what all goods turned over, ${mode}`, async () => {
        const startsUs = Array.from({ length: 8 }, (_, i) => FIRST_US + (i - 5) * DAY_US);
        const query = { isByGoods: true, startsUs };
        const { answer, fetched, scannedWhole } = await counted(
          server,
          turnoverStatement(query, { size: SIZE, afterGoodsId: 0 }),
        );
        assertEquals([answer.day, answer.goods_id, scannedWhole], [6, 1, 0]);
        // Of the second day; of the first, which the page does not get to, there are six times as many.
        assert(fetched <= (ORDERS - 86_400) * 1.5 + SIZE, `${fetched} rows were fetched`);
      });
      await t.step(`what a goods of many movements turned over in an hour, ${mode}`, async () => {
        const query = { goodsIds: [1], isByGoods: false, startsUs: [MIDDLE_US, MIDDLE_US + 3_600_000_000] };
        const { answer, fetched, scannedWhole } = await counted(
          server,
          turnoverStatement(query, { size: SIZE, afterGoodsId: 0 }),
        );
        assertEquals([answer.day, answer.sold, answer.movements, scannedWhole], [0, "1800", "1800", 0]);
        assert(fetched <= 1800 + SIZE, `${fetched} rows were fetched`);
      });
      for (const [name, { list, expected }] of Object.entries(WALKS)) {
        await t.step(`${name}, page by page, although few fit, ${mode}`, async () => {
          const [row] = await owner.sql.unsafe(`select count(*)::int as count from ${expected}`);
          assert(row!.count > 0);
          assertEquals(await walk(server, list), row!.count);
        });
      }
    } finally {
      await server.end();
    }
  }
});

/** Lists whose filters fit so seldom that pages end at the edge of their scan. */
const WALKS: Readonly<Record<string, { list: (after?: readonly (string | number)[]) => Case; expected: string }>> = {
  "sold out stock at a location": {
    list: (after) => levels({ isSoldOut: true, locationIds: [7] }, 0, after),
    expected: "levels where is_sold_out and location_id = 7 and deleted_at is null",
  },
  "low stock by the beginning of a sku": {
    list: (after) => levels({ sort: "sku", skuPrefix: "SKU-05", isLow: true }, 0, after),
    expected: "levels natural join goods where is_low and deleted_at is null and sku like 'SKU-05%'",
  },
  "movements of two kinds until a time, the oldest first": {
    list: (after) =>
      movements({ kinds: ["sell", "count"], untilUs: FIRST_US + 60_000_000, newestFirst: false }, 0, after),
    expected: "movements where kind in ('sell', 'count') and at < timestamptz '2026-11-01 00:01Z'",
  },
  "stock that changed since a time and is low": {
    list: (after) => levels({ sort: "change", changedSinceUs: FIRST_US + 90_000_000_000, isLow: true }, 0, after),
    expected: "levels where is_low and deleted_at is null and updated_at >= timestamptz '2026-11-02 01:00Z'",
  },
};

/** How many rows a list has, all different; by pages of the usual size. */
async function walk(server: postgres.Sql, list: (after?: readonly (string | number)[]) => Case): Promise<number> {
  const keys = new Set<string>();
  let rows = 0;
  let after: readonly (string | number)[] | undefined;
  do {
    const [answer] = await list(after).statement(server);
    const page = pageOf(answer!, SIZE);
    for (const [key] of page.rows) keys.add(JSON.stringify(key));
    rows += page.rows.length;
    after = page.next;
  } while (after !== undefined);
  assertEquals(keys.size, rows, "a row came twice");
  return rows;
}

/** The answer, and the rows that were fetched for it. */
async function counted<T extends unknown[]>(server: postgres.Sql, statement: Statement<T>) {
  return await server.begin(async (sql) => {
    const before = await fetchedSoFar(sql);
    const [answer] = await statement(sql as unknown as postgres.Sql);
    const after = await fetchedSoFar(sql);
    return {
      answer: answer as unknown as T[number],
      fetched: after.fetched - before.fetched,
      scannedWhole: after.scanned - before.scanned,
    };
  });
}

/** By this session, from whenever PostgreSQL began to count. */
async function fetchedSoFar(sql: postgres.ISql): Promise<{ readonly fetched: number; readonly scanned: number }> {
  const [row] = await sql<{ fetched: number; scanned: number }[]>`
    select coalesce(sum(idx_tup_fetch), 0)::int as fetched, coalesce(sum(seq_tup_read), 0)::int as scanned
      from pg_stat_xact_user_tables`;
  return row!;
}

/** Goods 1 is in every second order; of the others each has few movements. */
async function fill(owner: postgres.Sql): Promise<void> {
  await owner.unsafe(`
    insert into levels (goods_id, location_id, on_hand, reserved, version, updated_at, deleted_at, low_stock_at,
                        low_stock_until, is_low, holds_from)
    select g, case when g % 10 = 0 then 7 else 0 end, case when g % 101 = 0 then 0 else 9 end,
           case when g % 103 = 0 and g % 101 <> 0 then 2 else 0 end, case when g = 1 then ${ORDERS / 2 + 1} else 2 end,
           timestamptz '2026-11-01Z' + least(g, ${ORDERS}) * interval '1 s', case when g % 211 = 0 then now() end,
           case when g % 97 = 0 then 20 end, case when g % 97 = 0 then 30 end, g % 97 = 0,
           case when g % 103 = 0 and g % 101 <> 0 then now() end
      from generate_series(1, ${GOODS}) as g;
    insert into goods select g, 'SKU-' || lpad(((g * 7919::bigint) % ${GOODS})::text, 6, '0')
      from generate_series(1, ${GOODS}) as g;
    insert into holds select goods_id, location_id, now() + interval '1 day', 'hold-' || goods_id, 2
      from levels where reserved > 0;
    insert into movements (goods_id, location_id, version, kind, operation_id, on_hand_delta, reserved_delta,
                           on_hand_after, reserved_after, at, reason, actor)
    select g, case when g % 10 = 0 then 7 else 0 end, 1, case when g % 500 = 3 then 'count' else 'set' end, 'set-' || g,
           9, 0, 9, 0, timestamptz '2026-10-01Z' + g * interval '1 s', case when g % 500 = 3 then 'count' end,
           case when g % 50 = 0 then 'clerk' end
      from generate_series(1, ${GOODS}) as g;
    insert into movements (goods_id, location_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after,
                           reserved_after, at, actor)
    select case when o % 2 = 0 then 1 else o end, case when o % 2 = 1 and o % 10 = 0 then 7 else 0 end,
           case when o % 2 = 0 then 1 + o / 2 else 2 end, 'sell', 'order-' || lpad(o::text, 6, '0'), -1, 0, 8, 0,
           timestamptz '2026-11-01Z' + o * interval '1 s', case when o % 50 = 0 then 'clerk' end
      from generate_series(2, ${ORDERS}) as o;
    insert into movements (goods_id, location_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after,
                           reserved_after, at)
    select o, case when o % 10 = 0 then 7 else 0 end, 2, 'sell', 'order-' || lpad(o::text, 6, '0'), -1, 0, 8, 0,
           timestamptz '2026-11-01Z' + o * interval '1 s'
      from generate_series(2, ${ORDERS}, 2) as o;
    insert into orders (order_id, state, goods_ids, nums, returned, created_at, buyer_id, expires_at)
    select 'order-' || lpad(o::text, 6, '0'),
           case when o % 400 = 0 then 'held' when o % 400 = 2 then 'rolled_back' else 'sold' end,
           case when o % 2 = 0 then array[1, o] else array[o] end, case when o % 2 = 0 then array[1, 1] else array[1] end,
           case when o % 400 = 2 then array[1, 1] when o % 2 = 0 then array[0, 0] else array[0] end,
           timestamptz '2026-11-01Z' + o * interval '1 s', case when o % 5 = 0 then 'buyer-' || o % 95 end,
           case when o % 400 = 0 then now() + interval '1 day' end
      from generate_series(2, ${ORDERS}) as o;
    insert into operations (operation_id, kind, goods_ids, nums, created_at)
    select operation_id, kind, array[goods_id], array[9], at from movements where operation_id is not null;
    insert into levels (goods_id, location_id, on_hand, version, updated_at)
    values (5, 8, 9, ${STILL}, timestamptz '2026-09-30Z');
    insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                           reserved_after, at)
    select 5, 8, version, 'adjust', 1, 0, 9, 0, timestamptz '2026-09-30Z' from generate_series(1, ${STILL}) as version;`);
  await owner.unsafe("vacuum analyze");
}
