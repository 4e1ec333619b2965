/**
 * Lists against plain filters over the same rows: whatever is asked, a walk finds exactly what fits, once, in the
 * sequence that was asked for, whatever the size of its pages.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { INT32_MAX, type OperationKind, type OrderState } from "../../src/inventory/model.ts";
import type { LevelQuery, MovementQuery, OrderQuery, Page, PageOf } from "../../src/inventory/queries.ts";
import { isSortedByOrder, isSortedByTaking } from "../../src/inventory/queries.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { Violations } from "../../src/rpc/errors.ts";
import { type PageKeyShape, pageToken, readPageToken } from "../../src/services/page_token.ts";
import { levelsShape, movementsShape, ordersShape } from "../../src/services/query/tokens.ts";
import { createStore } from "../../src/store/store.ts";
import { compareSkus } from "../../src/watch/snapshot_pages.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { CHOICES, insertShop, type MadeLevel, type MadeShop, madeShop } from "../support/made_shop.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { seededRandom } from "../support/rude_http2.ts";

const RUNS = 30;
const SHOPS = 2;
/** More pages than any of these walks has. */
const PAGES_MAX = 1000;
const SIZE = fc.constantFrom(1, 2, 3, 7, 50, 1000);

type Key = readonly (string | number)[];

/**
 * All rows of a list, page by page; that no page is larger than it may be, and that a token of where each ends is taken
 * for that.
 */
async function walk<R>(
  read: (page: PageOf<Key>) => Promise<Page<R, Key>>,
  size: number,
  shape: PageKeyShape,
): Promise<R[]> {
  const list = { name: "test", query: null };
  const rows: R[] = [];
  let after: Key | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await read({ size, after });
    assert(answer.rows.length <= size, `${answer.rows.length} rows on a page of ${size}`);
    rows.push(...answer.rows);
    if (answer.next === undefined) return rows;
    const violations = new Violations();
    after = readPageToken(violations, "page_token", pageToken(list, answer.next), list, shape);
    violations.check();
    assertEquals(after, answer.next);
  }
  throw new Error(`a walk of more than ${PAGES_MAX} pages`);
}

const maybe = <T>(choices: readonly T[]) => fc.option(fc.constantFrom(...choices), { nil: undefined, freq: 1 });
const some = <T>(choices: readonly T[]) =>
  fc.option(fc.subarray([...choices], { minLength: 1 }), { nil: undefined, freq: 1 });

function given<T extends Record<string, unknown>>(filters: T): T {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as T;
}

const LEVEL_QUERY: fc.Arbitrary<LevelQuery> = fc.record({
  goodsIds: some(CHOICES.goodsIds),
  skus: some(CHOICES.skus),
  skuPrefix: maybe(CHOICES.skuPrefixes),
  locationIds: some(CHOICES.locationIds),
  isLow: maybe([true, false]),
  isSoldOut: maybe([true, false]),
  hasHolds: maybe([true, false]),
  deleted: fc.constantFrom("excluded", "included", "only"),
  changedSince: maybe(CHOICES.timesMs),
  sort: fc.constantFrom("goods", "sku"),
  isDescending: fc.boolean(),
}).map(({ changedSince, ...filters }) =>
  given({
    ...filters,
    ...(changedSince === undefined ? {} : { changedSinceUs: changedSince * 1000, sort: "change", isDescending: false }),
  }) as LevelQuery
);

const KINDS: readonly OperationKind[] = ["set", "sell", "rollback", "reserve", "adjust", "count"];
const TIMES = {
  sinceUs: maybe(CHOICES.timesMs.map((ms) => ms * 1000)),
  untilUs: maybe(CHOICES.timesMs.map((ms) => ms * 1000)),
  newestFirst: fc.boolean(),
};
const MOVEMENT_QUERY = fc.record({
  goodsId: maybe(CHOICES.goodsIds),
  locationId: maybe(CHOICES.locationIds),
  orderId: maybe([...Array(20).keys()].map((i) => `order-${(i * 7919) % 1000}`)),
  buyerId: maybe(CHOICES.buyerIds),
  actor: maybe(CHOICES.actors),
  reason: maybe(CHOICES.reasons),
  kinds: some(KINDS),
  operationId: maybe(["set-1", "set-30", "adjust-3", "adjust-4", "adjust-9", "adjust-17", "back-5"]),
  ...TIMES,
});
/** Few filters at a time: of many together nothing is left. */
const FEW_OF_MOVEMENTS = fc.tuple(
  MOVEMENT_QUERY,
  fc.subarray(Object.keys(TIMES).slice(0, 2)),
  some([
    "goodsId",
    "locationId",
    "orderId",
    "buyerId",
    "actor",
    "reason",
    "kinds",
    "operationId",
  ]),
).map(([query, times, filters]) =>
  given({
    newestFirst: query.newestFirst,
    ...Object.fromEntries([...times, ...(filters ?? []).slice(0, 3)].map((name) => [name, query[name as "goodsId"]])),
  }) as MovementQuery
);

