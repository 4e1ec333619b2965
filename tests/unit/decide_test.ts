import { assertEquals } from "@std/assert";
import type { Order, OrderState, RecordedOperation, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { SetOperation } from "../../src/inventory/operations/set.ts";
import { settle } from "../../src/inventory/settle.ts";
import { seenAnswer } from "../support/seen_verdict.ts";

/** Goods 1 has 5 available of 8 on hand, goods 2 has 100, goods 3 is closed with 9 left. */
const LEVELS = new Map([
  [1, { goodsId: 1, locationId: 0, onHand: 8, reserved: 3, version: 4, deleted: false }],
  [2, { goodsId: 2, locationId: 0, onHand: 100, reserved: 0, version: 1, deleted: false }],
  [3, { goodsId: 3, locationId: 0, onHand: 9, reserved: 0, version: 2, deleted: true }],
]);

function order(state: OrderState, returned: number[]): Order {
  const lines = state === "barred"
    ? []
    : [{ goodsId: 1, locationId: 0, num: 2 }, { goodsId: 3, locationId: 0, num: 3 }];
  return { orderId: "o", state, lines, returned: state === "barred" ? [] : returned, atMs: 5 };
}

function snapshot(known?: Order, recorded: RecordedOperation[] = []): Snapshot {
  return {
    atMs: 1000,
    levels: LEVELS,
    orders: new Map(known === undefined ? [] : [[known.orderId, known]]),
    operations: new Map(recorded.map((operation) => [operation.operationId, operation])),
  };
}

function decided(on: Snapshot, operation: Operation) {
  const { verdicts, changes } = settle(on, [operation]);
  const moved = changes.movements.map((m) => `${m.goodsId}:${m.onHandDelta}@${m.version}`).join(" ");
  return { ...seenAnswer(verdicts[0]!), moved };
}

function sell(...lines: [number, number][]): Operation {
  return { kind: "sell", orderId: "o", lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })) };
}

function rollback(lines: [number, number][] = [], rollbackId?: string): Operation {
  return {
    kind: "rollback",
    rollbackId,
    orderId: "o",
    lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })),
  };
}

function set(goodsId: number, num: number, more: Partial<SetOperation> = {}): Operation {
  return { kind: "set", operationId: "s", goodsId, locationId: 0, num, ...more };
}

/** Of goods 1 two were taken of four, of goods 2 all, of goods 3 nothing. */
const PARTLY: Order = {
  orderId: "o",
  state: "sold",
  lines: [[1, 2], [2, 5], [3, 0]].map(([goodsId, num]) => ({ goodsId: goodsId!, locationId: 0, num: num! })),
  asked: [4, 5, 1],
  returned: [0, 0, 0],
  atMs: 5,
  buyerId: "b",
};
const PARTLY_AGAIN: Operation = { ...sell([1, 4], [2, 5], [3, 1]), fill: "available", buyerId: "b" } as Operation;
const ADJUSTED: RecordedOperation = { operationId: "r", kind: "adjust", orderId: undefined, lines: [] };

const PART: RecordedOperation = {
  operationId: "r",
  kind: "rollback_part",
  orderId: "o",
  lines: [{ goodsId: 1, locationId: 0, num: 1 }],
};

const BAR: RecordedOperation = {
  operationId: "r",
  kind: "bar",
  orderId: "o",
  lines: [{ goodsId: 1, locationId: 0, num: 1 }],
};

