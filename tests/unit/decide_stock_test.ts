/** Single rules of holds, policies, counts and transfers, which random operations seldom come to. */
import { assert, assertEquals } from "@std/assert";
import type { Policy } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { decideAll, MemoryStore } from "../support/memory_store.ts";
import { START_MS } from "../support/operations.ts";
import { seenVerdict } from "../support/seen_verdict.ts";

const INT32_MAX = 2 ** 31 - 1;
const PLACE = { goodsId: 1, locationId: 0 };
const OPEN: Policy = { safetyStock: 0, backorderMax: 0 };

/** Goods 1, of which there are so many, and operations that are decided one after the other. */
class Bench {
  readonly store = new MemoryStore();
  nowMs = START_MS;
  #policies = 0;

  constructor(num: number) {
    this.does({ kind: "set", operationId: "stock", ...PLACE, num });
  }

  does(operation: Operation) {
    return seenVerdict(decideAll(this.store, [operation], this.nowMs)[0]!);
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  policy(policy: Partial<Policy>, operationId = `policy-${++this.#policies}`) {
    return this.does({ kind: "policy", operationId, ...PLACE, policy: { ...OPEN, ...policy } });
  }

  get level() {
    const { onHand, reserved, version, deleted } = this.store.levels.get(1)!;
    return { onHand, reserved, version, deleted };
  }
}

function sell(orderId: string, num: number, buyerId?: string): Operation {
  const order = { kind: "sell" as const, orderId, lines: [{ ...PLACE, num }] };
  return buyerId === undefined ? order : { ...order, buyerId };
}

function reserve(orderId: string, num: number, ttlMs: number, buyerId?: string): Operation {
  const order = { kind: "reserve" as const, orderId, lines: [{ ...PLACE, num }], ttlMs };
  return buyerId === undefined ? order : { ...order, buyerId };
}

function confirm(orderId: string, num?: number, recordsShortfall = false): Operation {
  return { kind: "confirm", orderId, lines: num === undefined ? [] : [{ ...PLACE, num }], recordsShortfall };
}

Deno.test("a confirmation after its time sells what is there still, or says how much is missing", () => {
  const bench = new Bench(5);
  bench.does(reserve("h", 3, 10));
  bench.after(10).does(sell("o", 3));
  const short = { lines: [["1", 3, 2]] };
  assertEquals(bench.does(confirm("h")), { no: "shortfall", ...short });
  assertEquals(bench.store.shortfalls.size, 0);
  assertEquals(bench.does(confirm("h", undefined, true)), { ok: "shortfall", ...short });
  assertEquals([...bench.store.shortfalls.keys()], ["h"]);
  assertEquals(bench.does(confirm("h", 2)).state, "sold");
  assertEquals(bench.level.onHand, 0);
  assertEquals(bench.does(confirm("h", 2)).replayed, true);
});

Deno.test("no shortfall stands beside a sale, also where the order was reserved anew in between", () => {
  const bench = new Bench(4);
  bench.does(reserve("h", 4, 10));
  bench.after(10).does(sell("o", 4));
  bench.does(confirm("h", undefined, true));
  assertEquals([...bench.store.shortfalls.keys()], ["h"]);
  bench.does({ kind: "rollback", orderId: "o", rollbackId: undefined, lines: [] });
  bench.does(reserve("h", 4, 10));
  assertEquals([...bench.store.shortfalls.keys()], ["h"], "it is not paid for yet");
  assertEquals(bench.does(confirm("h")).state, "sold");
  assertEquals(bench.store.shortfalls.size, 0);
});

Deno.test("a confirmation after its time is held to the limits of a sale, one in time is not", () => {
  for (const isLate of [false, true]) {
    const bench = new Bench(10);
    bench.does(reserve("h", 3, 10, "x"));
    bench.policy({ buyerNumMax: 2 });
    const late = { no: "over_limit", limit: "buyer", lines: [["1", 3, 0, 2]] };
    const seen = bench.after(isLate ? 10 : 9).does(confirm("h"));
    if (isLate) assertEquals(seen, late);
    else assertEquals(seen.state, "sold");
  }
});

Deno.test("what a buyer has counts for the window from when it was taken, last reserved or confirmed late", () => {
  const bench = new Bench(100);
  bench.policy({ buyerNumMax: 3, buyerWindowMs: 20 });
  const no = (taken: number, num: number) => ({ no: "over_limit", limit: "buyer", lines: [["1", num, taken, 3]] });
  bench.does(reserve("h", 3, 100, "x"));
  assertEquals(bench.after(19).does(sell("a", 1, "x")), no(3, 1));
  // A live hold counts however old it is, but for itself.
  assertEquals(bench.after(1).does(sell("a", 1, "x")), no(3, 1));
  assertEquals(bench.does(reserve("h", 4, 100, "x")), no(0, 4));
  // Reserved anew it is taken anew.
  assertEquals(bench.does(reserve("h", 2, 100, "x")).ok, "hold");
  assertEquals(bench.does(confirm("h")).ok, "hold");
  assertEquals(bench.does(sell("b", 2, "x")), no(2, 2));
  assertEquals(bench.after(20).does(sell("b", 3, "x")).ok, "sell");
  // What was sold before the window comes back: that is no credit within it.
  bench.after(20);
  const together = decideAll(bench.store, [
    { kind: "rollback", orderId: "b", rollbackId: undefined, lines: [] },
    sell("c", 4, "x"),
  ], bench.nowMs).map(seenVerdict);
  assertEquals(together, [{ ok: "rollback", gave: { 1: 3 } }, no(0, 4)]);
  bench.after(20).does(reserve("long", 3, 100, "x"));
  assertEquals(bench.after(20).does(confirm("long")).state, "sold");
  assertEquals(bench.after(19).does(sell("d", 1, "x")), no(3, 1));
  bench.after(1).does(reserve("late", 3, 1, "x"));
  assertEquals(bench.after(100).does(confirm("late")).state, "sold");
  assertEquals(bench.does(sell("d", 1, "x")), no(3, 1));
});

Deno.test("a policy that what stands there breaks is refused; the same again changes nothing", () => {
  const bench = new Bench(1);
  bench.policy({ backorderMax: 3 });
  bench.does(sell("o", 3));
  assertEquals(bench.policy({ backorderMax: 1 }), { no: "below_floor", place: "1", available: -2 });
  const { version } = bench.level;
  assertEquals(bench.policy({ backorderMax: 3 }, "again").ok, "stock");
  assertEquals(bench.level.version, version);
});

Deno.test("what was applied, and undone since, is answered again and not applied again under the same id", () => {
  const bench = new Bench(5);
  const first = [
    bench.policy({ safetyStock: 1 }, "one"),
    bench.does({ kind: "delete", operationId: "closes", ...PLACE }),
    bench.does({ kind: "restore", operationId: "opens", ...PLACE }),
    bench.does({ kind: "set", operationId: "fills", ...PLACE, num: 9 }),
  ];
  bench.policy({ safetyStock: 2 }, "two");
  bench.does({ kind: "delete", operationId: "closes too", ...PLACE });
  const before = bench.level;
  const again = [
    bench.policy({ safetyStock: 1 }, "one"),
    bench.does({ kind: "delete", operationId: "closes", ...PLACE }),
    bench.does({ kind: "restore", operationId: "opens", ...PLACE }),
    bench.does({ kind: "set", operationId: "fills", ...PLACE, num: 3 }),
  ];
  assertEquals(again, first);
  assertEquals(bench.level, before);
});

Deno.test("nothing passes int32: not what is reserved, and not the change of a row", () => {
  const bench = new Bench(100);
  bench.policy({ backorderMax: INT32_MAX });
  assertEquals(bench.does(reserve("h", INT32_MAX, 100)).ok, "hold");
  const range = (of: string) => ({ no: "out_of_range", of, places: ["1"] });
  assertEquals(bench.does(reserve("i", 1, 100)), range("reserved"));
  assertEquals(bench.does(reserve("h", INT32_MAX, 100)).ok, "hold");
  bench.does(confirm("h"));
  assertEquals(bench.level.onHand, 100 - INT32_MAX);
  assertEquals(bench.does({ kind: "set", operationId: "s", ...PLACE, num: 200 }), range("rise"));
  assertEquals(bench.does({ kind: "count", operationId: "c", ...PLACE, num: 200 }), range("rise"));
  assertEquals(bench.does({ kind: "set", operationId: "s", ...PLACE, num: 100 }).available, 100);
  const to = { goodsId: 1, locationId: 1 };
  bench.does({ kind: "set", operationId: "t", ...to, num: INT32_MAX });
  const lines = [{ ...PLACE, num: 1 }];
  assertEquals(bench.does({ kind: "transfer", operationId: "u", lines, toLocationId: 1 }), {
    no: "out_of_range",
    of: "on_hand",
    places: ["1@1"],
  });
});

Deno.test("what would pass int32 is said by its own name, and nothing changes", () => {
  const lines = [{ ...PLACE, num: 1 }];
  const set = (num: number): Operation => ({ kind: "set", operationId: "s", ...PLACE, num });
  const full = [sell("o", 1), set(INT32_MAX)];
  const reserved = [reserve("h", INT32_MAX - 1, 100), reserve("i", 1, 100)];
  const owed = [sell("o", INT32_MAX)];
  const cases: [of: "on_hand" | "reserved" | "rise", before: Operation[], operation: Operation][] = [
    ["reserved", reserved, reserve("j", 1, 100)],
    // Anew, where what it has counts as free for it.
    ["reserved", reserved, reserve("i", 2, 100)],
    ["on_hand", [reserve("h", 1, 100)], set(INT32_MAX)],
    ["on_hand", full, { kind: "rollback", orderId: "o", rollbackId: undefined, lines: [] }],
    ["on_hand", full, { kind: "give_back", operationId: "g", lines }],
    ["on_hand", full, { kind: "adjust", operationId: "a", lines }],
    ["rise", owed, set(200)],
    ["rise", owed, { kind: "count", operationId: "c", ...PLACE, num: 200 }],
  ];
  for (const [of, before, operation] of cases) {
    const bench = new Bench(100);
    bench.policy({ backorderMax: INT32_MAX });
    for (const each of before) assert(bench.does(each).ok);
    const store = structuredClone({ ...bench.store });
    assertEquals(bench.does(operation), { no: "out_of_range", of, places: ["1"] });
    assertEquals({ ...bench.store }, store);
  }
});

Deno.test("a count of an earlier moment keeps what moved since, in whatever sequence counts come in", () => {
  const bench = new Bench(10);
  const count = (operationId: string, num: number, occurredAtMs: number): Operation => ({
    kind: "count",
    operationId,
    ...PLACE,
    num,
    occurredAtMs,
  });
  bench.after(10).does(sell("o", 2));
  bench.after(10);
  // At 5 ms there were 9, of which 2 were sold; at 15 ms there were the 7 that are left.
  assertEquals(bench.does(count("first", 9, START_MS + 5)).levels, [["1", 7, 0, 3, false]]);
  assertEquals(bench.does(count("second", 7, START_MS + 15)).levels, [["1", 7, 0, 4, false]]);
  // A clock that is ahead of ours counts as now.
  assertEquals(bench.does(count("third", 6, bench.nowMs + 5)).levels, [["1", 6, 0, 5, false]]);
  assertEquals(bench.store.movements.at(-1)?.occurredAtMs, undefined);
  // What was counted before that stands no more.
  assertEquals(bench.does(count("fourth", 99, START_MS + 1)).levels, [["1", 6, 0, 6, false]]);
});

Deno.test("an order that got less than it asked for is known by what it asked, and comes back as what it got", () => {
  const bench = new Bench(5);
  const lines = [{ ...PLACE, num: 9 }, { goodsId: 2, locationId: 0, num: 1 }];
  bench.does({ kind: "set", operationId: "none", goodsId: 2, locationId: 0, num: 0 });
  const order: Operation = { kind: "sell", orderId: "o", lines, fill: "available" };
  assertEquals(bench.does(order), { ok: "sell", took: { 1: 5, 2: 0 } });
  assertEquals(bench.does(order), { ok: "sell", took: { 1: 5, 2: 0 }, replayed: true });
  const got = [{ ...PLACE, num: 5 }];
  assertEquals(bench.does({ kind: "rollback", orderId: "o", rollbackId: undefined, lines: got }).gave, { 1: 5 });
  const [whole] = bench.store.operations.values().filter(({ orderId }) => orderId === "o");
  assertEquals(whole?.kind, "rollback_whole");
});

Deno.test("a sale under the id of a confirmed hold is that sale, if it is of what was confirmed", () => {
  const bench = new Bench(5);
  bench.does({ kind: "reserve", orderId: "h", lines: [{ ...PLACE, num: 9 }], fill: "available" });
  bench.does(confirm("h", 4));
  assertEquals(bench.does(sell("h", 4)), { ok: "sell", took: { 1: 4 }, replayed: true });
  assertEquals(bench.does(sell("h", 9)), { no: "content_differs", id: "h" });
});

Deno.test("an id that was used for something else says for what", () => {
  const bench = new Bench(5);
  const lines = [{ ...PLACE, num: 1 }];
  bench.does({ kind: "adjust", operationId: "x", lines });
  const [verdict] = decideAll(bench.store, [{ kind: "give_back", operationId: "x", lines }], bench.nowMs);
  assert(verdict?.ok === false && verdict.refusal.reason === "content_differs");
  assertEquals(verdict.refusal.differences, ["it was of kind adjust, now for no order"]);
});
