/**
 * Stats against sums over the same rows that share no code with them: whatever days, zone, goods and size of pages, a
 * walk finds the turnover of each day and goods once; and totals are what levels come to.
 */
import { assert, assertEquals } from "@std/assert";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import fc from "fast-check";
import { QueryService } from "../../src/gen/inventory/v1/query_pb.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import type { OperationKind } from "../../src/inventory/model.ts";
import { ListReads } from "../../src/lanes/list_reads.ts";
import { LanesTallies } from "../../src/lanes/tallies.ts";
import { queryModule } from "../../src/services/query/service.ts";
import { addServices } from "../../src/services/service_module.ts";
import { createStore } from "../../src/store/store.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { insertShop, type MadeLevel, madeShop } from "../support/made_shop.ts";
import { TEST_LIMITS } from "../support/pool_probe.ts";
import { seededRandom } from "../support/rude_http2.ts";

const SEED = 3;
const RUNS = 25;
const PAGES_MAX = 2000;
const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2026, 1, 20);
const DAYS = 40;
const KINDS: readonly OperationKind[] = [
  ...["set", "sell", "sell", "sell", "rollback", "give_back"] as const,
  ...["reserve", "confirm", "adjust", "count", "transfer"] as const,
];
const ZONES = ["", "Asia/Shanghai", "America/New_York", "Pacific/Chatham", "Europe/Berlin"];

interface Moved {
  readonly goodsId: number;
  readonly locationId: number;
  readonly version: number;
  readonly kind: OperationKind;
  readonly delta: number;
  readonly atMs: number;
}

/** Some at any time, and some just before or at midnight of one of the zones. */
function movementsOf(levels: readonly MadeLevel[], random: () => number): Moved[] {
  const pick = (n: number) => Math.floor(random() * n);
  return levels.flatMap(({ goodsId, locationId }) =>
    Array.from({ length: 1 + pick(20) }, () => {
      const atMs = FIRST_MS + pick(DAYS) * DAY_MS;
      return random() < 0.5 ? atMs + pick(DAY_MS) : atMs + pick(96) * 900_000 - pick(2);
    }).sort((a, b) => a - b).map((atMs, i): Moved => {
      const kind = i === 0 ? "set" : KINDS[pick(KINDS.length)]!;
      const num = pick(9);
      const isLess = kind === "sell" || kind === "confirm" ||
        (kind !== "rollback" && kind !== "give_back" && pick(2) === 1);
      return { goodsId, locationId, version: i + 1, kind, delta: kind === "reserve" ? 0 : isLess ? -num : num, atMs };
    })
  );
}

interface Query {
  readonly zone: string;
  readonly first: number;
  readonly length: number;
  readonly goodsIds: number[];
  readonly locationIds: number[];
  readonly daysOnly: boolean;
  readonly pageSize: number;
}

const QUERY: fc.Arbitrary<Query> = fc.record({
  zone: fc.constantFrom(...ZONES),
  first: fc.integer({ min: -3, max: DAYS }),
  length: fc.constantFrom(1, 2, 7, 8, 20, 32, 64),
  goodsIds: fc.oneof(fc.constant<number[]>([]), fc.subarray([1, 2, 3, 11, 24, 99], { minLength: 1 })),
  locationIds: fc.oneof(fc.constant<number[]>([]), fc.subarray([0, 1, 7], { minLength: 1 })),
  daysOnly: fc.boolean(),
  pageSize: fc.constantFrom(5, 30, 1000),
});

const dayText = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Rows as the answer has them, added up one movement after the other. */
function expected(movements: readonly Moved[], query: Query): string[] {
  const days = [query.first, query.first + query.length - 1].map((day) => dayText(FIRST_MS + day * DAY_MS));
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: query.zone === "" ? "UTC" : query.zone });
  const rows = new Map<string, number[]>();
  for (const { goodsId, locationId, kind, delta, atMs } of movements) {
    const day = format.format(atMs);
    if (day < days[0]! || day > days[1]!) continue;
    if (query.goodsIds.length > 0 && !query.goodsIds.includes(goodsId)) continue;
    if (query.locationIds.length > 0 && !query.locationIds.includes(locationId)) continue;
    const key = JSON.stringify([day, query.daysOnly ? 0 : goodsId]);
    const row = rows.get(key) ?? [0, 0, 0, 0, 0];
    rows.set(key, row);
    const column = kind === "sell" || kind === "confirm"
      ? 0
      : kind === "rollback" || kind === "give_back"
      ? 1
      : delta > 0
      ? 2
      : 3;
    row[column]! += Math.abs(delta);
    row[4]!++;
  }
  return [...rows].map(([key, row]) => [...JSON.parse(key), ...row] as [string, number, ...number[]])
    .sort(([dayA, goodsA], [dayB, goodsB]) => dayA === dayB ? goodsA - goodsB : dayA < dayB ? 1 : -1)
    .map((row) => JSON.stringify(row));
}

