/**
 * Random operations over few goods, few orders and few ids, so that repeats, conflicts and refusals are the
 * rule and not the exception.
 */
import fc from "fast-check";
import { mergeLines } from "../../src/inventory/lines.ts";
import type { Line } from "../../src/inventory/model.ts";
import type { Known } from "./oracle.ts";

const goodsId = fc.constantFrom(1, 2, 3);
const num = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, {
  weight: 1,
  arbitrary: fc.constant(2 ** 31 - 1),
});
/** What each order is mostly sent with: only a retry with the same lines is a retry. */
const ORDERS: Readonly<Record<string, readonly Line[]>> = {
  a: [{ goodsId: 1, locationId: 0, num: 2 }, { goodsId: 2, locationId: 0, num: 1 }],
  b: [{ goodsId: 1, locationId: 0, num: 3 }],
  c: [{ goodsId: 2, locationId: 0, num: 1 }, { goodsId: 3, locationId: 0, num: 2 }],
};
const orderId = fc.constantFrom(...Object.keys(ORDERS));

function lines(min: number): fc.Arbitrary<Line[]> {
  return fc.array(fc.record({ goodsId, locationId: fc.constant(0), num }), { minLength: min, maxLength: 4 })
    .map(mergeLines)
    // The wire turns away sums beyond int32.
    .filter((merged) => merged.every((line) => line.num <= 2 ** 31 - 1));
}

/** An order's usual lines, or now and then others. */
function linesOf(orderId: string): fc.Arbitrary<readonly Line[]> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(ORDERS[orderId] ?? []) }, { weight: 1, arbitrary: lines(1) });
}

/** The whole order, a unit or two of one of its goods, or anything. */
function partOf(orderId: string): fc.Arbitrary<readonly Line[]> {
  const unit = fc.record({
    goodsId: fc.constantFrom(...(ORDERS[orderId] ?? []).map((line) => line.goodsId)),
    locationId: fc.constant(0),
    num: fc.integer({ min: 1, max: 2 }),
  });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 5, arbitrary: unit.map((line) => [line]) },
    { weight: 1, arbitrary: linesOf(orderId) },
  );
}

/** Mostly nothing, now and then one of these. */
function seldom<T>(...values: T[]): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, {
    weight: 1,
    arbitrary: fc.constantFrom(...values),
  });
}

/** The fields that are there. */
function defined(fields: Record<string, unknown>): Known {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as Known;
}

/** One operation, as the wire would hand it on; some are only asked about. */
export const anyOperation: fc.Arbitrary<Known> = fc.tuple(anyKind(), seldom(true as const))
  .map(([any, dryRun]) => dryRun ? { ...any, dryRun } : any);

function anyKind(): fc.Arbitrary<Known> {
  return fc.oneof(
    // The server makes the ids of sets, so a repeat is always of the same goods.
    fc.record({
      goodsId,
      num: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(2 ** 31 - 1)),
      repeat: fc.integer({ min: 1, max: 2 }),
      basis: seldom("on_hand" as const),
      expectedVersion: seldom(0, 1, 2, 3),
      expectedNum: seldom(0, 3, 5),
    }).map(({ goodsId, repeat, ...fields }) =>
      defined({ kind: "set", operationId: `set-${goodsId}-${repeat}`, goodsId, locationId: 0, ...fields })
    ),
    orderId.chain((orderId) =>
      fc.record({
        lines: linesOf(orderId),
        fill: fc.constantFrom(undefined, "available" as const),
        buyerId: seldom("buyer"),
      }).map((fields) => defined({ kind: "sell", orderId, ...fields }))
    ),
    orderId.chain((orderId) =>
      fc.record({
        kind: fc.constant("rollback" as const),
        rollbackId: fc.constantFrom(undefined, undefined, "back-1", "back-2"),
        orderId: fc.constant(orderId),
        lines: partOf(orderId),
      })
    ),
    fc.record({
      kind: fc.constant("give_back" as const),
      operationId: fc.constantFrom("back-1", "back-2", "back-3"),
      lines: lines(1),
    }),
  );
}
