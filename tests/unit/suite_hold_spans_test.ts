/** The fault suite's checker on holds that are over: what may move before they are off the ledger, and for how long. */
import { assertEquals } from "@std/assert";
import { sortOut } from "../faults/suite/checker/asked.ts";
import { readHoldSpans } from "../faults/suite/checker/hold_spans.ts";
import { readLedgers } from "../faults/suite/checker/ledger.ts";
import type { MovementRow } from "../faults/suite/checker/tables.ts";
import { Violations } from "../faults/suite/checker/violations.ts";
import type { Call } from "../faults/suite/history.ts";

const TTL_MS = 100;
const MADE_MS = 1_000;

/** What is said where, so long after the time of a hold, something moves that leaves it reserved. */
function violationsOf(kind: string, afterMs: number): string[] {
  const steps = [["set", 10, 0], ["reserve", 0, 4], [kind, -1, 0]] as const;
  let [onHandAfter, reservedAfter] = [0, 0];
  const movements = steps.map(([kind, onHandDelta, reservedDelta], i): MovementRow => ({
    ...{ goodsId: 1, version: i + 1, kind, orderId: kind === "reserve" ? "held" : "moves", operationId: null },
    ...{ onHandDelta, reservedDelta, onHandAfter: onHandAfter += onHandDelta },
    ...{ reservedAfter: reservedAfter += reservedDelta, atMs: i < 2 ? MADE_MS : MADE_MS + TTL_MS + afterMs },
  }));
  const stock = [{ goodsId: 1, onHand: onHandAfter, reserved: reservedAfter, version: movements.length }];
  const made: Call = {
    request: { kind: "reserve", orderId: "held", lines: [{ goodsId: 1, num: 4 }], ttlMs: TTL_MS },
    operation: 0,
    server: "a",
    answer: { outcome: "ok", body: {} },
    invokedMs: MADE_MS - 1,
    answeredMs: MADE_MS + 1,
  };
  const violations = new Violations();
  const ledgers = readLedgers({ stock, movements, operations: [], holds: [], orders: [] }, violations);
  readHoldSpans(ledgers, sortOut([made], new Map()), violations);
  return violations.list();
}

Deno.test("a sale may leave reserved what is over, for a moment, and nothing else may", () => {
  for (const [kind, afterMs] of [["sell", -1], ["adjust", -1], ["sell", 0], ["sell", 2_000]] as const) {
    assertEquals(violationsOf(kind, afterMs), [], `${kind}, ${afterMs} ms`);
  }
  for (const [kind, afterMs] of [["sell", 2_001], ["adjust", 0]] as const) {
    const said = `goods 1, version 3: a ${kind} ${afterMs} ms after hold held was over, and still reserved`;
    assertEquals(violationsOf(kind, afterMs), [said]);
  }
});
