/** Adjust, count, transfer, policy, delete and restore: what each comes to and is refused for, on one snapshot. */
import { assertEquals } from "@std/assert";
import {
  type Level,
  momentKey,
  type Policy,
  type RecordedOperation,
  type Snapshot,
  type Verdict,
} from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import { keyOf } from "../../src/inventory/stock_key.ts";

const INT32_MAX = 2 ** 31 - 1;
const NOW = 1_000_000;
const POLICY: Policy = { safetyStock: 2, backorderMax: 3 };

function level(goodsId: number, locationId: number, onHand: number, more: Partial<Level> = {}): Level {
  return { goodsId, locationId, onHand, reserved: 0, version: 5, deleted: false, ...more };
}

/** Goods 1 has 10 at location 0, 4 of them reserved, and 1 at location 7; goods 2 is no longer sold. */
const LEVELS = [
  level(1, 0, 10, { reserved: 4 }),
  level(1, 7, 1),
  level(2, 0, 5, { deleted: true }),
  level(3, 0, INT32_MAX),
  level(4, 0, 1, { policy: POLICY }),
  level(5, 0, -2, { policy: POLICY }),
  level(6, 9, 1, { deleted: true }),
  level(6, 0, 1),
];

function on(more: Partial<Snapshot> = {}, recorded: readonly RecordedOperation[] = []): Snapshot {
  return {
    atMs: NOW,
    levels: new Map(LEVELS.map((level) => [keyOf(level), level])),
    orders: new Map(),
    operations: new Map(recorded.map((operation) => [operation.operationId, operation])),
    ...more,
  };
}

/** The verdict in short, and the movements as `goods@location:delta@version`. */
function come(snapshot: Snapshot, operation: Operation) {
  const { verdicts, changes } = settle(snapshot, [operation]);
  if (!verdicts[0]!.ok) assertEquals(changesNothing(changes), true);
  const moved = changes.movements.map((m) => `${keyOf(m)}:${m.onHandDelta}@${m.version}`).join(" ");
  return { ...seen(verdicts[0]!), moved };
}

function seen(verdict: Verdict): Record<string, unknown> {
  if (!verdict.ok) {
    const { reason, ...rest } = verdict.refusal;
    return { no: reason, ...rest };
  }
  if (verdict.kind !== "stock") throw new Error(verdict.kind);
  return { ok: verdict.levels.map((l) => `${keyOf(l)}=${l.onHand}`).join(" "), replayed: verdict.replayed ?? false };
}

function adjust(...lines: [goodsId: number, num: number, locationId?: number][]): Operation {
  return {
    kind: "adjust",
    operationId: "op",
    lines: lines.map(([goodsId, num, locationId = 0]) => ({ goodsId, locationId, num })),
  };
}

function count(goodsId: number, num: number, occurredAtMs?: number): Operation {
  const time = occurredAtMs === undefined ? {} : { occurredAtMs };
  return { kind: "count", operationId: "op", goodsId, locationId: 0, num, ...time };
}

function transfer(toLocationId: number, ...lines: [goodsId: number, num: number][]): Operation {
  return {
    kind: "transfer",
    operationId: "op",
    toLocationId,
    lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })),
  };
}

function policy(goodsId: number, policy: Policy): Operation {
  return { kind: "policy", operationId: "op", goodsId, locationId: 0, policy };
}

function closing(kind: "delete" | "restore", goodsId: number): Operation {
  return { kind, operationId: "op", goodsId, locationId: 0 };
}

function at(atMs: number, onHand: number | undefined): Snapshot {
  return on({ moments: new Map([[momentKey(1, atMs), onHand]]) });
}

const ADJUSTED: RecordedOperation = {
  operationId: "op",
  kind: "adjust",
  orderId: undefined,
  lines: [{ goodsId: 1, locationId: 0, num: 2 }],
  levels: [level(1, 0, 99)],
};
const OTHER_KIND = (now: string) => ({
  no: "content_differs",
  field: "operation_id",
  id: "op",
  differences: [`it was for a set, now it is for a ${now}`],
  moved: "",
});
const SET: RecordedOperation = { operationId: "op", kind: "set", orderId: undefined, lines: [] };
const P1 = { goodsId: 1, locationId: 0 };