const STATES: readonly OrderState[] = ["held", "sold", "released", "expired", "rolled_back", "barred"];
const ORDER_QUERY = fc.record({
  states: some(STATES),
  buyerId: maybe(CHOICES.buyerIds),
  goodsId: maybe(CHOICES.goodsIds),
  locationId: maybe(CHOICES.locationIds),
  ...TIMES,
}).map(({ locationId, ...query }) =>
  given({ ...query, ...(query.goodsId === undefined ? {} : { locationId }) }) as OrderQuery
);

/** By the values of a key, which is unique. */
function sortedBy<T>(rows: readonly T[], key: (row: T) => Key, isDescending: boolean): T[] {
  const compare = (a: Key, b: Key) => {
    for (const [i, value] of a.entries()) {
      if (value !== b[i]) {
        return (typeof value === "string" ? compareSkus(value, String(b[i])) : value - Number(b[i])) || 0;
      }
    }
    return 0;
  };
  const sorted = [...rows].sort((a, b) => compare(key(a), key(b)));
  return isDescending ? sorted.reverse() : sorted;
}

function within(ms: number, { sinceUs = 0, untilUs = Infinity }: { sinceUs?: number; untilUs?: number }): boolean {
  return ms * 1000 >= sinceUs && ms * 1000 < untilUs;
}

function isOneOf<T>(value: T, wanted: readonly T[] | undefined): boolean {
  return wanted === undefined || wanted.includes(value);
}

function expectedLevels({ levels }: MadeShop, query: LevelQuery): string[] {
  const available = (level: MadeLevel) => level.onHand - level.live - level.safetyStock;
  const isLow = (level: MadeLevel) => level.low?.isLow === true && available(level) < level.low.until;
  const isSoldOut = (level: MadeLevel) => available(level) + level.backorderMax <= 0;
  const { goodsIds, skus, skuPrefix, locationIds, deleted, changedSinceUs = 0, sort } = query;
  const found = levels.filter((level) =>
    (goodsIds === undefined && skus === undefined || goodsIds?.includes(level.goodsId) === true ||
      skus?.includes(level.sku ?? "") === true) &&
    (sort !== "sku" || level.sku !== undefined) && (skuPrefix === undefined || level.sku?.startsWith(skuPrefix)) &&
    isOneOf(level.locationId, locationIds) &&
    (query.isLow === undefined || query.isLow === isLow(level)) &&
    (query.isSoldOut === undefined || query.isSoldOut === isSoldOut(level)) &&
    (query.hasHolds === undefined || query.hasHolds === level.live > 0) &&
    (deleted === "included" || level.isDeleted === (deleted === "only")) &&
    level.updatedAtMs * 1000 >= changedSinceUs
  );
  const keys: Record<LevelQuery["sort"], (level: MadeLevel) => Key> = {
    goods: ({ goodsId, locationId }) => [goodsId, locationId],
    sku: ({ sku, locationId }) => [sku!, locationId],
    change: ({ updatedAtMs, goodsId, locationId }) => [updatedAtMs, goodsId, locationId],
  };
  return sortedBy(found, keys[sort], query.isDescending).map((level) =>
    JSON.stringify([
      level.goodsId,
      level.locationId,
      level.sku,
      level.onHand,
      level.live,
      isLow(level),
      isSoldOut(level),
    ])
  );
}

function expectedMovements({ movements, orders }: MadeShop, query: MovementQuery): string[] {
  const madeBy = new Map(orders.map((order) => [order.orderId, order]));
  const found = movements.filter((movement) =>
    isOneOf(movement.goodsId, query.goodsId && [query.goodsId] || undefined) &&
    isOneOf(movement.locationId, query.locationId === undefined ? undefined : [query.locationId]) &&
    isOneOf(movement.kind, query.kinds) && within(movement.atMs, query) &&
    (["orderId", "operationId", "actor", "reason"] as const).every((name) =>
      query[name] === undefined || query[name] === movement[name]
    ) &&
    (query.buyerId === undefined || madeBy.get(movement.orderId ?? "")?.buyerId === query.buyerId)
  );
  const byOrder = isSortedByOrder(query);
  const key = (movement: (typeof movements)[number]): Key => [
    ...(byOrder ? [madeBy.get(movement.orderId!)!.atMs, movement.orderId!] : []),
    movement.atMs,
    movement.goodsId,
    movement.locationId,
    movement.version,
  ];
  return sortedBy(found, key, query.newestFirst).map(({ goodsId, locationId, version }) =>
    `${goodsId}@${locationId} ${version}`
  );
}

