/**
 * QueryService over the in-memory transport, with lists of the test's own: what is asked of them, and what is answered.
 */
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { InvSort, type MovementKind, QueryService, TotalCount } from "../../src/gen/inventory/v1/query_pb.ts";
import { OrderState } from "../../src/gen/inventory/v1/inventory_pb.ts";
import type { Lists } from "../../src/inventory/lists.ts";
import type { LevelQuery, PageOf } from "../../src/inventory/queries.ts";
import type { TurnoverQuery } from "../../src/inventory/stats.ts";
import { ListReads } from "../../src/lanes/list_reads.ts";
import { LanesTallies } from "../../src/lanes/tallies.ts";
import { pageToken } from "../../src/services/page_token.ts";
import { LAST_DAY } from "../../src/services/query/days.ts";
import { queryModule } from "../../src/services/query/service.ts";
import { addServices } from "../../src/services/service_module.ts";
import { StatementTimeoutError } from "../../src/store/errors.ts";

const NOW_US = 1_764_331_200_123_456;

/** A client of the service over these lists, and what they were asked. */
function clientOf(lists: Partial<Lists> = {}) {
  const asked: unknown[] = [];
  const empty: Lists = {
    levels: (
      query,
      page,
    ) => (asked.push({ query, page }), Promise.resolve({ rows: [], next: undefined, atUs: NOW_US })),
    countLevels: (_query, isExact) => Promise.resolve(isExact ? 3 : 1000),
    movements: (query, page) => (asked.push({ query, page }), Promise.resolve({ rows: [], next: undefined })),
    orders: (query, page) => (asked.push({ query, page }), Promise.resolve({ rows: [], next: undefined })),
    turnover: (query, page) => (asked.push({ query, page }), Promise.resolve({ rows: [], more: false })),
    totals: () => Promise.resolve({ places: 1n, onHand: 9n, reserved: 2n, num: 6n, low: 0n, soldOut: 0n }),
    explain: (place, limits) => (asked.push({ place, limits }), Promise.resolve(undefined)),
  };
  const reads = new ListReads({ readsMax: 1, waitingMax: 10, waitingPerAddressMax: 10 });
  const module = queryModule({
    lists: { ...empty, ...lists },
    reads,
    skusOf: () => undefined,
    lanes: { operationsOn: () => 0, tallies: new LanesTallies() },
    nowMs: () => NOW_US / 1000,
  }, { requestBytesMax: 1024 * 1024 });
  const transport = createRouterTransport((router) => addServices(router, [module]));
  return { client: createClient(QueryService, transport), asked };
}

/** The fields that the error names. */
async function fieldsOf(call: Promise<unknown>): Promise<string[]> {
  const error = await assertRejects(() => call, ConnectError);
  assertEquals(error.code, Code.InvalidArgument);
  return error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) =>
    fieldViolations.map(({ field }) => field)
  );
}

Deno.test("without anything a list is its first 100 rows", async () => {
  const { client, asked } = clientOf();
  await client.listInv({});
  await client.listMovements({});
  await client.listOrders({});
  const page = { size: 100, after: undefined };
  assertEquals(asked, [
    { query: { deleted: "excluded", sort: "goods", isDescending: false }, page },
    { query: { newestFirst: true }, page },
    { query: { newestFirst: true }, page },
  ]);
});

