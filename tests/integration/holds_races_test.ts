/**
 * Several processes at the same hold at the same moment, with everybody's lease granted, so that only the fence
 * decides: exactly one wins, and all tables say the same afterwards.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { allRows } from "../support/all_rows.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { confirm, elapse, expire, extend, holdViolations, release, reserve, wordOf } from "../support/holds.ts";
import { holdBench, levelOf } from "../support/hold_bench.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";

const HOUR_MS = 3_600_000;
const ROUNDS = 12;

/**
 * Pairs that meet at a hold of four of ten units: what may come of both, in either sequence, and of the order.
 * `isOver`: its time is up.
 */
const PAIRS: readonly {
  readonly name: string;
  readonly isOver: boolean;
  readonly pair: readonly [(id: string) => Operation, (id: string) => Operation];
  readonly ends: readonly string[];
}[] = [
  {
    name: "confirm and release",
    isOver: false,
    pair: [confirm, release],
    ends: ["sold, is sold: sold", "is released, released: released"],
  },
  {
    name: "confirm and confirm of a part",
    isOver: false,
    pair: [confirm, (id) => confirm(id, [[1, 1]])],
    ends: ["sold, content_differs: sold", "content_differs, sold: sold"],
  },
  {
    name: "extend and confirm",
    isOver: false,
    pair: [(id) => extend(id, HOUR_MS), confirm],
    ends: ["held, sold: sold", "is sold, sold: sold"],
  },
  {
    name: "reserve anew and release",
    isOver: false,
    pair: [(id) => reserve(id, [[1, 6]]), release],
    ends: ["held, released: released", "is released, released: released"],
  },
  {
    name: "extend and expire, in time",
    isOver: false,
    pair: [(id) => extend(id, HOUR_MS), expire],
    ends: ["held, expired: held"],
  },
  {
    name: "extend and expire, too late",
    isOver: true,
    pair: [(id) => extend(id, HOUR_MS), expire],
    ends: ["is expired, expired: expired"],
  },
  {
    name: "confirm and expire, too late",
    isOver: true,
    pair: [confirm, expire],
    ends: ["sold, expired: sold"],
  },
  {
    name: "confirm twice, too late",
    isOver: true,
    pair: [confirm, confirm],
    ends: ["sold, sold: sold"],
  },
  {
    name: "reserve anew and expire, too late",
    isOver: true,
    pair: [(id) => reserve(id, [[1, 6]]), expire],
    ends: ["held, expired: held"],
  },
  {
    name: "confirm too late and a sale of what is left",
    isOver: true,
    pair: [confirm, (id) => sell(`${id}-quick`, [1, 8])],
    ends: ["sold, short_stock: sold", "shortfall, sold: expired"],
  },
];

inEveryMode("two processes at one hold: one of them wins", async (t) => {
  // One database and two processes for all pairs: to plan a connection's statements took most of the time of each.
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const [first, second] = [on.lanes(), on.lanes()];
  for (const [number, { name, isOver, pair: [one, other], ends }] of PAIRS.entries()) {
    await t.step(name, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const id = `h${number}-${round}`;
        await first.apply(set(`again-${id}`, 1, 10), NEVER);
        assertEquals(wordOf(await first.apply(reserve(id, [[1, 4]]), NEVER)), "held");
        if (isOver) await elapse(owner.sql, 2 * HOUR_MS);
        const calls = [() => first.apply(one(id), NEVER), () => second.apply(other(id), NEVER)];
        // Now this one goes first, now that.
        const started = round % 2 === 0
          ? calls.map((call) => call())
          : calls.toReversed().map((call) => call()).reverse();
        const words = (await Promise.all(started)).map(wordOf);
        const [order] = await owner.sql`
          select case when state = 'held' and expires_at <= clock_timestamp() then 'expired' else state end as state
            from orders where order_id = ${id}`;
        const end = `${words.join(", ")}: ${order?.state}`;
        assert(ends.includes(end), `round ${round}: ${end}`);
        assertEquals(await holdViolations(owner.sql), [], end);
        await first.apply(release(id), NEVER);
      }
    });
  }
});

