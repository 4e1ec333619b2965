/**
 * Random operations over few goods, few orders and few ids, so that repeats, conflicts and refusals are the
 * rule and not the exception.
 */
import fc from "fast-check";
import { mergeLines } from "../../src/inventory/lines.ts";
import type { Line, Operation } from "../../src/inventory/model.ts";

const goodsId = fc.constantFrom(1, 2, 3);
const num = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, {
  weight: 1,
  arbitrary: fc.constant(2 ** 31 - 1),
});
const orderId = fc.constantFrom("a", "b", "c");

function lines(min: number): fc.Arbitrary<Line[]> {
  return fc.array(fc.record({ goodsId, num }), { minLength: min, maxLength: 4 })
    .map(mergeLines)
    // The wire turns away sums beyond int32.
    .filter((merged) => merged.every((line) => line.num <= 2 ** 31 - 1));
}

/** One operation, as the wire would hand it on. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  // The server makes the ids of sets, so a repeat is always of the same goods.
  fc.record({
    goodsId,
    num: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(2 ** 31 - 1)),
    repeat: fc.integer({ min: 1, max: 2 }),
  }).map(({ goodsId, num, repeat }) => ({
    kind: "set" as const,
    operationId: `set-${goodsId}-${repeat}`,
    goodsId,
    num,
  })),
  fc.record({ kind: fc.constant("sell" as const), orderId, lines: lines(1) }),
  fc.record({
    kind: fc.constant("rollback" as const),
    rollbackId: fc.constantFrom(undefined, undefined, "back-1", "back-2"),
    orderId,
    lines: fc.oneof(fc.constant([]), lines(0)),
  }),
  fc.record({
    kind: fc.constant("give_back" as const),
    operationId: fc.constantFrom("back-1", "back-2", "back-3"),
    lines: lines(1),
  }),
);
