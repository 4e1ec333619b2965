/**
 * Holds whose time is up: they are over from that moment on, whoever has seen it. And what tidies up after them.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type postgres from "postgres";
import type { Changes, Snapshot } from "../../src/inventory/model.ts";
import { HoldSweeper } from "../../src/jobs/hold_sweeper.ts";
import { settledWithin, until } from "../../src/base/bounded_wait.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { DUE_HOLDS_MAX } from "../../src/store/statements/snapshot_row.ts";
import type { Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { sell } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { elapse, extend, holdViolations, reserve, wordOf } from "../support/holds.ts";
import { LANES_LIMITS, type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { eventually } from "../support/eventually.ts";

const HOUR_MS = 3_600_000;
/** For thousands of holds, on a machine that is busy. */
const SWEPT_MS_MAX = 120_000;

/** A store that believes `reserved` as it stands, whoever has it and until when. */
function credulous(store: Store): Pick<Store, "readSnapshot" | "changeUnderRowLocks"> {
  const believed = ({ due: _due, moreDue: _more, ...snapshot }: Snapshot): Snapshot => snapshot;
  return {
    readSnapshot: async (keys, signal) => believed(await store.readSnapshot(keys, signal)),
    changeUnderRowLocks: (keys, decide, signal) =>
      store.changeUnderRowLocks(keys, (snapshot) => decide(believed(snapshot)), signal),
  };
}

inEveryMode("an expired hold blocks no sale, though nobody has swept it", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  const held = await lanes.apply(reserve("h", [[1, 10]]), NEVER);
  assert(held.ok && held.kind === "hold");
  assertEquals(wordOf(await lanes.apply(sell("early", [1, 1]), NEVER)), "short_stock");
  await elapse(owner.sql, HOUR_MS);

  // As it stands in the row the units are gone, and whoever believes that refuses the sale.
  const [row] = await owner.sql`select reserved from levels`;
  assertEquals(row?.reserved, 10);
  const arm = on.lanes({ store: credulous(on.store) });
  assertEquals(wordOf(await arm.apply(sell("arm", [1, 1]), NEVER)), "short_stock");

  assertEquals((await on.store.readLevels([1], NEVER)).get(1)?.reserved, 0);
  assertEquals(wordOf(await lanes.apply(sell("now", [1, 10]), NEVER)), "sold");
  const [expired] = await owner.sql`
    select order_id, reserved_delta, (extract(epoch from occurred_at) * 1000)::bigint as occurred_ms
      from movements where kind = 'expire'`;
  const trueMs = (held.order.expiresAtMs ?? 0) - HOUR_MS;
  assertEquals({ ...expired }, { order_id: "h", reserved_delta: -10, occurred_ms: `${trueMs}` });
  assertEquals(await holdViolations(owner.sql), []);
});

inEveryMode(
  "who waits until more holds are off than one write takes waits no longer than for other writes",
  async () => {
    await using on = await lanesBench();
    const leaving = new AbortController();
    let writes = 0;
    const lost = () => {
      if (++writes > 100) leaving.abort();
      return new FenceLostError("always");
    };
    const due = { goodsId: 1, locationId: 0, num: 1, orderId: "over", expiresAtMs: 1 };
    const withMore: Store["readSnapshot"] = async (keys, signal) => {
      const snapshot = await on.store.readSnapshot(keys, signal);
      const levels = new Map([...snapshot.levels].map(([key, level]) => [key, { ...level, reserved: 1 }]));
      return { ...snapshot, levels, due: [due], moreDue: true };
    };
    const lanes = on.lanes({
      store: {
        readSnapshot: withMore,
        writeChanges: () => Promise.reject(lost()),
        changeUnderRowLocks: async (keys, decide, signal) => {
          if (await decide(await withMore(keys, signal)) !== undefined) throw lost();
        },
      },
    });
    const ended = await lanes.apply(reserve("h", [[1, 1]]), leaving.signal).catch((error) => error);
    assertInstanceOf(ended, Failure);
    assert(writes <= 20, `${writes} writes`);
  },
);