const CASES: [rule: string, Snapshot, Operation, Record<string, unknown>][] = [
  ["an adjustment adds and takes at several places", on(), adjust([1, 3], [1, -1, 7]), {
    ok: "1=13 1@7=0",
    replayed: false,
    moved: "1:3@6 1@7:-1@6",
  }],
  ["it leaves what is reserved covered", on(), adjust([1, -6]), { ok: "1=4", replayed: false, moved: "1:-6@6" }],
  ["and takes no more", on(), adjust([1, -7]), {
    no: "short_stock",
    lines: [{ ...P1, asked: 7, available: 6 }],
    moved: "",
  }],
  ["safety stock is not spared", on(), adjust([4, -1]), { ok: "4=0", replayed: false, moved: "4:-1@6" }],
  ["it may go below nothing as far as backorders may", on(), adjust([4, -4]), {
    ok: "4=-3",
    replayed: false,
    moved: "4:-4@6",
  }],
  ["and no further", on(), adjust([4, -5]), {
    no: "short_stock",
    lines: [{ goodsId: 4, locationId: 0, asked: 5, available: 4 }],
    moved: "",
  }],
  ["it names all goods that are unknown or no longer sold", on(), adjust([1, 1], [2, 1], [9, 1]), {
    no: "unknown_goods",
    places: [{ goodsId: 2, locationId: 0 }, { goodsId: 9, locationId: 0 }],
    moved: "",
  }],
  ["it may not pass int32", on(), adjust([3, 1]), {
    no: "out_of_range",
    of: "on_hand",
    places: [{ goodsId: 3, locationId: 0 }],
    moved: "",
  }],
  ["one that is on record is answered as it was", on({}, [ADJUSTED]), adjust([1, 2]), {
    ok: "1=99",
    replayed: true,
    moved: "",
  }],
  ["with other lines it differs", on({}, [ADJUSTED]), adjust([1, 3]), {
    no: "content_differs",
    field: "operation_id",
    id: "op",
    differences: ["goods 1 had num 2, now 3"],
    moved: "",
  }],
  ["an id of another kind differs", on({}, [SET]), adjust([1, 2]), OTHER_KIND("adjust")],

  ["a count says how many are on hand", on(), count(1, 8), { ok: "1=8", replayed: false, moved: "1:-2@6" }],
  ["one that finds what is on record is a movement without a delta", on(), count(1, 10), {
    ok: "1=10",
    replayed: false,
    moved: "1:0@6",
  }],
  ["what is reserved must be there", on(), count(1, 3), {
    no: "short_stock",
    lines: [{ ...P1, asked: 7, available: 6 }],
    moved: "",
  }],
  ["an earlier one counts what moved since", at(NOW - 9, 25), count(1, 24, NOW - 9), {
    ok: "1=9",
    replayed: false,
    moved: "1:-1@6",
  }],
  ["where something was said since, that stands", at(NOW - 9, undefined), count(1, 24, NOW - 9), {
    ok: "1=10",
    replayed: false,
    moved: "1:0@6",
  }],
  ["one of a moment that the database's clock has not reached is of now", on(), count(1, 8, NOW + 5), {
    ok: "1=8",
    replayed: false,
    moved: "1:-2@6",
  }],
  ["it may not pass int32 with what came since", at(NOW - 9, 0), count(1, INT32_MAX, NOW - 9), {
    no: "out_of_range",
    of: "on_hand",
    places: [P1],
    moved: "",
  }],
  ["a goods that is no longer sold is not counted", on(), count(2, 5), {
    no: "unknown_goods",
    places: [{ goodsId: 2, locationId: 0 }],
    moved: "",
  }],
  [
    "the same num at another moment is another count",
    on({}, [{ ...ADJUSTED, kind: "count", lines: [{ ...P1, num: 8 }], content: { occurred_at_ms: NOW - 9 } }]),
    count(1, 8),
    {
      no: "content_differs",
      field: "operation_id",
      id: "op",
      differences: [`occurred_at_ms was ${NOW - 9}, now not given`],
      moved: "",
    },
  ],

  ["a transfer takes at one location and adds at the other", on(), transfer(7, [1, 2]), {
    ok: "1=8 1@7=3",
    replayed: false,
    moved: "1:-2@6 1@7:2@6",
  }],
  ["a goods that never was there is there from now on", on(), transfer(8, [1, 6]), {
    ok: "1=4 1@8=6",
    replayed: false,
    moved: "1:-6@6 1@8:6@1",
  }],
  ["what is reserved stays", on(), transfer(7, [1, 7]), {
    no: "short_stock",
    lines: [{ ...P1, asked: 7, available: 6 }],
    moved: "",
  }],
  ["what may be backordered is not there to be moved", on(), transfer(7, [4, 2]), {
    no: "short_stock",
    lines: [{ goodsId: 4, locationId: 0, asked: 2, available: 1 }],
    moved: "",
  }],
  ["of less than nothing there is nothing to move", on(), transfer(7, [5, 1]), {
    no: "short_stock",
    lines: [{ goodsId: 5, locationId: 0, asked: 1, available: 0 }],
    moved: "",
  }],
  ["one line that is short keeps all where they are", on(), transfer(7, [1, 1], [4, 2]), {
    no: "short_stock",
    lines: [{ goodsId: 4, locationId: 0, asked: 2, available: 1 }],
    moved: "",
  }],
  ["it goes nowhere where the goods is no longer sold", on(), transfer(9, [6, 1]), {
    no: "unknown_goods",
    places: [{ goodsId: 6, locationId: 9 }],
    moved: "",
  }],
  [
    "another location is another transfer",
    on({}, [{ ...ADJUSTED, kind: "transfer", content: { to_location_id: 7 } }]),
    transfer(8, [1, 2]),
    {
      no: "content_differs",
      field: "operation_id",
      id: "op",
      differences: ["to_location_id was 7, now 8"],
      moved: "",
    },
  ],

  ["a policy is a movement without a delta", on(), policy(1, POLICY), { ok: "1=10", replayed: false, moved: "1:0@6" }],
  ["the same again changes nothing", on(), policy(4, { ...POLICY }), { ok: "4=1", replayed: true, moved: "" }],
  ["none is as none", on(), policy(1, { safetyStock: 0, backorderMax: 0 }), { ok: "1=10", replayed: true, moved: "" }],
  ["what is backordered already must be allowed still", on(), policy(5, { safetyStock: 0, backorderMax: 1 }), {
    no: "below_floor",
    place: { goodsId: 5, locationId: 0 },
    available: -2,
    moved: "",
  }],
  ["a goods that is no longer sold gets none", on(), policy(2, POLICY), {
    no: "unknown_goods",
    places: [{ goodsId: 2, locationId: 0 }],
    moved: "",
  }],
  [
    "one that was written already is not written again over a later one",
    on({}, [{ ...SET, kind: "policy", levels: [level(4, 0, 99)] }]),
    policy(4, { safetyStock: 9, backorderMax: 9 }),
    { ok: "4=99", replayed: false, moved: "" },
  ],

  ["live holds keep a goods from being deleted", on(), closing("delete", 1), {
    no: "has_holds",
    place: P1,
    reserved: 4,
    moved: "",
  }],
  ["a deletion is a movement without a delta", on(), closing("delete", 4), {
    ok: "4=1",
    replayed: false,
    moved: "4:0@6",
  }],
  ["what is deleted stays so", on(), closing("delete", 2), { ok: "2=5", replayed: true, moved: "" }],
  ["restoring sells it again", on(), closing("restore", 2), { ok: "2=5", replayed: false, moved: "2:0@6" }],
  ["what is sold stays so", on(), closing("restore", 1), { ok: "1=10", replayed: true, moved: "" }],
  [
    "one that was written already is not written again",
    on({}, [{ ...SET, kind: "delete", levels: [level(4, 0, 99)] }]),
    closing("delete", 4),
    { ok: "4=99", replayed: false, moved: "" },
  ],
  ["an unknown goods is neither", on(), closing("restore", 9), {
    no: "unknown_goods",
    places: [{ goodsId: 9, locationId: 0 }],
    moved: "",
  }],
];

