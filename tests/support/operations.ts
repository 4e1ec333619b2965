/**
 * Random operations over few goods, few orders and few ids, so that repeats, conflicts and refusals are the
 * rule and not the exception.
 */
import fc from "fast-check";
import { mergeLines } from "../../src/inventory/lines.ts";
import type { Line, Policy } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";

const INT32_MAX = 2 ** 31 - 1;
/** The first moment of a run; see {@link anyBatches}. */
export const START_MS = 1000;

/** What makes milliseconds of a hold longer than any test. */
const LONG = 1_000_000;

const goodsId = fc.constantFrom(1, 2, 3);
const locationId = fc.constantFrom(0, 0, 0, 1);
const num = rarely(fc.integer({ min: 1, max: 4 }), fc.constant(INT32_MAX));
const buyerId = fc.constantFrom("x", "x", "y");

/** What each order is mostly sent with: only a retry with the same lines is a retry. */
const ORDERS: Readonly<Record<string, readonly Line[]>> = {
  a: [{ goodsId: 1, locationId: 0, num: 2 }, { goodsId: 2, locationId: 0, num: 1 }],
  b: [{ goodsId: 1, locationId: 0, num: 3 }],
  c: [{ goodsId: 2, locationId: 0, num: 1 }, { goodsId: 3, locationId: 0, num: 2 }],
  d: [{ goodsId: 1, locationId: 0, num: 1 }, { goodsId: 1, locationId: 1, num: 1 }],
};
const orderId = fc.constantFrom(...Object.keys(ORDERS));

/** The first, and of ten times once the second. */
function rarely<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

/** Of ten times nine undefined. */
function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** The record with what is there of `optional`, each half of the time. */
function withOptional<T extends object, O extends object>(
  needed: fc.Arbitrary<T>,
  optional: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<T & Partial<O>> {
  return fc.tuple(needed, fc.record(optional, { requiredKeys: [] })).map(([a, b]) =>
    ({ ...a, ...b }) as T & Partial<O>
  );
}

function lines(min: number): fc.Arbitrary<Line[]> {
  return fc.array(fc.record({ goodsId, locationId, num }), { minLength: min, maxLength: 4 })
    .map(mergeLines)
    // The wire turns away sums beyond int32.
    .filter((merged) => merged.every((line) => line.num <= INT32_MAX));
}

/** An order's usual lines, or now and then others. */
function linesOf(orderId: string): fc.Arbitrary<readonly Line[]> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(ORDERS[orderId] ?? []) }, { weight: 1, arbitrary: lines(1) });
}

/** The whole order, a unit or two of one of its goods, or anything. */
function partOf(orderId: string): fc.Arbitrary<readonly Line[]> {
  const unit = fc.tuple(fc.constantFrom(...(ORDERS[orderId] ?? [])), fc.integer({ min: 1, max: 2 }));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 5, arbitrary: unit.map(([line, num]) => [{ ...line, num }]) },
    { weight: 1, arbitrary: linesOf(orderId) },
  );
}

/** What a buyer wants, mostly of the usual lines, mostly the same each time. */
function wanted<K extends "sell" | "reserve">(kind: K) {
  return orderId.chain((orderId) =>
    withOptional(
      fc.record({ kind: fc.constant(kind), orderId: fc.constant(orderId), lines: linesOf(orderId) }),
      { fill: fc.constantFrom("all" as const, "available" as const), buyerId },
    )
  );
}

const ttlMs = fc.integer({ min: 1, max: 25 });

const policy: fc.Arbitrary<Policy> = withOptional(
  fc.record({
    safetyStock: fc.integer({ min: 0, max: 2 }),
    backorderMax: rarely(fc.constantFrom(0, 0, 1, 4), fc.constant(INT32_MAX)),
  }),
  {
    orderNumMax: fc.integer({ min: 1, max: 5 }),
    buyerNumMax: fc.integer({ min: 1, max: 5 }),
    holdTtlMs: ttlMs,
  },
).chain((policy) =>
  policy.buyerNumMax === undefined
    ? fc.constant(policy)
    : withOptional(fc.constant(policy), { buyerWindowMs: fc.integer({ min: 1, max: 40 }) })
);

