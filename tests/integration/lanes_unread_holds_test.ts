/** Sales on levels that are kept, without a read, beside holds: for a moment, and past none that ended long ago. */
import { assert, assertEquals } from "@std/assert";
import { KEPT_RESERVED_MS_MAX, MOVED_MS_MAX } from "../../src/lanes/kept_levels.ts";
import { HOLDS_READ_MS_MAX } from "../../src/store/statements/branches/levels.ts";
import { sell, set } from "../support/apply.ts";
import { counted } from "../support/counted_lanes.ts";
import { ownerOf } from "../support/database.ts";
import { elapse, holdViolations, reserve } from "../support/holds.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";

/** What lets time pass, and repeats what has to be written soon after it was read, with other ids, until it was. */
function soon() {
  const clock = { nowMs: 0 };
  return {
    clock,
    clocks: { monotonicMs: () => clock.nowMs, timeMs: Date.now },
    async written(ends: (i: number) => Promise<unknown[]>): Promise<void> {
      for (let i = 0;; i++) {
        const [words, reads, writes] = await ends(i);
        assertEquals(words, "ok");
        if (reads === 0) return assertEquals(writes, 1);
        clock.nowMs += 2 * MOVED_MS_MAX;
      }
    },
  };
}

Deno.test("sales beside holds are written without a read for a moment, and what has ended meanwhile is off at the next", async () => {
  await using on = await lanesBench();
  const { clock, clocks, written } = soon();
  const { lanes, ends } = await counted(on, undefined, clocks);
  await using owner = ownerOf(on.ownerUrl);
  const levelled = async () => {
    const [row] = await owner.sql`select on_hand, reserved from levels where goods_id = 1`;
    const shown = await on.store.readLevels([1], NEVER);
    return { onHand: row?.on_hand as number, reserved: row?.reserved as number, shown: shown.get(1)?.reserved };
  };
  await written(async (i) => {
    assert((await lanes.apply(set(`to-${i}`, 1, 20 + i % 2), NEVER)).ok);
    assert((await lanes.apply(reserve(`over-${i}`, [[1, 4]], { ttlMs: 100 }), NEVER)).ok);
    await elapse(owner.sql, 100);
    return await ends(sell(`beside-${i}`, [1, 1]));
  });
  const { onHand: left, ...others } = await levelled();
  assertEquals(others, { reserved: 4, shown: 0 });
  assertEquals(await holdViolations(owner.sql), []);
  assertEquals(
    await ends(sell("all-but-two", [1, left - 2])),
    ["ok", 1, 1],
    "nobody is refused for a hold that is over",
  );
  assertEquals(await levelled(), { onHand: 2, reserved: 0, shown: 0 });

  assert((await lanes.apply(set("to-50", 1, 50), NEVER)).ok);
  await written(async (i) => {
    assert((await lanes.apply(reserve(`live-${i}`, [[1, 1]]), NEVER)).ok);
    return await ends(sell(`held-${i}`, [1, 1]));
  });
  clock.nowMs += KEPT_RESERVED_MS_MAX + 1;
  assertEquals(await ends(sell("later", [1, 1])), ["ok", 1, 1]);
  assertEquals(await holdViolations(owner.sql), []);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("however late a sale without a read is written, it leaves no hold reserved that ended long ago", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  await using owner = ownerOf(on.ownerUrl);
  for (const locationId of [0, 1]) {
    const there = { goodsId: 3, locationId };
    assert((await lanes.apply({ kind: "set", operationId: `set-${locationId}`, ...there, num: 10 }, NEVER)).ok);
    assert((await lanes.apply(reserve(`h-${locationId}`, [[3, 1, locationId]], { ttlMs: 1 }), NEVER)).ok);
    await elapse(owner.sql, HOLDS_READ_MS_MAX);
    const late = { kind: "sell", orderId: `late-${locationId}`, lines: [{ ...there, num: 1 }] } as const;
    assertEquals(await ends(late), ["ok", 1, 2], `at location ${locationId}`);
  }
  const kinds = await owner.sql`select kind from movements where goods_id = 3 order by location_id, version`;
  assertEquals(kinds.map(({ kind }) => kind), ["set", "reserve", "expire", "sell", "set", "reserve", "expire", "sell"]);
  assertEquals(await holdViolations(owner.sql), []);
  assertEquals(await checkLedger(on.ownerUrl), []);
});