inEveryMode("a hold is over at the millisecond at which its time is up, by the database's clock", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  for (let round = 0; round < 20; round++) {
    const id = `h${round}`;
    const verdict = await lanes.apply(reserve(id, [[1, 10]], { ttlMs: 1 + round }), NEVER);
    assert(verdict.ok && verdict.kind === "hold");
    const { expiresAtMs = 0 } = verdict.order;
    // Whoever is asked says the same of one moment: the read of a level, the snapshot, the list, the record.
    await eventually(async () => {
      const [level, snapshot, list] = await Promise.all([
        on.store.readLevels([1], NEVER),
        on.store.readSnapshot({ stockKeys: [1], orderIds: [id], operationIds: [] }, NEVER),
        on.store.listHolds({}, { after: undefined, limit: 10 }, NEVER),
      ]);
      assertEquals(snapshot.due?.length ?? 0, snapshot.atMs >= expiresAtMs ? 1 : 0);
      return level.get(1)?.reserved === 0 && list.length === 0 && snapshot.atMs >= expiresAtMs;
    }, "the hold is over");
    assertEquals(wordOf(await lanes.apply(extend(id, HOUR_MS), NEVER)), "is expired");
  }
  assertEquals(await holdViolations(owner.sql), []);
});

inEveryMode("holds at several places expire where somebody asks, and the rest with the sweeper", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  await lanes.apply({ kind: "set", operationId: "s", goodsId: 1, locationId: 7, num: 5 }, NEVER);
  await lanes.apply(reserve("h", [[1, 10], [1, 5, 7]]), NEVER);
  await elapse(owner.sql, HOUR_MS);
  assertEquals(wordOf(await lanes.apply(sell("now", [1, 1]), NEVER)), "sold");
  const reserved = () => owner.sql`select location_id, reserved from levels order by location_id`.then((r) => [...r]);
  assertEquals((await reserved()).map((row) => row.reserved), [0, 5]);
  assertEquals(await holdViolations(owner.sql), []);
  await swept(on);
  assertEquals((await reserved()).map((row) => row.reserved), [0, 0]);
  const [order] = await owner.sql`select state from orders where order_id = 'h'`;
  assertEquals(order?.state, "expired");
  assertEquals(await holdViolations(owner.sql), []);
});

/** Has one process sweep until nothing is due. */
async function swept(on: LanesBench): Promise<void> {
  const sweeper = sweeperOf(on);
  await eventually(async () => {
    const due = await on.store.readDueOrders({ atMs: 0, orderId: "" }, 1, NEVER);
    return due.orders.length === 0;
  }, "nothing is due");
  await sweeper.stop();
}

