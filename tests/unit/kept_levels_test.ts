/** For how long levels are kept, and what ends that. The clock is the test's. */
import { assertEquals } from "@std/assert";
import type { Changes, Level } from "../../src/inventory/model.ts";
import {
  KEPT_LEVELS_MAX,
  KEPT_MS_MAX,
  KEPT_RESERVED_MS_MAX,
  KeptLevels,
  MOVED_MS,
  MOVED_MS_MAX,
} from "../../src/lanes/kept_levels.ts";

const TIME_MS = 5_000_000;

function level(goodsId: number, version = 1, more: Partial<Level> = {}): Level {
  return { goodsId, locationId: 0, onHand: 10, reserved: 0, version, deleted: false, ...more };
}

function changes(...levels: Level[]): Changes {
  return {
    atMs: 0,
    movements: [],
    levels: levels.map((after) => ({ before: undefined, after })),
    orders: [],
    operations: [],
  };
}

function bench() {
  const clock = { nowMs: 1000 };
  const kept = new KeptLevels({ monotonicMs: () => clock.nowMs, timeMs: () => TIME_MS });
  return {
    clock,
    kept,
    /** Reads and writes. */
    wrote: (...levels: Level[]) => kept.wrote(changes(...levels), clock.nowMs),
    /** The versions of the goods, where all are kept. */
    versions: (...goodsIds: number[]) => {
      const found = kept.of([{ stockKeys: goodsIds }]);
      return found && goodsIds.map((goodsId) => found.levels.get(goodsId)?.version);
    },
  };
}

Deno.test("a level is kept from its write on, for a bounded time from the read that it goes back to", () => {
  const { clock, kept, wrote, versions } = bench();
  assertEquals(versions(1), undefined);
  wrote(level(1), level(2));
  assertEquals(versions(1, 2), [1, 1]);
  assertEquals(kept.of([{ stockKeys: [1] }])?.atMs, TIME_MS);
  assertEquals(versions(1, 3), undefined, "one of them is not kept");
  clock.nowMs += KEPT_MS_MAX;
  kept.wrote(changes(level(1, 2)));
  assertEquals(versions(1), [2]);
  clock.nowMs++;
  assertEquals(versions(1), undefined, "a write without a read makes it no younger");
  kept.wrote(changes(level(9)));
  assertEquals(versions(9), undefined, "there was no read");
});

Deno.test("a level that may not be kept any more is not, and neither is what somebody may have moved", () => {
  const { kept, wrote, versions } = bench();
  wrote(level(1), level(2));
  wrote(level(1, 2, { deleted: true }));
  kept.forget([2, 3]);
  assertEquals([versions(1), versions(2)], [undefined, undefined]);
  assertEquals(kept.size, 0);
});

Deno.test("a level with units on hold is kept for a moment, and not at all where more holds have ended than were read", () => {
  const { clock, kept, wrote, versions } = bench();
  wrote(level(1, 1, { reserved: 1 }), level(2));
  clock.nowMs += KEPT_RESERVED_MS_MAX;
  kept.wrote(changes(level(1, 2, { reserved: 1 })));
  assertEquals(versions(1, 2), [2, 1]);
  clock.nowMs++;
  assertEquals([versions(1), versions(2)], [undefined, [1]]);
  const more = { ...changes(level(1, 3, { reserved: 1 }), level(2, 2)), holdsFromMs: 0 };
  kept.wrote(more, clock.nowMs);
  assertEquals([versions(1), versions(2)], [undefined, [2]]);
});

Deno.test("what others were found to have moved is not kept for a while", () => {
  const { clock, kept, wrote, versions } = bench();
  wrote(level(1));
  kept.moved([1]);
  clock.nowMs += MOVED_MS - 1;
  wrote(level(1, 5));
  kept.forget([1]);
  wrote(level(1, 6));
  assertEquals(versions(1), undefined);
  clock.nowMs++;
  assertEquals(versions(1), undefined, "nothing was written since");
  wrote(level(1, 7));
  assertEquals(versions(1), [7]);
});

Deno.test("what others move each time is tried ever more seldom, and sales on its kept level undo that step by step", () => {
  const { clock, kept, wrote, versions } = bench();
  const movedFor = (ms: number, after: () => void) => {
    kept.moved([1]);
    clock.nowMs += ms - 1;
    wrote(level(1));
    assertEquals(versions(1), undefined, `a ms before ${ms}`);
    clock.nowMs++;
    after();
    wrote(level(1));
    assertEquals(versions(1), [1], `after ${ms}`);
  };
  wrote(level(1));
  movedFor(MOVED_MS, () => {});
  movedFor(2 * MOVED_MS, () => wrote(level(1, 2, { deleted: true })));
  kept.forget([1]);
  assertEquals(versions(1), undefined);
  for (let ms = 4 * MOVED_MS; ms < MOVED_MS_MAX; ms *= 2) movedFor(ms, () => {});
  for (let i = 0; i < 2; i++) movedFor(MOVED_MS_MAX, () => {});
  kept.wrote(changes(level(1, 2)));
  movedFor(MOVED_MS_MAX, () => {});
  for (let i = 0; i < 3; i++) kept.wrote(changes(level(1, 2)));
  movedFor(MOVED_MS_MAX / 4, () => {});
  for (let i = 0; i < 20; i++) kept.wrote(changes(level(1, 2)));
  movedFor(MOVED_MS, () => {});
});

Deno.test("of very many goods the oldest are forgotten", () => {
  const { kept, wrote, versions } = bench();
  for (let goodsId = 1; goodsId <= KEPT_LEVELS_MAX + 1; goodsId++) wrote(level(goodsId));
  assertEquals(kept.size, KEPT_LEVELS_MAX);
  assertEquals([versions(1), versions(2)], [undefined, [1]]);
  kept.moved([1]);
  assertEquals(kept.size, KEPT_LEVELS_MAX);
});
