/** The fault suite's checker on watchers: what the ledger says passes, a gap, a repeat or a wrong level does not. */
import { assertEquals, assertMatch } from "@std/assert";
import { readLedgers } from "../faults/suite/checker/ledger.ts";
import { Violations } from "../faults/suite/checker/violations.ts";
import { checkWatched } from "../faults/suite/checker/watch_rules.ts";
import type { Sight, Watched } from "../faults/suite/history.ts";
import { tablesOf } from "../support/simulated_stock.ts";

const TABLES = tablesOf([
  { kind: "set", id: "s", goodsId: 1, num: 10 },
  { kind: "sell", orderId: "a", lines: [{ goodsId: 1, num: 3 }], atMs: 1 },
  { kind: "sell", orderId: "b", lines: [{ goodsId: 1, num: 2 }], atMs: 2 },
]);
const DUE = [{ goodsId: 1, locationId: 0, version: 3 }];
const BEGUN: Sight = { sight: "begun", anew: true };
const RESUMED: Sight = { sight: "begun", anew: false };
const TOKEN: Sight = { sight: "token" };
const ON_HAND = [0, 10, 7, 5];

function level(version: number, changes: { readonly onHand?: number; readonly reserved?: number } = {}) {
  return { goodsId: 1, locationId: 0, version, onHand: ON_HAND[version] ?? 0, reserved: 0, ...changes };
}

const snapshot = (...seen: Parameters<typeof level>): Sight => ({ sight: "snapshot", levels: [level(...seen)] });
const change = (version: number, folded = 0, changes = {}): Sight => ({
  sight: "changes",
  changes: [{ ...level(version, changes), folded }],
});

function violationsOf(sights: readonly Sight[], more: Partial<Watched> = {}): readonly string[] {
  const violations = new Violations();
  const watched = { name: "eye", isOfLedger: false, sights, due: DUE, ...more };
  checkWatched([watched], readLedgers(TABLES, new Violations()), violations);
  return violations.list();
}

for (
  const [what, sights] of [
    ["all of a snapshot and what came since", [BEGUN, snapshot(1), change(2), change(3)]],
    ["some folded", [BEGUN, snapshot(1), change(3, 1)]],
    ["what came after the token comes again", [BEGUN, snapshot(1), TOKEN, change(2), RESUMED, change(2), change(3)]],
    ["a new snapshot in place of what was missed", [BEGUN, snapshot(1), TOKEN, BEGUN, snapshot(3)]],
  ] as const
) {
  Deno.test(`watched, and right: ${what}`, () => assertEquals(violationsOf(sights), []));
}

for (
  const [what, words, sights, more] of [
    ["a change is missing", /version 3 .* came after 1/, [BEGUN, snapshot(1), change(3)]],
    ["a change comes twice", /version 2 .* came after 2/, [BEGUN, snapshot(1), change(2), change(2), change(3)]],
    ["a change comes again after its token", /came after 2/, [
      BEGUN,
      snapshot(1),
      change(2),
      TOKEN,
      RESUMED,
      change(2),
    ]],
    ["the last one is missing", /up to version 2 of 3/, [BEGUN, snapshot(2)]],
    ["a wrong level", /saw 6 on hand/, [BEGUN, snapshot(1), change(2, 0, { onHand: 6 }), change(3)]],
    ["more reserved than there is", /and 1 reserved/, [BEGUN, snapshot(3, { reserved: 1 })]],
    ["a version that nobody wrote", /which the ledger does not have/, [BEGUN, snapshot(3), change(4)]],
    ["a snapshot of before", /a snapshot has version 1/, [BEGUN, snapshot(3), snapshot(1), change(2), change(3)]],
    ["rows of the ledger are folded", /were folded/, [BEGUN, snapshot(1), change(3, 1)], { isOfLedger: true }],
  ] as const
) {
  Deno.test(`watched, and caught: ${what}`, () => assertMatch(violationsOf(sights, more).join("\n"), words));
}