const CASES: [rule: string, Snapshot, Operation, Record<string, unknown>][] = [
  ["a sale may take all that is available, not what is reserved", snapshot(), sell([1, 5]), {
    ok: "sell",
    took: { 1: 5 },
    moved: "1:-5@5",
  }],
  ["one more is short", snapshot(), sell([1, 6]), { no: "short_stock", lines: [["1", 6, 5]], moved: "" }],
  ["every short line is named, enough of another does not help", snapshot(), sell([1, 6], [2, 101]), {
    no: "short_stock",
    lines: [["1", 6, 5], ["2", 101, 100]],
    moved: "",
  }],
  ["unknown and closed goods come before short ones", snapshot(), sell([1, 6], [3, 1], [9, 1]), {
    no: "unknown_goods",
    places: ["3", "9"],
    moved: "",
  }],
  ["a barred order can't be sold", snapshot(order("barred", [])), sell([1, 1]), {
    no: "order_state",
    state: "barred",
    moved: "",
  }],
  ["a rolled back order can't be sold again", snapshot(order("rolled_back", [2, 3])), sell([1, 2], [3, 3]), {
    no: "order_state",
    state: "rolled_back",
    moved: "",
  }],
  ["other content comes before the state", snapshot(order("rolled_back", [2, 3])), sell([1, 1]), {
    no: "content_differs",
    id: "o",
    moved: "",
  }],
  [
    "a sold order is answered again, though stock would be short now",
    snapshot(order("sold", [1, 0])),
    sell([1, 2], [3, 3]),
    { ok: "sell", took: { 1: 2, 3: 3 }, moved: "" },
  ],
  ["a rollback gives back to closed goods too", snapshot(order("sold", [0, 0])), rollback(), {
    ok: "rollback",
    gave: { 1: 2, 3: 3 },
    moved: "1:2@5 3:3@3",
  }],
  ["the whole order gives back what is left of it", snapshot(order("sold", [1, 0])), rollback([[1, 2], [3, 3]]), {
    ok: "rollback",
    gave: { 1: 1, 3: 3 },
    moved: "1:1@5 3:3@3",
  }],
  ["a part may not exceed what is left", snapshot(order("sold", [1, 0])), rollback([[1, 2]]), {
    no: "exceeds_sold",
    lines: [["1", 2, 1]],
    moved: "",
  }],
  ["goods that were not sold have nothing to give back", snapshot(order("sold", [0, 0])), rollback([[2, 1]]), {
    no: "exceeds_sold",
    lines: [["2", 1, 0]],
    moved: "",
  }],
  [
    "a rolled back order has nothing left, and asking again is fine",
    snapshot(order("rolled_back", [2, 3])),
    rollback(),
    {
      ok: "rollback",
      gave: {},
      moved: "",
    },
  ],
  ["a known rollback_id is answered again", snapshot(order("sold", [1, 0]), [PART]), rollback([[1, 1]], "r"), {
    ok: "rollback",
    gave: { 1: 1 },
    moved: "",
  }],
  ["a known rollback_id with another part differs", snapshot(order("sold", [1, 0]), [PART]), rollback([[3, 1]], "r"), {
    no: "content_differs",
    id: "r",
    moved: "",
  }],
  ["a known rollback_id for the whole order differs", snapshot(order("sold", [1, 0]), [PART]), rollback([], "r"), {
    no: "content_differs",
    id: "r",
    moved: "",
  }],
  [
    "a known rollback_id of another order differs",
    snapshot(undefined, [{ ...PART, orderId: "p" }]),
    rollback([[1, 1]], "r"),
    { no: "content_differs", id: "r", moved: "" },
  ],
  ["an unknown order is barred, and nothing moves", snapshot(), rollback(), { ok: "rollback", gave: {}, moved: "" }],
  ["a barred order stays barred", snapshot(order("barred", [])), rollback([[1, 1]]), {
    ok: "rollback",
    gave: {},
    moved: "",
  }],
  [
    "a barred order takes the id of another rollback too",
    snapshot(order("barred", []), [BAR]),
    rollback([[1, 1]], "r"),
    {
      ok: "rollback",
      gave: {},
      moved: "",
    },
  ],
  [
    "and says so when that id comes back with other lines",
    snapshot(order("barred", []), [BAR]),
    rollback([[1, 2]], "r"),
    {
      no: "content_differs",
      id: "r",
      moved: "",
    },
  ],
  ["a held order has nothing to roll back", snapshot(order("held", [0, 0])), rollback(), {
    no: "order_state",
    state: "held",
    moved: "",
  }],
  ["setting counts on top of what is reserved", snapshot(), set(1, 9), {
    ok: "set",
    place: "1",
    available: 9,
    version: 5,
    moved: "1:4@5",
  }],
  ["setting to what is available changes nothing", snapshot(), set(1, 5), {
    ok: "set",
    place: "1",
    available: 5,
    version: 4,
    moved: "",
  }],
  ["setting opens a closed goods again, even at the same number", snapshot(), set(3, 9), {
    ok: "set",
    place: "3",
    available: 9,
    version: 3,
    moved: "3:0@3",
  }],
  ["setting creates a goods, even at 0", snapshot(), set(9, 0), {
    ok: "set",
    place: "9",
    available: 0,
    version: 1,
    moved: "9:0@1",
  }],
  ["setting may not pass int32 with what is reserved", snapshot(), set(1, 2147483645), {
    no: "out_of_range",
    of: "on_hand",
    places: ["1"],
    moved: "",
  }],
  ["a level is set at the version that it stands at", snapshot(), set(1, 9, { expectedVersion: 4 }), {
    ok: "set",
    place: "1",
    available: 9,
    version: 5,
    moved: "1:4@5",
  }],
  ["and at no other, even where nothing would change", snapshot(), set(1, 5, { expectedVersion: 3 }), {
    no: "not_as_expected",
    place: "1",
    version: 4,
    moved: "",
  }],
  ["what is expected is what is available", snapshot(), set(1, 9, { expectedNum: 5 }), {
    ok: "set",
    place: "1",
    available: 9,
    version: 5,
    moved: "1:4@5",
  }],
  ["or what is on hand, where that is set", snapshot(), set(1, 9, { expectedNum: 8, basis: "on_hand" }), {
    ok: "set",
    place: "1",
    available: 6,
    version: 5,
    moved: "1:1@5",
  }],
  ["and not the other one", snapshot(), set(1, 9, { expectedNum: 5, basis: "on_hand" }), {
    no: "not_as_expected",
    place: "1",
    version: 4,
    moved: "",
  }],
  ["a new goods is expected at version 0 and none", snapshot(), set(9, 2, { expectedVersion: 0, expectedNum: 0 }), {
    ok: "set",
    place: "9",
    available: 2,
    version: 1,
    moved: "9:2@1",
  }],
  ["a goods off sale is not new", snapshot(), set(3, 2, { expectedVersion: 0 }), {
    no: "not_as_expected",
    place: "3",
    version: 2,
    moved: "",
  }],
  ["on hand may become what is reserved", snapshot(), set(1, 3, { basis: "on_hand" }), {
    ok: "set",
    place: "1",
    available: 0,
    version: 5,
    moved: "1:-5@5",
  }],
  ["and not less", snapshot(), set(1, 2, { basis: "on_hand" }), {
    no: "short_stock",
    lines: [["1", 6, 5]],
    moved: "",
  }],
  ["an order that took what was there is answered again", snapshot(PARTLY), PARTLY_AGAIN, {
    ok: "sell",
    took: { 1: 2, 2: 5, 3: 0 },
    moved: "",
  }],
  ["but not to who wants all of it", snapshot(PARTLY), { ...PARTLY_AGAIN, fill: "all" } as Operation, {
    no: "content_differs",
    id: "o",
    moved: "",
  }],
  ["nor to who asks for what was taken", snapshot(PARTLY), {
    ...PARTLY_AGAIN,
    lines: [{ goodsId: 1, locationId: 0, num: 2 }, { goodsId: 2, locationId: 0, num: 5 }],
  } as Operation, { no: "content_differs", id: "o", moved: "" }],
  ["nor to another buyer", snapshot(PARTLY), { ...PARTLY_AGAIN, buyerId: "c" } as Operation, {
    no: "content_differs",
    id: "o",
    moved: "",
  }],
  [
    "what was taken of it is the whole of it",
    snapshot(PARTLY, [{ ...PART, kind: "rollback_whole" }]),
    rollback([[1, 2], [2, 5]], "r"),
    { ok: "rollback", gave: { 1: 1 }, moved: "" },
  ],
  ["what was not taken can't be given back", snapshot(PARTLY), rollback([[3, 1]]), {
    no: "exceeds_sold",
    lines: [["3", 1, 0]],
    moved: "",
  }],
  ["an id that an adjustment has is no rollback's", snapshot(undefined, [ADJUSTED]), {
    kind: "give_back",
    operationId: "r",
    lines: [],
  }, { no: "content_differs", id: "r", moved: "" }],
  ["giving back may not pass int32", snapshot(), {
    kind: "give_back",
    operationId: "g",
    lines: [{ goodsId: 2, locationId: 0, num: 2147483548 }],
  }, { no: "out_of_range", of: "on_hand", places: ["2"], moved: "" }],
  ["giving back to closed goods needs an order", snapshot(), {
    kind: "give_back",
    operationId: "g",
    lines: [{ goodsId: 3, locationId: 0, num: 1 }],
  }, { no: "unknown_goods", places: ["3"], moved: "" }],
];

