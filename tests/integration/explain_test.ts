/**
 * What a place comes of: it adds up whenever it is looked at, whoever writes meanwhile, and not where a row was changed
 * by hand; and it costs no more where the ledger is long.
 */
import { assert, assertEquals } from "@std/assert";
import { addsUp, type Explained } from "../../src/inventory/explained.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { SUMMED_MAX } from "../../src/store/statements/explain_place.ts";
import { applyTo, rollback, sell, set } from "../support/apply.ts";
import { lockRow } from "../support/contention.ts";
import { ownerOf } from "../support/database.ts";
import { confirm, elapse, extend, release, reserve } from "../support/holds.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";
import { seededRandom } from "../support/rude_http2.ts";
import { eventually } from "../support/eventually.ts";

const LIMITS = { movements: 20, holds: 20 };
const OPERATIONS = 300;
const SEED = 14;

/** What somebody did by hand to goods 1, whose ledger has a set, a hold of two, a sale and an adjustment. */
const FAULTS: Readonly<Record<string, string>> = {
  "more on hand": "update levels set on_hand = on_hand + 1",
  "less reserved": "update levels set reserved = reserved - 1",
  "a version that was set back": "update levels set version = version - 1",
  "a version that was set forward": "update levels set version = version + 1",
  "a movement of other units": "update movements set on_hand_delta = on_hand_delta + 1 where version = 3",
  "a movement that came to something else": "update movements set on_hand_after = on_hand_after + 1 where version = 2",
  "a reserved that came to something else":
    "update movements set reserved_after = reserved_after + 1 where version = 3",
  "the first movement gone": "delete from movements where version = 1",
  "a movement in the middle gone": "delete from movements where version = 3",
  "the last movement gone": "delete from movements where version = 4",
  "all movements gone": "delete from movements",
  "a hold of more units": "update holds set num = num + 1",
  "a hold gone": "delete from holds",
};

Deno.test("where a row was changed by hand it does not add up", async (t) => {
  await using bench = await lanesBench();
  await using owner = ownerOf(bench.ownerUrl);
  const { store } = bench;
  let goodsId = 100;
  for (const [what, statement] of Object.entries(FAULTS)) {
    await t.step(what, async () => {
      const id = goodsId++;
      await applyTo(
        store,
        set(`set-${id}`, id, 10),
        reserve(`held-${id}`, [[id, 2]], { buyerId: "b" }),
        sell(`sold-${id}`, [id, 3]),
        { kind: "adjust", operationId: `adjust-${id}`, lines: [{ goodsId: id, locationId: 0, num: 5 }] },
      );
      const before = await explain(id);
      assertEquals([before.opening, before.held.num], [{ version: 0, onHand: 0, reserved: 0 }, 2]);
      assert(addsUp(before), JSON.stringify(before));
      const where = statement.includes(" where ") ? " and" : " where";
      await owner.sql.unsafe(`${statement}${where} goods_id = ${id}`);
      assert(!addsUp(await explain(id)));
    });
  }

  async function explain(id: number): Promise<Explained> {
    const explained = await store.lists.explain({ goodsId: id, locationId: 0 }, LIMITS, NEVER);
    assert(explained !== undefined);
    return explained;
  }
});

Deno.test("it adds up whenever it is looked at, while others write", async () => {
  await using bench = await lanesBench();
  await using owner = ownerOf(bench.ownerUrl);
  const { store } = bench;
  const both = [bench.lanes(), bench.lanes()];
  const random = seededRandom(SEED);
  const pick = (n: number) => Math.floor(random() * n);
  const operation = (i: number): Operation => {
    const earlier = `o-${pick(i + 1)}`;
    const kinds: readonly (() => Operation)[] = [
      () => sell(`o-${i}`, [1, 1 + pick(3)], [2, 1]),
      () => reserve(`o-${i}`, [[1, 1 + pick(3)], [2, 1]], { ttlMs: 60_000 }),
      () => reserve(`o-${i}`, [[1, 1]], { ttlMs: 60_000 }),
      () => confirm(earlier),
      () => release(earlier),
      () => extend(earlier, 90_000),
      () => rollback(earlier, undefined),
      () => set(`set-${i}`, 1, 40 + pick(20)),
      () => ({ kind: "adjust", operationId: `a-${i}`, lines: [{ goodsId: 1, locationId: 0, num: 1 + pick(9) }] }),
    ];
    return kinds[pick(kinds.length)]!();
  };
  await applyTo(store, set("first-1", 1, 50), set("first-2", 2, 5000));
  let isOver = false;
  const kinds = new Set<string>();
  let looks = 0;
  const look = async () => {
    while (!isOver) {
      const explained = await store.lists.explain({ goodsId: 1, locationId: 0 }, LIMITS, NEVER);
      assert(explained !== undefined && addsUp(explained), `seed ${SEED}: ${JSON.stringify(explained)}`);
      for (const { kind } of explained.sums) kinds.add(kind);
      looks++;
    }
  };
  const looking = look();
  try {
    for (let i = 0; i < OPERATIONS; i += 10) {
      await Promise.all(
        both.map((lanes, which) =>
          lanes.applyAll(Array.from({ length: 5 }, (_, j) => operation(i + 5 * which + j)), NEVER)
        ),
      );
      // Holds end meanwhile, whether or not anybody has written that down.
      if (i % 50 === 0) await elapse(owner.sql, 45_000);
    }
  } finally {
    isOver = true;
    await looking;
  }
  assert(looks > 10, `${looks} looks`);
  const all = ["adjust", "confirm", "expire", "extend", "release", "reserve", "rollback", "sell", "set"];
  assertEquals([...kinds].sort(), all, `seed ${SEED}`);
});

