import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import type { Order, OrderState, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { SELL } from "../../src/inventory/operations/sell.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import {
  checkTransition,
  REFUSED,
  REPEATED,
  STATE_RULES,
  type StateOrNone,
  UNTOUCHED,
} from "../../src/inventory/states.ts";

const KINDS = ["set", "sell", "rollback", "give_back"] as const;
const STATES: StateOrNone[] = ["none", "held", "sold", "released", "expired", "rolled_back", "barred"];

const LINES = [{ goodsId: 1, locationId: 0, num: 2 }, { goodsId: 2, locationId: 0, num: 3 }];

/** Operations of each kind, as different as they can be to one order; all of them find enough stock. */
const OPERATIONS: Readonly<Record<typeof KINDS[number], readonly Operation[]>> = {
  set: [{ kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 9 }],
  sell: [{ kind: "sell", orderId: "o", lines: LINES }],
  rollback: [
    { kind: "rollback", orderId: "o", rollbackId: undefined, lines: [] },
    { kind: "rollback", orderId: "o", rollbackId: "r", lines: [{ goodsId: 1, locationId: 0, num: 1 }] },
    { kind: "rollback", orderId: "o", rollbackId: "r", lines: LINES },
  ],
  give_back: [{ kind: "give_back", operationId: "g", lines: LINES }],
};

/** Order `o` in that state, and plenty of both its goods. */
function snapshotWith(state: StateOrNone): Snapshot {
  const level = { onHand: 100, reserved: 0, version: 1, deleted: false };
  const lines = state === "barred" ? [] : LINES;
  const returned = lines.map(({ num }) => state === "rolled_back" ? num : 0);
  const orders: Order[] = state === "none" ? [] : [{ orderId: "o", state, lines, returned, atMs: 5 }];
  return {
    atMs: 1000,
    levels: new Map([1, 2].map((goodsId) => [goodsId, { goodsId, locationId: 0, ...level }])),
    orders: new Map(orders.map((order) => [order.orderId, order])),
    operations: new Map(),
  };
}

for (const kind of KINDS) {
  for (const state of STATES) {
    const rule = STATE_RULES[kind][state];
    Deno.test(`a ${kind} of an order that is ${state}: ${rule}`, () => {
      const snapshot = snapshotWith(state);
      const reached = new Set<StateOrNone>();
      for (const operation of OPERATIONS[kind]) {
        const settled = settle(snapshot, [operation]);
        const [verdict] = settled.verdicts;
        const after = settled.changes.orders[0]?.after.state ?? state;
        assert(verdict !== undefined);
        if (rule === UNTOUCHED) {
          assertEquals(settled, settle(snapshotWith("none"), [operation]));
          assert(verdict.ok && settled.changes.orders.length === 0);
        } else if (rule === REFUSED) {
          assertEquals<unknown>(verdict, { ok: false, refusal: { reason: "order_state", orderId: "o", state } });
          assert(changesNothing(settled.changes));
        } else if (rule === REPEATED) {
          assertEquals<unknown>(verdict, { ok: true, kind: "sell", order: snapshot.orders.get("o"), replayed: true });
          assert(changesNothing(settled.changes));
        } else if (verdict.ok) reached.add(after);
        else assert(verdict.refusal.reason !== "order_state");
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
    assertThrows(() => settle(snapshotWith("barred"), OPERATIONS.sell), InvariantError, "from barred to sold");
  } finally {
    rules.decide = decide;
  }
});

Deno.test("an order in a state that nobody knows is not decided on", () => {
  const snapshot = snapshotWith("lent" as OrderState);
  for (const operation of [...OPERATIONS.sell, ...OPERATIONS.rollback]) {
    assertThrows(() => settle(snapshot, [operation]), InvariantError, "an order that is lent");
  }
});