for (const [rule, on, operation, expected] of CASES) {
  Deno.test(rule, () => assertEquals(decided(on, operation), expected));
}

Deno.test("a rollback_id of the caller's is taken even where nothing was left to give back", () => {
  const on = [snapshot(order("barred", [])), snapshot(order("rolled_back", [2, 3]))];
  for (const each of on) {
    const { changes } = settle(each, [rollback([], "r")]);
    assertEquals(changes.operations.map(({ operationId, lines }) => [operationId, lines]), [["r", []]]);
    assertEquals(changes.movements, []);
    assertEquals(settle(each, [rollback()]).changes.operations, []);
  }
});

Deno.test("a dry run is answered as if it were none, and leaves nothing to write and nothing to those behind it", () => {
  for (const [rule, on, operation, expected] of CASES) {
    const { verdicts, changes } = settle(on, [{ ...operation, dryRun: true }, operation]);
    const [dry, real] = verdicts.map(seenAnswer);
    assertEquals(dry, real, rule);
    const moved = changes.movements.map((m) => `${m.goodsId}:${m.onHandDelta}@${m.version}`).join(" ");
    assertEquals(moved, expected.moved, rule);
    const alone = settle(on, [{ ...operation, dryRun: true }]).changes;
    assertEquals([alone.movements, alone.orders, alone.operations], [[], [], []], rule);
  }
});