Deno.test("of a long ledger the latest movements are added up, of many holds the first are, and bounds hold", async () => {
  await using bench = await lanesBench();
  await using owner = ownerOf(bench.ownerUrl);
  const { store } = bench;
  const explain = async (goodsId: number) => (await store.lists.explain({ goodsId, locationId: 0 }, LIMITS, NEVER))!;
  await owner.sql.unsafe(`
    insert into levels (goods_id, on_hand, reserved, version)
    values (7, 20000, 0, ${SUMMED_MAX + 50}), (8, 20000, 0, ${SUMMED_MAX}), (9, 20000, ${SUMMED_MAX + 1}, 1);
    insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta, on_hand_after,
                           reserved_after)
    select goods_id, v, case when v = 1 then 'set' else 'sell' end, 'o-' || v, null,
           case when v = 1 then 20000 + last - 1 else -1 end, 0, 20000 + last - v, 0
      from (values (7, ${SUMMED_MAX + 50}), (8, ${SUMMED_MAX})) as g (goods_id, last), generate_series(1, last) as v;
    insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
    values (9, 1, 'set', 20000, ${SUMMED_MAX + 1}, 20000, ${SUMMED_MAX + 1});
    insert into holds select 9, 0, now() + interval '1 day', 'h-' || h, 1 from generate_series(1, ${
    SUMMED_MAX + 1
  }) as h`);
  const long = await explain(7);
  assertEquals(long.opening, { version: 50, onHand: 20_000 + SUMMED_MAX, reserved: 0 });
  assertEquals(long.sums, [
    { kind: "sell", movements: SUMMED_MAX, onHandDelta: -SUMMED_MAX, reservedDelta: 0 },
  ]);
  assertEquals([long.movements[0]?.version, long.movements.length], [SUMMED_MAX + 50, LIMITS.movements]);
  const whole = await explain(8);
  assertEquals([whole.opening.version, whole.sums.length], [0, 2]);
  assert(addsUp(long) && addsUp(whole));
  const many = await explain(9);
  assertEquals(many.held, { count: SUMMED_MAX, num: SUMMED_MAX + 1, more: true });
  assertEquals(many.holds.length, LIMITS.holds);
  assert(addsUp(many));

  await owner.sql`update movements set on_hand_after = on_hand_after + 1 where goods_id = 7 and version = 50`;
  assert(!addsUp(await explain(7)), "where the sums begin was changed");
  assertEquals(await store.lists.explain({ goodsId: 7, locationId: 1 }, LIMITS, NEVER), undefined);
});

Deno.test("a hold whose time is up is said to be due, and what waits for a goods is counted until it has ended", async () => {
  await using bench = await lanesBench();
  await using owner = ownerOf(bench.ownerUrl);
  const { store } = bench;
  const lanes = bench.lanes();
  await applyTo(store, reserve("soon", [[1, 2]], { buyerId: "b", ttlMs: 1000 }), reserve("late", [[1, 3]]));
  await elapse(owner.sql, 5000);
  const { level, standing, holds } = (await store.lists.explain({ goodsId: 1, locationId: 0 }, LIMITS, NEVER))!;
  assertEquals([level.reserved, standing.reserved], [3, 5]);
  assertEquals(holds.map(({ orderId, buyerId, num, isDue }) => [orderId, buyerId, num, isDue]), [
    ["soon", "b", 2, true],
    ["late", undefined, 3, false],
  ]);

  const row = await lockRow(bench.ownerUrl, 1);
  const sales = lanes.applyAll([sell("s-1", [1, 1]), sell("s-2", [1, 1])], NEVER);
  const more = (async () => {
    await eventually(() => lanes.waiting === 0 && lanes.operationsOn(1) === 2, "their batch is under way");
    return await lanes.applyAll([sell("s-3", [1, 1])], NEVER);
  })();
  await eventually(() => lanes.operationsOn(1) === 3, "three operations on goods 1");
  assertEquals(lanes.operationsOn(2), 0);
  await row.release();
  await Promise.all([sales, more]);
  await eventually(() => lanes.operationsOn(1) === 0, "none is left");
});
