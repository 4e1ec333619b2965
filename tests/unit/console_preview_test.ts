/** What the page says beforehand of an operation is what the server comes to. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  availableOf,
  type Preview,
  previewAdjust,
  previewDelete,
  previewPolicy,
  previewRestore,
  previewSet,
  previewTransfer,
  sellableOf,
  type Stand,
} from "../../src/console/one_goods/preview.ts";
import { available, takeable } from "../../src/inventory/levels.ts";
import type { Level, Snapshot } from "../../src/inventory/model.ts";
import { ADJUST } from "../../src/inventory/operations/adjust.ts";
import { DELETE, RESTORE } from "../../src/inventory/operations/delete.ts";
import { POLICY } from "../../src/inventory/operations/policy.ts";
import type { Decision } from "../../src/inventory/operations/rules.ts";
import { SET } from "../../src/inventory/operations/set.ts";
import { TRANSFER } from "../../src/inventory/operations/transfer.ts";
import { keyOf } from "../../src/inventory/stock_key.ts";

const PLACE = { goodsId: 1, locationId: 0 };
const OTHER = { goodsId: 1, locationId: 7 };
const ID = { operationId: "o" };
const units = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(2_147_483_647));

const stand: fc.Arbitrary<Stand> = fc.record({
  reserved: fc.nat(6),
  safetyStock: fc.nat(4),
  backorderMax: fc.nat(4),
  version: fc.integer({ min: 1, max: 9 }),
  deleted: fc.boolean(),
}).chain((stand) =>
  units.filter((onHand) => onHand >= stand.reserved - stand.backorderMax).map((onHand) => ({ ...stand, onHand }))
);

Deno.test("the numbers of a place are those of the server", () => {
  fc.assert(fc.property(stand, (stand) => {
    const level = levelOf(stand, PLACE);
    assertEquals([availableOf(stand), sellableOf(stand)], [available(level), takeable(level)]);
  }));
});

Deno.test("a preview is what the server comes to, and its doubts are the server's refusals", () => {
  const tried = new Set<string>();
  const open = stand.map((stand) => ({ ...stand, deleted: false }));
  fc.assert(
    fc.property(stand, open, open, units, fc.integer({ min: -12, max: 12 }), (any, here, there, num, delta) => {
      const at = (stand: Stand) => snapshot(levelOf(stand, PLACE));
      for (const basis of ["available", "on_hand"] as const) {
        check(
          `set ${basis}`,
          previewSet(any, num, basis),
          SET.decide(at(any), { kind: "set", ...ID, ...PLACE, num, basis }),
        );
      }
      const by = delta === 0 ? 1 : delta;
      const lines = [{ ...PLACE, num: by }];
      check("adjust", previewAdjust(here, by), ADJUST.decide(at(here), { kind: "adjust", ...ID, lines }));
      const policy = { safetyStock: Math.abs(delta), backorderMax: Math.abs(delta) >> 1 };
      if (policy.safetyStock !== here.safetyStock || policy.backorderMax !== here.backorderMax) {
        const decided = POLICY.decide(at(here), { kind: "policy", ...ID, ...PLACE, policy });
        check("policy", previewPolicy(here, policy), decided);
      }
      const moved = Math.max(1, num);
      const move = previewTransfer(here, there, moved);
      const both = snapshot(levelOf(here, PLACE), levelOf(there, OTHER));
      const decided = TRANSFER.decide(both, {
        ...{ kind: "transfer", ...ID, toLocationId: OTHER.locationId },
        lines: [{ ...PLACE, num: moved }],
      });
      check("transfer", move.from.doubt === undefined && move.to.doubt !== undefined ? move.to : move.from, decided);
      check("delete", previewDelete(any, false), DELETE.decide(at(any), { kind: "delete", ...ID, ...PLACE }));
      check("restore", previewRestore(any), RESTORE.decide(at(any), { kind: "restore", ...ID, ...PLACE }));

      function check(what: string, preview: Preview, decision: Decision): void {
        tried.add(`${what} ${preview.doubt?.doubt ?? "ok"}`);
        assertEquals(preview.doubt?.doubt, doubtOf(decision), what);
        if (!decision.ok || preview.doubt !== undefined) return;
        const level = decision.answer.kind === "set"
          ? decision.answer.level
          : (decision.answer as { levels: readonly Level[] }).levels.find(({ locationId }) => locationId === 0);
        assertEquals(standOf(level!), preview.after, what);
      }
    }),
    { numRuns: 1000 },
  );
  // What becomes available is never too few, and what becomes on hand is never too large.
  assertTried("set available", "ok", "too_large", "no_change");
  assertTried("set on_hand", "ok", "too_many", "no_change");
  assertTried("adjust", "ok", "too_many", "too_large");
  assertTried("transfer", "ok", "too_many", "too_large");
  assertTried("policy", "ok", "below_floor");
  assertTried("delete", "ok", "has_holds", "no_change");
  assertTried("restore", "ok", "no_change");

  function assertTried(what: string, ...ends: string[]): void {
    for (const end of ends) assert(tried.has(`${what} ${end}`), `${what} ${end} was not tried`);
  }
});

/** The page's word for it. */
function doubtOf(decision: Decision): string | undefined {
  if (decision.ok) return decision.effect.steps.length === 0 ? "no_change" : undefined;
  const words: Readonly<Record<string, string>> = {
    short_stock: "too_many",
    out_of_range: "too_large",
    below_floor: "below_floor",
    has_holds: "has_holds",
  };
  return words[decision.refusal.reason] ?? decision.refusal.reason;
}

function levelOf({ safetyStock, backorderMax, ...stand }: Stand, place: typeof PLACE): Level {
  return { ...place, ...stand, policy: { safetyStock, backorderMax } };
}

function standOf({ onHand, reserved, version, deleted, policy }: Level): Stand {
  const { safetyStock = 0, backorderMax = 0 } = policy ?? {};
  return { onHand, reserved, safetyStock, backorderMax, version, deleted };
}

function snapshot(...levels: Level[]): Snapshot {
  return {
    atMs: 0,
    levels: new Map(levels.map((level) => [keyOf(level), level])),
    orders: new Map(),
    operations: new Map(),
  };
}