/** Draws in [0, 1), the same from the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

inEveryMode("whatever three processes do to a few holds, reserved is what they have", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const random = randomOf(seed);
  const draw = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const units = () => 1 + Math.floor(random() * 4);
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  const processes = [on.lanes(), on.lanes(), on.lanes()];
  await processes[0]!.apply(set("s2", 2, 10), NEVER);
  await processes[0]!.apply({ kind: "set", operationId: "s3", goodsId: 1, locationId: 7, num: 10 }, NEVER);
  const places = [[1, 0], [1, 7], [2, 0]] as const;
  const line = () => {
    const [goodsId, locationId] = draw(places);
    return [goodsId, units(), locationId] as const;
  };
  const some = () => {
    const [a, b] = [line(), line()].sort((x, y) => x[0] - y[0] || x[2] - y[2]) as [
      ReturnType<typeof line>,
      ReturnType<typeof line>,
    ];
    return a[0] === b[0] && a[2] === b[2] ? [a] : [a, b];
  };
  let number = 0;
  const operation = (): Operation => {
    const id = `h${Math.floor(random() * 6)}-${Math.floor(number++ / 60)}`;
    return draw<() => Operation>([
      () => reserve(id, some(), { ttlMs: 1 + Math.floor(random() * 60), fill: draw(["all", "available"]) }),
      () => reserve(id, some()),
      () => extend(id, 1 + Math.floor(random() * 200)),
      () => confirm(id, draw([[], [line()]]), { recordsShortfall: draw([true, false]) }),
      () => release(id),
      () => expire(id),
      () => rollback(id, undefined),
      () => sell(`s${number}`, [draw([1, 2]), units()]),
      () => set(`set-${number}`, draw([1, 2]), 6 + units()),
    ])();
  };
  const verdicts: Verdict[] = [];
  for (let round = 0; round < 40; round++) {
    const ends = await Promise.allSettled(processes.flatMap((lanes) => {
      const operations = Array.from({ length: 1 + Math.floor(random() * 4) }, operation);
      return operations.map((each) => lanes.apply(each, NEVER));
    }));
    for (const end of ends) {
      if (end.status === "rejected") throw end.reason;
      verdicts.push(end.value);
    }
    assertEquals(await holdViolations(owner.sql), [], `seed ${seed}, round ${round}`);
    if (round % 5 === 4) await elapse(owner.sql, 50);
  }
  const words = new Set(verdicts.map(wordOf));
  for (const word of ["held", "sold", "released", "barred", "expired"]) {
    assert(words.has(word), `seed ${seed}: nothing came to be ${word}, but ${[...words].join(", ")}`);
  }
});

inEveryMode("a clock that is set back behind the end of a hold brings none of its units back", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]), reserve("other", [[1, 3]], { ttlMs: 5 * HOUR_MS }));
  await elapse(sql, HOUR_MS);
  // It finds the first one over, and takes it off.
  assertEquals(wordOf(await apply(sell("quick", [1, 2]))), "sold");
  const rows = await allRows(sql);
  const setBack = (hours: number) =>
    sql`update orders set expires_at = expires_at + ${hours} * interval '1 h' where order_id = 'h'`;
  await setBack(2);
  for (const again of [confirm("h"), extend("h", 3 * HOUR_MS), release("h"), reserve("h", [[1, 8]])]) {
    const error = await on.lanes().apply(again, NEVER).catch((error) => error);
    assertInstanceOf(error, Failure, again.kind);
    assertEquals(error.kind, "busy", again.kind);
  }
  // Once it has caught up.
  await setBack(-2);
  assertEquals(await allRows(sql), rows);
  assertEquals(await levelOf(on, 1), [8, 3]);
  assertEquals(wordOf(await apply(confirm("h"))), "sold");
  assertEquals(await levelOf(on, 1), [4, 3]);
  assertEquals(await holdViolations(sql), []);
});