Deno.test("every rule that a request breaks is named at once", async () => {
  const { client, asked } = clientOf();
  const future: Timestamp = { ...timestampFromMs(0), seconds: 99_999_999_999n };
  const { nextPageToken: _none, changesToken } = await client.listInv({});
  const ids = Array.from({ length: 101 }, (_, i) => i);
  assertEquals(
    await fieldsOf(client.listInv({
      goodsIds: [1, 0],
      skus: ["", "x".repeat(65)],
      skuPrefix: "a\0",
      locationIds: [...ids, -1],
      changedSince: future,
      changedSinceToken: changesToken,
      sort: InvSort.GOODS,
      total: 9 as TotalCount,
      pageSize: -1,
      pageToken: "none",
    })),
    [
      ...["goods_ids[1]", "location_ids[101]", "skus[0]", "skus[1]", "sku_prefix", "location_ids", "changed_since"],
      ...["changed_since_token", "sort", "sort", "total", "page_size", "page_token"],
    ],
  );
  assertEquals(
    await fieldsOf(client.listMovements({
      ...{
        goodsId: -1,
        locationId: -1,
        orderId: "a b",
        kinds: [99 as MovementKind],
        buyerId: "é",
        actor: "x".repeat(300),
      },
      ...{ since: future, pageSize: 1001, pageToken: changesToken },
    })),
    [
      ...["goods_id", "location_id", "order_id", "kinds[0]", "buyer_id", "actor", "since", "page_size", "page_token"],
    ],
  );
  assertEquals(
    await fieldsOf(client.listOrders({ locationId: 1, states: [OrderState.HELD, 77 as OrderState] })),
    ["location_id", "states[1]"],
  );
  assertEquals(
    await fieldsOf(client.explainInv({ goodsId: 0, locationId: -1, movementsMax: 101, holdsMax: -1 })),
    ["goods_id", "location_id", "movements_max", "holds_max"],
  );
  assertEquals(
    await fieldsOf(client.getStats({
      ...{ goodsIds: [0], locationIds: [-1], firstDay: "2026-02-29", lastDay: "yesterday", timeZone: "Mars/Olympus" },
      ...{ pageSize: 1001, pageToken: changesToken },
    })),
    ["goods_ids[0]", "location_ids[0]", "time_zone", "last_day", "first_day", "page_size", "page_token"],
  );
  assertEquals(await fieldsOf(client.getStats({ firstDay: "2026-03-02", lastDay: "2026-03-01" })), ["first_day"]);
  assertEquals(await fieldsOf(client.getStats({ firstDay: "2025-03-01", lastDay: "2026-03-02" })), ["first_day"]);
  assertEquals(await fieldsOf(client.getStats({ lastDay: "1969-12-31" })), ["last_day"]);
  assertEquals(await fieldsOf(client.listInv({ sort: InvSort.CHANGE })), ["sort"]);
  assertEquals(await fieldsOf(client.listInv({ changedSinceToken: changesToken, descending: true })), ["descending"]);
  assertEquals(asked.length, 1, "nothing was read for any of them");
});

Deno.test("one walk has one changes token, whose moment is looked back from by the overlap", async () => {
  const found: { query: LevelQuery; page: PageOf<readonly (string | number)[]> }[] = [];
  const { client } = clientOf({
    levels(query, page) {
      found.push({ query, page });
      const next = found.length === 1 ? [7, 0] : undefined;
      return Promise.resolve({ rows: [], next, atUs: NOW_US + found.length });
    },
  });
  const first = await client.listInv({ goodsIds: [9, 7, 7] });
  const second = await client.listInv({ goodsIds: [7, 9], pageToken: first.nextPageToken });
  assertEquals(second.changesToken, first.changesToken);
  assertEquals(second.nextPageToken, "");
  assertEquals(found[1], { query: { ...found[0]!.query, goodsIds: [7, 9] }, page: { size: 100, after: [7, 0] } });
  await client.listInv({ changedSinceToken: first.changesToken });
  assertEquals(found[2]!.query.changedSinceUs, NOW_US + 1 - 30_000_000);
  assertEquals(found[2]!.query.sort, "change");
});

Deno.test("a total is counted, or says that it is an estimate", async () => {
  const { client } = clientOf();
  const totalOf = async (total: TotalCount, { client }: ReturnType<typeof clientOf>) => {
    const answer = await client.listInv({ total });
    return [answer.total, answer.totalIsEstimate];
  };
  assertEquals(await totalOf(TotalCount.UNSPECIFIED, { client, asked: [] }), [undefined, false]);
  assertEquals(await totalOf(TotalCount.EXACT, { client, asked: [] }), [3n, false]);
  assertEquals(await totalOf(TotalCount.ESTIMATE, { client, asked: [] }), [1000n, true]);
  const slow = clientOf({
    countLevels: (_query, isExact) =>
      isExact ? Promise.reject(new StatementTimeoutError("57014")) : Promise.resolve(1000),
  });
  assertEquals(await totalOf(TotalCount.EXACT, slow), [1000n, true]);
});

Deno.test("a page that takes too long is an error that says so, and not to be sent again as it is", async () => {
  const { client } = clientOf({ movements: () => Promise.reject(new StatementTimeoutError("57014")) });
  const error = await assertRejects(() => client.listMovements({}), ConnectError);
  assertEquals(error.code, Code.ResourceExhausted);
  assertMatch(error.rawMessage, /narrower filters/);
  assertEquals(error.findDetails(ErrorInfoSchema).map(({ reason }) => reason), ["QUERY_TOO_LONG"]);
  assertEquals(error.details.length, 1, "no RetryInfo");
});

