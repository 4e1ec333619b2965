/** The level over time that the page of one goods draws. */
import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { type Ledger, LevelReader } from "../../src/console/one_goods/level_reader.ts";
import { ListedMovementSchema } from "../../src/gen/inventory/v1/query_pb.ts";
import {
  type LedgerRow,
  type LevelStep,
  pointsIn,
  STEPS_MAX,
  type Window,
  windowOf,
  withRows,
} from "../../src/console/one_goods/level_over_time.ts";

const START_MS = 1_700_000_000_000;

function row(version: number, afterMs: number, onHand: number, reserved = 0): LedgerRow {
  return {
    version: BigInt(version),
    at: timestampFromMs(START_MS + afterMs),
    ...{ onHandDelta: 0, reservedDelta: 0, onHandAfter: onHand, reservedAfter: reserved },
  };
}

/** A ledger's rows, oldest first. */
const rows = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 50 }),
    onHand: fc.integer({ min: 0, max: 100 }),
    reserved: fc.nat(9),
  }),
  { maxLength: 300, size: "max" },
).map((steps) => {
  let atMs = 0;
  return steps.map(({ afterMs, onHand, reserved }, i) => row(i + 1, atMs += afterMs, onHand, reserved));
});

const window: fc.Arbitrary<Window> = fc.tuple(fc.nat(8000), fc.integer({ min: 1, max: 8000 }))
  .map(([from, length]) => ({ fromMs: START_MS + from, toMs: START_MS + from + length }));

Deno.test("rows in any sequence, on pages that overlap, make each step once, by version, and time never goes back", () => {
  fc.assert(
    fc.property(rows.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows))), ([rows, some]) => {
      const steps = withRows(withRows([], some), rows.toReversed());
      assertEquals(steps.map(({ version }) => version), rows.map((_, i) => i + 1));
      assert(steps.every(({ atMs }, i) => i === 0 || atMs >= steps[i - 1]!.atMs));
    }),
  );
  assertEquals(withRows([], [row(1, 9, 1), row(2, 3, 2)]).map(({ atMs }) => atMs - START_MS), [9, 9]);
  assertEquals(withRows([], [row(1, 1, 1), row(2, 2, 2), row(3, 3, 3)], 2).map(({ version }) => version), [2, 3]);
});

Deno.test("a window shows no more points than it may, in time, from where it stood to where it stands", () => {
  fc.assert(fc.property(rows, window, fc.integer({ min: 20, max: 80 }), (rows, window, max) => {
    const steps = withRows([], rows);
    const points = pointsIn(steps, window, max);
    assert(points.length <= max, `${points.length} points`);
    assert(points.every(({ atMs }, i) => i === 0 || atMs >= points[i - 1]!.atMs), "in time");
    const before = steps.filter(({ atMs }) => atMs <= window.fromMs).at(-1);
    const now = steps.filter(({ atMs }) => atMs <= window.toMs).at(-1);
    if (before !== undefined) assertEquals(points[0], { ...lines(before), atMs: window.fromMs });
    if (now !== undefined) assertEquals(points.at(-1), { ...lines(now), atMs: window.toMs });
  }));
});

Deno.test("where points are left out no low and no high of any line is", () => {
  fc.assert(fc.property(rows, window, (rows, window) => {
    const steps = withRows([], rows);
    const [all, few] = [pointsIn(steps, window, 1e6), pointsIn(steps, window, 20)];
    for (const line of LINES) {
      assertEquals([Math.min(...few.map(line)), Math.max(...few.map(line))], [
        Math.min(...all.map(line)),
        Math.max(...all.map(line)),
      ]);
    }
  }));
});

Deno.test("a zoom looks back from now, or over all there is", () => {
  const steps = withRows([], [row(1, 0, 1), row(2, 5000, 2)]);
  const nowMs = START_MS + 7_200_000;
  assertEquals(windowOf("hour", steps, nowMs), { fromMs: nowMs - 3_600_000, toMs: nowMs });
  assertEquals(windowOf("all", steps, nowMs), { fromMs: START_MS, toMs: nowMs });
  assertEquals(windowOf("all", [], nowMs), { fromMs: nowMs - 60_000, toMs: nowMs });
});

Deno.test("a ledger is read no further back than is asked, nor beyond its bound, and only what is new after that", async () => {
  const ledger = new MadeLedger(STEPS_MAX + 5000);
  const reader = new LevelReader(ledger.list, { goodsId: 1, locationId: 0 });
  const { signal } = new AbortController();
  const read = async (fromMs: number) => {
    ledger.pages = 0;
    await reader.read(fromMs, signal, () => {});
    return { pages: ledger.pages, steps: reader.steps.length, hasOlder: reader.hasOlder };
  };
  assertEquals(await read(START_MS + ledger.count - 1500), { pages: 2, steps: 2000, hasOlder: true });
  ledger.count += 10;
  assertEquals(await read(START_MS + ledger.count - 1500), { pages: 1, steps: 2010, hasOlder: true });
  const whole = await read(-Infinity);
  assertEquals([whole.steps, whole.hasOlder], [STEPS_MAX, true]);
  assertEquals(reader.steps.at(-1)?.version, ledger.count);
  // So many came that the newest page does not reach what is known: there would be a gap.
  ledger.count += 3000;
  await read(Infinity);
  assertEquals(
    reader.steps.map(({ version }) => version),
    Array.from({ length: 1000 }, (_, i) => ledger.count - 999 + i),
  );
});

/** A ledger of so many rows, a millisecond each, as its list answers it. */
class MadeLedger {
  count: number;
  pages = 0;

  constructor(count: number) {
    this.count = count;
  }

  get list(): Ledger {
    const listMovements = ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
      this.pages++;
      const from = pageToken === "" ? this.count : Number(pageToken);
      const movements = Array.from(
        { length: Math.min(pageSize, from) },
        (_, i) => create(ListedMovementSchema, { version: BigInt(from - i), at: timestampFromMs(START_MS + from - i) }),
      );
      const next = from - movements.length;
      return Promise.resolve({ movements, nextPageToken: next === 0 ? "" : `${next}` });
    };
    return { listMovements } as unknown as Ledger;
  }
}

const LINES: readonly ((level: { readonly onHand: number; readonly reserved: number }) => number)[] = [
  ({ onHand }) => onHand,
  ({ reserved }) => reserved,
  ({ onHand, reserved }) => onHand - reserved,
];

function lines({ onHand, reserved }: LevelStep) {
  return { onHand, reserved };
}