function sweeperOf(on: LanesBench, store: Partial<Store> = {}): HoldSweeper {
  return new HoldSweeper({
    store: on.store,
    lanes: on.lanes({ store }),
    log: createLog("error", "pretty"),
    random: Math.random,
    pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
}

/** Live holds of one unit each of goods 1, with all that belongs to them, as so many reserves would have made them. */
async function manyHolds(owner: postgres.Sql, count: number): Promise<void> {
  await owner.begin(async (sql) => {
    await sql`update levels set on_hand = 2 * ${count}::int, reserved = ${count}::int, version = ${count}::int + 1,
                                holds_from = date_trunc('milliseconds', now())
               where goods_id = 1`;
    await sql`update movements set on_hand_after = 2 * ${count}::int, on_hand_delta = 2 * ${count}::int
               where goods_id = 1`;
    await sql`
      insert into movements (goods_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after,
                             reserved_after)
      select 1, n + 1, 'reserve', 'h' || n, 0, 1, 2 * ${count}::int, n from generate_series(1, ${count}::int) as n`;
    const ends = sql`date_trunc('milliseconds', now()) + interval '1 minute'`;
    await sql`
      insert into orders (order_id, state, goods_ids, nums, returned, held, expires_at)
      select 'h' || n, 'held', '{1}', '{1}', '{0}', '{1}', ${ends} from generate_series(1, ${count}::int) as n`;
    await sql`
      insert into holds (goods_id, location_id, expires_at, order_id, num)
      select 1, 0, ${ends}, 'h' || n, 1 from generate_series(1, ${count}::int) as n`;
  });
}

inEveryMode("four thousand holds that end together are worked off in bounded batches, while sales go on", async () => {
  const count = 4_000;
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  await manyHolds(owner.sql, count);
  assertEquals(await holdViolations(owner.sql), []);
  await elapse(owner.sql, HOUR_MS);

  const sizes: number[] = [];
  const watched = (changes: Changes) => {
    sizes.push(changes.movements.length);
    return changes;
  };
  const store: Partial<Store> = {
    writeChanges: (changes, signal) => on.store.writeChanges(watched(changes), signal),
    changeUnderRowLocks: (keys, decide, signal) =>
      on.store.changeUnderRowLocks(keys, async (snapshot) => {
        const changes = await decide(snapshot);
        return changes && watched(changes);
      }, signal),
  };
  // Two processes that sweep, and one that sells all the while.
  const sweepers = [sweeperOf(on, store), sweeperOf(on, store)];
  const lanes = on.lanes({ store });
  let done = false;
  let sold = 0;
  const sales = Array.from({ length: 4 }, async (_, caller) => {
    for (let i = 0; !done; i++) {
      const verdict = await lanes.apply(sell(`c${caller}-${i}`, [1, 1]), NEVER);
      assertEquals(wordOf(verdict), "sold");
      sold++;
    }
  });
  const all = await until(async () => {
    const [row] = await owner.sql<{ left: number }[]>`
      select count(*)::int as left from orders where state = 'held'`;
    return row?.left === 0;
  }, SWEPT_MS_MAX);
  assert(all, "not all were written down in time");
  done = true;
  await Promise.all(sales);
  for (const sweeper of sweepers) await sweeper.stop();

  assert(sold > 10, `${sold} sales`);
  const most = Math.max(...sizes);
  assert(most <= DUE_HOLDS_MAX + LANES_LIMITS.operationsMax, `${most} movements in one write`);
  assert(sizes.length >= count / DUE_HOLDS_MAX);
  const [state] = await owner.sql`
    select reserved, on_hand, (select count(*)::int from holds) as rows,
           (select count(*)::int from movements where kind = 'expire') as expired from levels`;
  assertEquals({ ...state }, { reserved: 0, on_hand: 2 * count - sold, rows: 0, expired: count });
  assertEquals(await holdViolations(owner.sql), []);
});

inEveryMode("an expired hold that can't be written down keeps the sweeper from no other", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  await lanes.apply({ kind: "set", operationId: "s2", goodsId: 2, locationId: 0, num: 5 }, NEVER);
  await lanes.apply(reserve("bad", [[1, 1]], { ttlMs: 1_000 }), NEVER);
  await lanes.apply(reserve("good", [[2, 1]], { ttlMs: 2_000 }), NEVER);
  await elapse(owner.sql, HOUR_MS);
  // Somebody has changed the row by hand, and no write of it passes its fence.
  await owner.sql`update levels set version = version - 1 where goods_id = 1`;
  const sweeper = sweeperOf(on);
  const stateOf = (id: string) =>
    owner.sql`select state from orders where order_id = ${id}`.then(([row]) => row?.state);
  await eventually(async () => await stateOf("good") === "expired", "the other one is written down");
  assertEquals(await stateOf("bad"), "held");
  await owner.sql`update levels set version = version + 1 where goods_id = 1`;
  await eventually(async () => await stateOf("bad") === "expired", "and this one once it can be");
  assert(await settledWithin(sweeper.stop(), 10_000));
  assertEquals(await holdViolations(owner.sql), []);
});