function expectedOrders({ movements, orders }: MadeShop, query: OrderQuery): string[] {
  const stateOf = ({ state, expiresAtMs }: (typeof orders)[number]) =>
    state === "held" && expiresAtMs! <= Date.now() ? "expired" : state;
  const takes = (line: { goodsId: number; locationId: number }) =>
    line.goodsId === query.goodsId &&
    isOneOf(line.locationId, query.locationId === undefined ? undefined : [query.locationId]);
  const byTaking = isSortedByTaking(query);
  const key = (order: (typeof orders)[number]): Key => {
    if (!byTaking) return [order.atMs, order.orderId];
    const taking = movements.filter((movement) =>
      movement.orderId === order.orderId && takes(movement) && (movement.kind === "sell" || movement.kind === "reserve")
    );
    const [first] = sortedBy(taking, (m) => [m.atMs, m.locationId, m.version], false);
    return [first!.atMs, first!.locationId, first!.version];
  };
  const found = orders.filter((order) =>
    isOneOf(stateOf(order), query.states) && (query.buyerId === undefined || query.buyerId === order.buyerId) &&
    (query.goodsId === undefined || order.lines.some(takes)) && within(order.atMs, query)
  );
  return sortedBy(found, key, query.newestFirst).map((order) => `${order.orderId} ${stateOf(order)}`);
}

for (let shop = 1; shop <= SHOPS; shop++) {
  Deno.test(`a walk through a list finds what fits, once, in its sequence: shop ${shop}`, async (t) => {
    await using database = await createTestDatabase();
    await using owner = ownerOf(database.ownerUrl);
    const made = madeShop(seededRandom(shop));
    await insertShop(owner.sql, made);
    const store = createStore({
      ...TEST_LIMITS,
      connectTimeoutMs: 10_000,
      max: 2,
      address: parsePostgresAddress(database.serverUrl),
    });
    const { lists } = store;
    const check = <Q>(name: string, queries: fc.Arbitrary<Q>, compare: (query: Q, size: number) => Promise<void>) =>
      t.step(name, () => fc.assert(fc.asyncProperty(queries, SIZE, compare), { numRuns: RUNS }));
    try {
      await check("levels", LEVEL_QUERY, async (query, size) => {
        const rows = await walk((page) => lists.levels(query, page, NEVER), size, levelsShape(query).slice(0, -1));
        const expected = expectedLevels(made, query);
        assertEquals(
          rows.map(({ goodsId, locationId, sku, onHand, reserved, isLow, isSoldOut }) =>
            JSON.stringify([goodsId, locationId, sku, onHand, reserved, isLow, isSoldOut])
          ),
          expected,
        );
        assertEquals(await lists.countLevels(query, true, NEVER), expected.length);
        assert(await lists.countLevels(query, false, NEVER) >= 0);
      });
      await t.step(
        "levels by sku, in either direction, to the last character and location that there are",
        async () => {
          const isLast = ({ sku = "", locationId }: { sku?: string | undefined; locationId: number }) =>
            sku.startsWith("SKU-\u{10FFFF}") && locationId === INT32_MAX;
          for (const isDescending of [false, true]) {
            const query: LevelQuery = { skuPrefix: "SKU-", deleted: "included", sort: "sku", isDescending };
            const rows = await walk((page) => lists.levels(query, page, NEVER), 1, levelsShape(query).slice(0, -1));
            assertEquals(rows.length, expectedLevels(made, query).length);
            assert(rows.some(isLast));
          }
        },
      );
      await check("movements", FEW_OF_MOVEMENTS, async (query, size) => {
        const rows = await walk((page) => lists.movements(query, page, NEVER), size, movementsShape(query));
        assertEquals(
          rows.map(({ goodsId, locationId, version }) => `${goodsId}@${locationId} ${version}`),
          expectedMovements(made, query),
        );
      });
      await check("orders", ORDER_QUERY, async (query, size) => {
        const rows = await walk((page) => lists.orders(query, page, NEVER), size, ordersShape(query));
        assertEquals(rows.map(({ orderId, state }) => `${orderId} ${state}`), expectedOrders(made, query));
      });
      await t.step("holds whose time is up, and no others", async () => {
        const query: OrderQuery = { states: ["expired"], newestFirst: true };
        const rows = await walk((page) => lists.orders(query, page, NEVER), 2, ordersShape(query));
        assertEquals(rows.map(({ orderId, state }) => `${orderId} ${state}`), expectedOrders(made, query));
        assert(made.orders.some(({ state, expiresAtMs = Infinity }) => state === "held" && expiresAtMs < Date.now()));
      });
    } finally {
      await store.close();
    }
  });
}