Deno.test("stats are the sums of what is there", async (t) => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const made = madeShop(seededRandom(SEED));
  const movements = movementsOf(made.levels, seededRandom(SEED + 1));
  await insertShop(owner.sql, made);
  await owner.sql`truncate movements`;
  await owner.sql`insert into movements ${
    owner.sql(movements.map(({ goodsId, locationId, version, kind, delta, atMs }) => ({
      ...{ goods_id: goodsId, location_id: locationId, version, kind, order_id: "o", on_hand_delta: delta },
      ...{ reserved_delta: 0, on_hand_after: 0, reserved_after: 0, at: new Date(atMs) },
    })))
  }`;
  await owner.sql`
    update levels set version = (select max(version) from movements
                                  where goods_id = levels.goods_id and location_id = levels.location_id)`;
  const store = createStore({
    ...TEST_LIMITS,
    connectTimeoutMs: 10_000,
    max: 2,
    address: parsePostgresAddress(database.serverUrl),
  });
  const tallies = new LanesTallies();
  tallies.reasons.add("short_stock", 3);
  const module = queryModule({
    lists: store.lists,
    reads: new ListReads({ readsMax: 1, waitingMax: 10, waitingPerAddressMax: 10 }),
    skusOf: () => undefined,
    lanes: { operationsOn: () => 0, tallies },
    nowMs: () => FIRST_MS,
  }, { requestBytesMax: 1024 * 1024 });
  const client = createClient(QueryService, createRouterTransport((router) => addServices(router, [module])));
  try {
    await t.step("turnover by day and goods, page by page", () =>
      fc.assert(
        fc.asyncProperty(QUERY, async (query) => {
          const { zone: timeZone, first, length, goodsIds, locationIds, daysOnly, pageSize } = query;
          const request = {
            ...{ timeZone, goodsIds, locationIds, daysOnly, pageSize },
            firstDay: dayText(FIRST_MS + first * DAY_MS),
            lastDay: dayText(FIRST_MS + (first + length - 1) * DAY_MS),
          };
          const rows: string[] = [];
          let pageToken = "";
          let pages = 0;
          do {
            const page = await client.getStats({ ...request, pageToken });
            assert(page.turnover.length <= pageSize);
            assertEquals([page.totals !== undefined, page.refusals.length], pages === 0 ? [true, 1] : [false, 0]);
            rows.push(...page.turnover.map(({ day, goodsId, sold, givenBack, added, removed, movements }) =>
              JSON.stringify([day, goodsId, ...[sold, givenBack, added, removed, movements].map(Number)])
            ));
            pageToken = page.nextPageToken;
            assert(++pages < PAGES_MAX);
          } while (pageToken !== "");
          assertEquals(rows, expected(movements, query));
        }),
        { numRuns: RUNS, seed: SEED },
      ));
    await t.step("totals", async () => {
      const some = { goodsIds: [1, 2, 3], locationIds: [0, 7] };
      for (const { goodsIds, locationIds } of [{ goodsIds: [], locationIds: [] }, some]) {
        const { totals, refusals } = await client.getStats({ goodsIds, locationIds });
        const levels = made.levels.filter(({ goodsId, locationId, isDeleted }) =>
          !isDeleted && (goodsIds.length === 0 || (goodsIds as number[]).includes(goodsId)) &&
          (locationIds.length === 0 || (locationIds as number[]).includes(locationId))
        );
        const available = ({ onHand, live, safetyStock }: MadeLevel) => onHand - live - safetyStock;
        const sum = (of: (level: MadeLevel) => number) => levels.reduce((all, level) => all + of(level), 0);
        const { places, onHand, reserved, num, low, soldOut, isEstimate } = totals!;
        assertEquals([places, onHand, reserved, num, low, soldOut].map(Number), [
          levels.length,
          sum(({ onHand }) => onHand),
          sum(({ live }) => live),
          sum(available),
          levels.filter((level) => level.low?.isLow === true && available(level) < level.low.until).length,
          levels.filter((level) => available(level) + level.backorderMax <= 0).length,
        ]);
        assertEquals(isEstimate, false);
        assertEquals(refusals.map(({ reason, count }) => [reason, Number(count)]), [["short_stock", 3]]);
      }
    });
  } finally {
    await store.close();
  }
});
