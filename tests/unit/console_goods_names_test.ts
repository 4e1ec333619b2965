/** What the console asks for to know what goods are called, and to find one at one of very many locations. */
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { assert, assertEquals } from "@std/assert";
import { readPlace } from "../../src/console/one_goods/place.ts";
import { namesRequests, readNames } from "../../src/console/parts/goods_names.ts";
import { QueryService } from "../../src/gen/inventory/v1/query_pb.ts";
import { StockService } from "../../src/gen/inventory/v1/stock_pb.ts";

const PAGE_ROWS_MAX = 1000;
const LOCATIONS_MAX = 100;

/** A server that has a shop's goods at these locations, and answers as ListInv does; and what it was asked. */
function shop(goods: number, locations: number, skuOf: (goodsId: number) => string = (id) => `sku-${id}`) {
  const asked: { goodsIds: number[]; locationIds: number[] }[] = [];
  const all = Array.from({ length: goods * locations }, (_, i) => ({
    goodsId: Math.floor(i / locations) + 1,
    locationId: i % locations,
  }));
  const transport = createRouterTransport(({ service }) => {
    service(QueryService, {
      listInv({ goodsIds, locationIds, pageSize }) {
        asked.push({ goodsIds, locationIds });
        const rows = all.filter(({ goodsId, locationId }) =>
          goodsIds.includes(goodsId) && (locationIds.length === 0 || locationIds.includes(locationId))
        );
        const levels = rows.slice(0, pageSize).map((place) => ({ ...place, sku: skuOf(place.goodsId) }));
        return { levels, nextPageToken: rows.length > pageSize ? "more" : "" };
      },
    });
    service(StockService, { getPolicy: () => ({}) });
  });
  return { asked, query: createClient(QueryService, transport), stock: createClient(StockService, transport) };
}

Deno.test("goods of an order are named, at however many locations they are", async () => {
  const { asked, query } = shop(50, 80);
  const places = Array.from({ length: 50 }, (_, i) => ({ goodsId: i + 1, locationId: 79 - i % 2 }));
  const names = await readNames(query, places);
  assertEquals(names, new Map(places.map(({ goodsId }) => [goodsId, `sku-${goodsId}`])));
  assertEquals(asked.length, 1);
});

Deno.test("names that are known are not asked for, and goods without one are in no answer", async () => {
  const { asked, query } = shop(3, 1, (id) => id === 2 ? "" : `sku-${id}`);
  const places = [1, 2, 3].map((goodsId) => ({ goodsId, locationId: 0 }));
  const names = await readNames(query, places, new Map([[1, "mug"]]));
  assertEquals([...names], [[1, "mug"], [3, "sku-3"]]);
  assertEquals(asked, [{ goodsIds: [2, 3], locationIds: [0] }]);
  assertEquals((await readNames(query, places.slice(0, 1), names)).size, 2);
  assertEquals(asked.length, 1);
});

Deno.test("each request for names is answered on one page, and each goods is in one", () => {
  const shapes: (readonly [goods: number, locationOf: (goodsId: number) => number])[] = [
    [2500, () => 0],
    [500, (id) => id],
    [1000, (id) => id % 7],
    [700, (id) => id <= 600 ? 0 : id],
    [0, () => 0],
  ];
  for (const [goods, locationOf] of shapes) {
    // Two lines of one goods are of two locations.
    const places = Array.from({ length: goods }, (_, i) => i + 1).flatMap((goodsId) => [
      { goodsId, locationId: locationOf(goodsId) },
      { goodsId, locationId: locationOf(goodsId) + 1 },
    ]);
    const requests = namesRequests(places);
    for (const { goodsIds, locationIds } of requests) {
      assert(goodsIds.length * locationIds.length <= PAGE_ROWS_MAX && locationIds.length <= LOCATIONS_MAX);
      assertEquals(new Set(locationIds).size, locationIds.length);
      for (const goodsId of goodsIds) assert(locationIds.includes(locationOf(goodsId)));
    }
    const ids = requests.flatMap(({ goodsIds }) => goodsIds);
    assertEquals([ids.length, new Set(ids).size], [goods, goods]);
  }
});

Deno.test("a goods is found at the last of its locations, of which a page has not all", async () => {
  const parts = shop(1, PAGE_ROWS_MAX + 5);
  const { level, everywhere } = await readPlace(parts, 1, PAGE_ROWS_MAX + 4);
  assertEquals([level?.locationId, level?.sku, everywhere.length], [PAGE_ROWS_MAX + 4, "sku-1", PAGE_ROWS_MAX]);
  const known = await readPlace(parts, 1, 7);
  assertEquals([known.level?.locationId, parts.asked.length], [7, 3]);
  assertEquals((await readPlace(parts, 1, PAGE_ROWS_MAX + 5)).level, undefined);
});