/** The server makes these ids, so that a repeat is always of the same place. */
function ofPlace<K extends string>(kind: K) {
  return fc.record({ goodsId, locationId, repeat: fc.integer({ min: 1, max: 3 }) })
    .map(({ repeat, ...place }) => ({
      kind,
      operationId: `${kind}-${place.goodsId}-${place.locationId}-${repeat}`,
      ...place,
    }));
}

const set = withOptional(
  fc.record({ at: ofPlace("set" as const), num: rarely(fc.integer({ min: 0, max: 8 }), fc.constant(INT32_MAX)) }),
  {
    basis: fc.constantFrom("available" as const, "on_hand" as const),
    expectedVersion: seldom(fc.integer({ min: 0, max: 5 })),
    expectedNum: seldom(fc.integer({ min: 0, max: 5 })),
  },
).map(({ at, expectedVersion, expectedNum, ...rest }) => ({
  ...at,
  ...rest,
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
  ...(expectedNum === undefined ? {} : { expectedNum }),
}));

/** The same, where the first place that it moves is to stand at some version; mostly at any. */
function expecting<
  O extends { readonly lines?: readonly Line[]; readonly goodsId?: number; readonly locationId?: number },
>(
  operations: fc.Arbitrary<O>,
) {
  return fc.tuple(operations, seldom(fc.integer({ min: 0, max: 6 }))).map(([operation, version]) => {
    const place = operation.lines?.[0] ?? operation;
    const { goodsId = 1, locationId = 0 } = place;
    return version === undefined ? operation : { ...operation, expected: [{ goodsId, locationId, version }] };
  });
}

const operationId = fc.constantFrom("back-1", "back-2", "back-3", "do-1", "do-2", "do-3", "do-4");

/** One operation, as the wire would hand it on. Moments are within the first 100 ms from {@link START_MS} on. */
export const anyOperation: fc.Arbitrary<Operation> = withOptional(
  fc.oneof(
    { weight: 4, arbitrary: set as fc.Arbitrary<Operation> },
    { weight: 6, arbitrary: wanted("sell") },
    {
      weight: 4,
      arbitrary: orderId.chain((orderId) =>
        fc.record({
          kind: fc.constant("rollback" as const),
          rollbackId: fc.constantFrom(undefined, undefined, "back-1", "back-2"),
          orderId: fc.constant(orderId),
          lines: partOf(orderId),
        })
      ),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("give_back" as const), operationId, lines: lines(1) }) },
    {
      weight: 10,
      arbitrary: fc.tuple(wanted("reserve"), fc.option(ttlMs, { nil: undefined })).map(([reserve, ttlMs]) =>
        ttlMs === undefined ? reserve : { ...reserve, ttlMs }
      ),
    },
    {
      weight: 2,
      arbitrary: withOptional(fc.record({ kind: fc.constant("extend" as const), orderId }), { ttlMs }),
    },
    {
      weight: 8,
      arbitrary: orderId.chain((orderId) =>
        fc.record({
          kind: fc.constant("confirm" as const),
          orderId: fc.constant(orderId),
          lines: partOf(orderId),
          recordsShortfall: fc.boolean(),
        })
      ),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), orderId }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("expire" as const), orderId }) },
    {
      weight: 2,
      arbitrary: expecting(fc.record({
        kind: fc.constant("adjust" as const),
        operationId,
        lines: fc.tuple(lines(1), fc.constantFrom(1, -1)).map(([lines, sign]) =>
          lines.map((line) => ({ ...line, num: sign * line.num }))
        ),
      })),
    },
    {
      weight: 3,
      arbitrary: withOptional(
        fc.record({
          kind: fc.constant("count" as const),
          operationId,
          goodsId,
          locationId,
          num: rarely(fc.integer({ min: 0, max: 8 }), fc.constant(INT32_MAX)),
        }),
        { occurredAtMs: fc.integer({ min: START_MS - 5, max: START_MS + 100 }) },
      ),
    },
    {
      weight: 2,
      arbitrary: expecting(
        fc.record({ kind: fc.constant("transfer" as const), operationId, from: locationId, lines: lines(1) }).map((
          { from, lines, ...rest },
        ) => ({
          ...rest,
          toLocationId: from === 0 ? 1 : 0,
          lines: mergeLines(lines.map((line) => ({ ...line, locationId: from }))).filter(({ num }) => num <= INT32_MAX),
        })).filter(({ lines }) => lines.length > 0),
      ),
    },
    {
      weight: 3,
      arbitrary: expecting(fc.tuple(ofPlace("policy" as const), policy).map(([at, policy]) => ({ ...at, policy }))),
    },
    { weight: 1, arbitrary: expecting(ofPlace("delete" as const)) },
    { weight: 1, arbitrary: expecting(ofPlace("restore" as const)) },
  ) as fc.Arbitrary<Operation>,
  { dryRun: seldom(fc.constant(true as const)) },
).map(({ dryRun, ...operation }) => (dryRun === undefined ? operation : { ...operation, dryRun }) as Operation);

