import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type AgeState, type AgeStep, ageStep, leaveAt } from "../../src/transport/connection_age.ts";

const LIMITS = { leaveMsMax: 100 };

Deno.test("a connection gets as old as it may, less up to a tenth by chance", () => {
  assertEquals(leaveAt(500, 1000, 0), 1500);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 1, max: 86_400_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (acceptedAt, ageMsMax, random) => {
        const age = leaveAt(acceptedAt, ageMsMax, random) - acceptedAt;
        assert(age <= ageMsMax + 1e-6 && age >= 0.9 * ageMsMax - 1e-6, `${age} of ${ageMsMax}`);
      },
    ),
  );
});

Deno.test("where no age is set, no connection is asked to go", () => {
  for (const random of [0, 0.5, 0.999]) {
    assertEquals(stepOf({ leaveAt: leaveAt(0, Infinity, random) }, Number.MAX_SAFE_INTEGER), undefined);
  }
});

Deno.test("a connection goes step by step, at one pass after another", () => {
  const table: [Partial<AgeState>, number, AgeStep][] = [
    [{ leaveAt: 1000 }, 999, undefined],
    [{ leaveAt: 1000 }, 1000, "leave"],
    [{ leaveAt: 1000, leavingSince: 1000 }, 1001, undefined],
    [{ leaveAt: 1000, leavingSince: 1000, isHeard: true }, 1001, "close"],
    // A drain asks before its time.
    [{ leaveAt: 1000, leavingSince: 10, isHeard: true }, 20, "close"],
    [{ leaveAt: 1000, leavingSince: 1000, isHeard: true, isClosing: true }, 1100, undefined],
    [{ leaveAt: 1000, leavingSince: 1000, isHeard: true, isClosing: true }, 1101, "cut"],
    [{ leaveAt: 1000, leavingSince: 1000 }, 1101, "cut"],
  ];
  for (const [state, now, step] of table) assertEquals(stepOf(state, now), step, JSON.stringify({ state, now }));
});

function stepOf(state: Partial<AgeState>, now: number): AgeStep {
  return ageStep(
    { leaveAt: Infinity, leavingSince: undefined, isHeard: false, isClosing: false, ...state },
    now,
    LIMITS,
  );
}