Deno.test("an explanation is of a goods that was set once, and lists twenty movements and holds", async () => {
  const { client, asked } = clientOf();
  const error = await assertRejects(() => client.explainInv({ goodsId: 7, locationId: 2 }), ConnectError);
  assertEquals(error.code, Code.NotFound);
  assertEquals(error.findDetails(ErrorInfoSchema).map(({ reason }) => reason), ["UNKNOWN_GOODS"]);
  assertEquals(asked, [{ place: { goodsId: 7, locationId: 2 }, limits: { movements: 20, holds: 20 } }]);
});

Deno.test("without anything stats are of the last 30 days in UTC, from today on, a week a page", async () => {
  const { client, asked } = clientOf();
  const pages: { days: string[]; isFirst: boolean }[] = [];
  let pageToken = "";
  do {
    const { nextPageToken, totals } = await client.getStats({ pageToken });
    const { query } = asked.at(-1) as { query: TurnoverQuery };
    const days = query.startsUs.map((us) => new Date(us / 1000).toISOString());
    pages.push({ days: days.map((day) => day.replace("T00:00:00.000Z", "")), isFirst: totals !== undefined });
    pageToken = nextPageToken;
  } while (pageToken !== "");
  assertEquals(pages.map(({ days, isFirst }) => [days[0], days.at(-1), days.length, isFirst]), [
    ["2025-11-22", "2025-11-29", 8, true],
    ["2025-11-15", "2025-11-22", 8, false],
    ["2025-11-08", "2025-11-15", 8, false],
    ["2025-11-01", "2025-11-08", 8, false],
    ["2025-10-30", "2025-11-01", 3, false],
  ]);
  const { nextPageToken } = await client.getStats({ lastDay: "2025-11-28" });
  const other = await fieldsOf(client.getStats({ lastDay: "2025-11-28", daysOnly: true, pageToken: nextPageToken }));
  assertEquals(other, ["page_token"], "of another query");
});

Deno.test("a made-up token of stats is refused where its days or its goods are none", async () => {
  const { client, asked } = clientOf();
  const query = { firstDay: "", lastDay: "", timeZone: "", daysOnly: false };
  const call = (...key: number[]) => client.getStats({ pageToken: pageToken({ name: "GetStats", query }, key) });
  await call(20_000, 20_001, 20_001, 7);
  const wrong = [
    [20_001, 20_000, 20_000, 7],
    [20_000, 20_001, 20_002, 7],
    [20_000, 20_001, 20_000, 2 ** 31 - 1],
    [19_000, 20_001, 20_001, 7],
    [20_000, 20_001, 20_001, 2 ** 31],
    [LAST_DAY, LAST_DAY + 1, LAST_DAY + 1, 7],
    [2 ** 52, 2 ** 52 + 1, 2 ** 52 + 1, 7],
  ];
  for (const key of wrong) assertEquals(await fieldsOf(call(...key)), ["page_token"], `${key}`);
  assertEquals(asked.length, 1, "nothing was read for any of them");
});

Deno.test("what can't be added up in time is an estimate of how many places there are", async () => {
  const { client } = clientOf({ totals: () => Promise.reject(new StatementTimeoutError("57014")) });
  const { totals } = await client.getStats({});
  assertEquals([totals?.places, totals?.isEstimate, totals?.onHand], [1000n, true, 0n]);
  const days: number[] = [];
  const many = clientOf({
    turnover({ startsUs }) {
      days.push(startsUs.length - 1);
      if (startsUs.length > 2) return Promise.reject(new StatementTimeoutError("57014"));
      const sums = { sold: 1n, givenBack: 0n, added: 0n, removed: 0n, movements: 1n };
      return Promise.resolve({ rows: [{ day: 0, goodsId: 7, ...sums }], more: false });
    },
  });
  const first = await many.client.getStats({ lastDay: "2025-11-28" });
  const second = await many.client.getStats({ lastDay: "2025-11-28", pageToken: first.nextPageToken });
  assertEquals(days, [7, 1, 7, 1]);
  assertEquals([first, second].map(({ turnover }) => turnover[0]?.day), ["2025-11-28", "2025-11-27"]);
  const slow = clientOf({ turnover: () => Promise.reject(new StatementTimeoutError("57014")) });
  const error = await assertRejects(() => slow.client.getStats({}), ConnectError);
  assertEquals(error.findDetails(ErrorInfoSchema).map(({ reason }) => reason), ["QUERY_TOO_LONG"]);
});