/** The same operations with nothing in them that time decides: for tests whose clock is the database's. */
export const anyTimelessOperation: fc.Arbitrary<Operation> = anyOperation.filter(({ kind }) =>
  // Whether it gets more time, or has as much already, is a matter of the moment.
  kind !== "extend"
).map((operation) => {
  switch (operation.kind) {
    case "reserve":
      return operation.ttlMs === undefined ? operation : { ...operation, ttlMs: operation.ttlMs * LONG };
    case "policy": {
      const { buyerWindowMs: _, holdTtlMs, ...policy } = operation.policy;
      return { ...operation, policy: holdTtlMs === undefined ? policy : { ...policy, holdTtlMs: holdTtlMs * LONG } };
    }
    case "count": {
      const { occurredAtMs: _, ...count } = operation;
      return count;
    }
    default:
      return operation;
  }
});

/** A batch, and how long before it nothing happens. */
export interface AnyBatch {
  readonly afterMs: number;
  readonly operations: readonly Operation[];
}

/** A few units of everything. */
const STOCKED: AnyBatch = {
  afterMs: 0,
  operations: [1, 2, 3].flatMap((goodsId) =>
    [0, 1].map((locationId): Operation => ({
      kind: "set",
      operationId: `stock-${goodsId}-${locationId}`,
      goodsId,
      locationId,
      num: 6,
    }))
  ),
};

/**
 * As much as an int32 says is on hand of goods 1 at location 1, where an order can come back to, is promised of goods
 * 2, and is owed of goods 3. Random operations by themselves come to it too seldom.
 */
const FULL: AnyBatch = {
  afterMs: 0,
  operations: [
    ...[2, 3].map((goodsId): Operation => ({
      kind: "policy",
      operationId: `lavish-${goodsId}`,
      goodsId,
      locationId: 0,
      policy: { safetyStock: 0, backorderMax: INT32_MAX },
    })),
    { kind: "sell", orderId: "d", lines: ORDERS.d ?? [] },
    { kind: "set", operationId: "full", goodsId: 1, locationId: 1, num: INT32_MAX },
    {
      kind: "reserve",
      orderId: "promised",
      lines: [{ goodsId: 2, locationId: 0, num: INT32_MAX }],
      ttlMs: LONG,
    },
    { kind: "sell", orderId: "owed", lines: [{ goodsId: 3, locationId: 0, num: INT32_MAX }] },
    { kind: "sell", orderId: "owed-too", lines: [{ goodsId: 3, locationId: 0, num: 6 }] },
  ],
};

/** Batches one after the other, with time between them in which holds run out; most begin with some stock. */
export const anyBatches: fc.Arbitrary<AnyBatch[]> = fc.tuple(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant([STOCKED]) },
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.constant([STOCKED, FULL]) },
  ),
  fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 15 }),
      operations: fc.array(anyOperation, { minLength: 1, maxLength: 10 }),
    }),
    { maxLength: 7, size: "max" },
  ),
).map(([before, batches]) => [...before, ...batches]);
