import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import type { Level, OperationKind, Order, OrderState, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { SELL } from "../../src/inventory/operations/sell.ts";
import { settle } from "../../src/inventory/settle.ts";
import {
  checkTransition,
  mayFollow,
  REFUSED,
  REPEATED,
  STATE_RULES,
  stateAt,
  type StateOrNone,
  UNTOUCHED,
} from "../../src/inventory/states.ts";

const KINDS = Object.keys(STATE_RULES) as OperationKind[];
const STATES: StateOrNone[] = ["none", "held", "sold", "released", "expired", "rolled_back", "barred"];

const NOW_MS = 1000;
const AT_0 = { locationId: 0 };
const LINES = [{ goodsId: 1, ...AT_0, num: 2 }, { goodsId: 2, ...AT_0, num: 3 }];
const OTHER_LINES = [{ goodsId: 2, ...AT_0, num: 4 }, { goodsId: 3, ...AT_0, num: 1 }];
const ID = { operationId: "p" };

/** Operations of each kind, as different as they can be to one order; all of them find enough stock. */
const OPERATIONS: Readonly<Record<OperationKind, readonly Operation[]>> = {
  set: [{ kind: "set", ...ID, goodsId: 1, ...AT_0, num: 9 }],
  sell: [{ kind: "sell", orderId: "o", lines: LINES }],
  rollback: [
    { kind: "rollback", orderId: "o", rollbackId: undefined, lines: [] },
    { kind: "rollback", orderId: "o", rollbackId: "r", lines: [{ goodsId: 1, ...AT_0, num: 1 }] },
    { kind: "rollback", orderId: "o", rollbackId: "r", lines: LINES },
  ],
  give_back: [{ kind: "give_back", ...ID, lines: LINES }],
  reserve: [
    { kind: "reserve", orderId: "o", lines: LINES, ttlMs: 50 },
    { kind: "reserve", orderId: "o", lines: OTHER_LINES, buyerId: "x" },
  ],
  extend: [{ kind: "extend", orderId: "o" }, { kind: "extend", orderId: "o", ttlMs: 1 }],
  confirm: [
    { kind: "confirm", orderId: "o", lines: [], recordsShortfall: false },
    { kind: "confirm", orderId: "o", lines: LINES, recordsShortfall: true },
  ],
  release: [{ kind: "release", orderId: "o" }],
  expire: [{ kind: "expire", orderId: "o" }],
  adjust: [{ kind: "adjust", ...ID, lines: LINES }],
  count: [{ kind: "count", ...ID, goodsId: 1, ...AT_0, num: 50 }],
  transfer: [{ kind: "transfer", ...ID, lines: LINES, toLocationId: 1 }],
  policy: [{ kind: "policy", ...ID, goodsId: 1, ...AT_0, policy: { safetyStock: 1, backorderMax: 0 } }],
  // Of a goods that the order does not have, as live holds keep theirs.
  delete: [{ kind: "delete", ...ID, goodsId: 3, ...AT_0 }],
  restore: [{ kind: "restore", ...ID, goodsId: 4, ...AT_0 }],
};

/** Order `o` in that state, once for each story that leads there, and plenty of its goods. */
function snapshotsWith(state: StateOrNone, kind?: OperationKind): Snapshot[] {
  const plain: Order = { orderId: "o", state: "sold", lines: LINES, returned: [0, 0], atMs: 5 };
  const hold: Order = { ...plain, state: "held", held: [2, 3], expiresAtMs: NOW_MS + 10 };
  const over: Order = { ...hold, expiresAtMs: NOW_MS };
  const back = { state: "rolled_back" as const, returned: [2, 3] };
  switch (state) {
    case "none":
      return [snapshotOf(undefined)];
    case "held":
      return [snapshotOf(hold)];
    case "sold":
      return [snapshotOf(plain), snapshotOf({ ...hold, state: "sold" }), snapshotOf({ ...over, state: "sold" })];
    case "released":
      return [snapshotOf({ ...hold, state: "released" }), snapshotOf({ ...over, state: "released" })];
    case "expired": {
      const due = LINES.map((line) => ({ ...line, orderId: "o", expiresAtMs: NOW_MS }));
      // Nothing is left of its goods: so a confirmation may end, too.
      const sold = {
        ...snapshotOf(over),
        levels: new Map(LINES.map((line) => [line.goodsId, levelOf(line.goodsId, 0)])),
      };
      // Written down; not written down, but off the levels; neither.
      return [
        snapshotOf({ ...over, state: "expired" }),
        snapshotOf(over),
        { ...snapshotOf(over, [2, 3]), due },
        ...(kind === "confirm" ? [sold] : []),
      ];
    }
    case "rolled_back":
      return [snapshotOf({ ...plain, ...back }), snapshotOf({ ...hold, ...back })];
    case "barred":
      return [snapshotOf({ orderId: "o", state: "barred", lines: [], returned: [], atMs: 5 })];
  }
}

function snapshotOf(
  order: Order | undefined,
  reserved = order !== undefined && stateAt(order, NOW_MS) === "held" ? [2, 3] : [0, 0],
): Snapshot {
  const levels = [1, 2, 3, 4].map((goodsId) => ({ ...levelOf(goodsId, 100), reserved: reserved[goodsId - 1] ?? 0 }));
  return {
    atMs: NOW_MS,
    levels: new Map(levels.map((level) => [level.goodsId, level])),
    orders: new Map(order === undefined ? [] : [["o", order]]),
    operations: new Map(),
  };
}

/** Goods 4 is no longer sold. */
function levelOf(goodsId: number, onHand: number): Level {
  return { goodsId, ...AT_0, onHand, reserved: 0, version: 1, deleted: goodsId === 4 };
}

for (const kind of KINDS) {
  for (const state of STATES) {
    const rule = STATE_RULES[kind][state];
    Deno.test(`a ${kind} of an order that is ${state}: ${rule}`, () => {
      const reached = new Set<StateOrNone>();
      for (const snapshot of snapshotsWith(state, kind)) {
        const order = snapshot.orders.get("o");
        const onlyTime = settle(snapshot, []).changes;
        for (const operation of OPERATIONS[kind]) {
          const { verdicts: [verdict], changes } = settle(snapshot, [operation]);
          assert(verdict !== undefined);
          if (rule === UNTOUCHED) {
            const without = settle({ ...snapshot, orders: new Map() }, [operation]);
            assertEquals({ verdicts: [verdict], changes }, without);
            assert(verdict.ok && changes.orders.length === 0);
          } else if (rule === REFUSED || (kind === "confirm" && rule === REPEATED && order?.held === undefined)) {
            const refusal = order === undefined
              ? { reason: "unknown_order", orderId: "o" }
              : { reason: "order_state", orderId: "o", state };
            assertEquals<unknown>(verdict, { ok: false, refusal });
            assertEquals(changes, onlyTime);
          } else if (rule === REPEATED) {
            const answer = kind === "expire"
              ? { kind: "expired" }
              : { kind: kind === "sell" ? "sell" : "hold", order, replayed: true };
            assertEquals<unknown>(verdict, { ok: true, ...answer });
            assertEquals(changes, onlyTime);
          } else if (verdict.ok) reached.add(changes.orders[0]?.after.state ?? state);
          else assert(verdict.refusal.reason !== "order_state");
        }
      }
      if (typeof rule !== "string") assertEquals([...reached].sort(), [...rule].sort());
    });
  }
}

Deno.test("an order makes these transitions and no others", () => {
  const transitions = KINDS.flatMap((kind) =>
    STATES.flatMap((from) => {
      const rule = STATE_RULES[kind][from];
      return rule === REFUSED || rule === UNTOUCHED ? [] : [`${from} --${kind}-> ${rule}`];
    })
  );
  assertEquals(transitions, [
    "none --sell-> sold",
    "sold --sell-> repeated",
    "none --rollback-> barred",
    "sold --rollback-> sold,rolled_back",
    "rolled_back --rollback-> rolled_back",
    "barred --rollback-> barred",
    "none --reserve-> held",
    "held --reserve-> held",
    "expired --reserve-> held",
    "held --extend-> held",
    "held --confirm-> sold",
    "sold --confirm-> repeated",
    "expired --confirm-> sold,expired",
    "none --release-> barred",
    "held --release-> released",
    "released --release-> repeated",
    "expired --release-> released",
    "barred --release-> repeated",
    ...["none", "held", "sold", "released"].map((state) => `${state} --expire-> repeated`),
    "expired --expire-> expired",
    "rolled_back --expire-> repeated",
    "barred --expire-> repeated",
  ]);
});

Deno.test("a transition that is not in the table throws and names both states", () => {
  for (const kind of KINDS) {
    for (const from of STATES) {
      for (const to of STATES.filter((state) => state !== "none")) {
        const rule = STATE_RULES[kind][from];
        if (typeof rule !== "string" && rule.includes(to)) checkTransition(kind, from, to);
        else {
          const named = `a ${kind} must not lead an order from ${from} to ${to}`;
          assertThrows(() => checkTransition(kind, from, to), InvariantError, named);
        }
      }
    }
  }
});

Deno.test("an operation that leads an order where the table does not stops the batch", () => {
  const { decide } = SELL;
  const rules = SELL as { decide: typeof decide };
  rules.decide = (snapshot) => ({
    ok: true,
    effect: { steps: [], order: { ...snapshot.orders.get("o")!, state: "sold" } },
    answer: { ok: true, kind: "sell", order: snapshot.orders.get("o")! },
  });
  try {
    assertThrows(() => settle(snapshotsWith("barred")[0]!, OPERATIONS.sell), InvariantError, "from barred to sold");
  } finally {
    rules.decide = decide;
  }
});

Deno.test("an order in a state that nobody knows is not decided on", () => {
  const lent: Order = { orderId: "o", state: "lent" as OrderState, lines: LINES, returned: [0, 0], atMs: 5 };
  const snapshot = snapshotOf(lent);
  const kinds = ["sell", "rollback", "reserve", "extend", "confirm", "release"] as const;
  for (const operation of kinds.flatMap((kind) => OPERATIONS[kind])) {
    assertThrows(() => settle(snapshot, [operation]), InvariantError, "an order that is lent");
  }
});

Deno.test("what an order may be once an operation was applied to it, and what shows that it was not", () => {
  const following = (kind: OperationKind) =>
    STATES.filter((state) => state !== "none" && mayFollow(kind, state as OrderState));
  assertEquals(following("sell"), ["sold", "rolled_back"]);
  assertEquals(following("reserve"), ["held", "sold", "released", "expired", "rolled_back"]);
  assertEquals(following("extend"), following("reserve"));
  // Of an expired hold it may be the shortfall that is on record, and the hold reserved anew since.
  assertEquals(following("confirm"), following("reserve"));
  assertEquals(following("rollback"), ["sold", "rolled_back", "barred"]);
  assertEquals(following("release"), ["released", "barred"]);
  assertEquals(following("adjust"), []);
});