for (const [rule, snapshot, operation, expected] of CASES) {
  Deno.test(`${operation.kind}: ${rule}`, () => assertEquals(come(snapshot, operation), expected));
}

Deno.test("a dry run comes to the same, and writes nothing", () => {
  for (const [, snapshot, operation] of CASES) {
    const [run] = settle(snapshot, [operation]).verdicts;
    const dry = settle(snapshot, [{ ...operation, dryRun: true }]);
    assertEquals(dry.verdicts, [run!]);
    assertEquals(changesNothing(dry.changes), true);
  }
});

Deno.test("a late count waits for what its own batch changes, as what was read does not contain it", () => {
  const snapshot = at(NOW - 9, 12);
  const first: Operation = { kind: "sell", orderId: "o", lines: [{ ...P1, num: 1 }] };
  assertEquals(settle(snapshot, [first, count(1, 11, NOW - 9)]).verdicts.length, 1);
  assertEquals(
    settle(snapshot, [adjust([4, 1]), { ...count(1, 11, NOW - 9), operationId: "c" } as Operation])
      .verdicts.length,
    2,
    "of another goods it waits for nothing",
  );
});

Deno.test("who looks at a goods waits for a policy of its batch, as buyers' units were read for the one before", () => {
  const sell = (goodsId: number): Operation => ({
    kind: "sell",
    orderId: `o${goodsId}`,
    lines: [{ goodsId, locationId: 0, num: 1 }],
    buyerId: "b",
  });
  const limit = policy(1, { safetyStock: 0, backorderMax: 0, buyerNumMax: 1 });
  assertEquals(settle(on(), [limit, sell(6), sell(1)]).verdicts.length, 2);
});
