/** The goods page's list: its rows as pages and changes come. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { InvSort } from "../../src/gen/inventory/v1/query_pb.ts";
import { FrameTurns } from "../../src/console/goods/frame_turns.ts";
import { GoodsList, type ListCalls } from "../../src/console/goods/goods_list.ts";
import type { ListRequest } from "../../src/console/goods/list_requests.ts";
import { readListState, type SORTS } from "../../src/console/goods/list_state.ts";
import { keyOf, type Row, type RowKey, safetyOf } from "../../src/console/goods/row.ts";
import { sortedSlots } from "../../src/console/goods/row_order.ts";
import { RowStore } from "../../src/console/goods/row_store.ts";
import { consoleRow as row } from "../support/console_row.ts";

const TURNS_MAX = 2000;
const USUAL = readListState(new URLSearchParams());

Deno.test("of whatever comes, the newest version of a place stays, and a change during a page is not lost", () => {
  // What happens to three places, each seen by pages and changes that come in any turn.
  const step = fc.oneof(
    fc.record({ do: fc.constant("write" as const), goodsId: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant("ask" as const) }),
    fc.record({ do: fc.constant("answer" as const) }),
    fc.record({ do: fc.constant("deliver" as const) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const store = new RowStore();
    const table = new Map<number, Row>([1, 2, 3].map((id) => [id, row(id)]));
    const stream: Row[] = [];
    let page: Row[] | undefined;
    const deliver = () => stream.splice(0).forEach((one) => void store.merge(one));
    for (const one of steps) {
      if (one.do === "write") {
        const next = row(one.goodsId, { version: table.get(one.goodsId)!.version + 1 });
        table.set(one.goodsId, next);
        stream.push(next);
      } else if (one.do === "ask" && page === undefined) {
        store.expectPage();
        page = [...table.values()];
      } else if (one.do === "answer" && page !== undefined) {
        assert(store.takePage(page));
        page = undefined;
      } else if (one.do === "deliver") deliver();
    }
    if (page !== undefined) store.takePage(page);
    deliver();
    for (const [id, { version }] of table) {
      const slot = store.slotOf(id);
      if (slot !== undefined) assertEquals(store.at(slot)!.version, version, `goods ${id}`);
    }
  }));
});

Deno.test("a store keeps so many rows and no more, and reads a page again rather than miss a change of it", () => {
  const store = new RowStore(2, 1);
  store.expectPage();
  store.merge(row(8, { version: 2 }));
  store.merge(row(8, { version: 3 }));
  store.merge(row(9, { version: 2 }));
  assert(!store.takePage([row(8), row(9)]));
  assertEquals(store.count, 0);
  store.expectPage();
  assert(store.takePage([row(8), row(9), row(10)]));
  assertEquals([store.count, store.isFull, store.slotOf(10)], [2, true, undefined]);
  assertEquals(store.merge(row(8)), "older");
  assertEquals(store.merge(row(8, { version: 2, num: 1 })), "changed");
  assertEquals(store.merge(row(10)), "unknown");
});

Deno.test("rows are sorted by any column in both directions, equal ones as they came", () => {
  const rows = [
    row(3, { num: -5, onHand: 7, reserved: 2, sku: "b", updatedAtMs: 1_700_000_002_000 }),
    row(1, { num: 2_147_483_647, onHand: 2_147_483_647, sku: "", updatedAtMs: 1_700_000_001_000 }),
    row(2, { num: 0, onHand: 7, reserved: 0, sku: "a", updatedAtMs: 1_700_000_003_000 }),
  ];
  const store = new RowStore();
  store.expectPage();
  store.takePage(rows);
  const ids = (sort: (typeof SORTS)[number], descending = false) =>
    [...sortedSlots(store, sort, descending)].map((slot) => store.at(slot)!.goodsId);
  assertEquals(ids("goods"), [1, 2, 3]);
  assertEquals(ids("available"), [3, 2, 1]);
  assertEquals(ids("available", true), [1, 2, 3]);
  assertEquals(ids("on_hand"), [3, 2, 1]);
  assertEquals(ids("on_hand", true), [1, 3, 2]);
  assertEquals(ids("reserved", true), [3, 1, 2]);
  assertEquals(ids("safety", true).at(0), 3);
  assertEquals(ids("changed", true), [2, 3, 1]);
  assertEquals(ids("sku"), [2, 3, 1]);
  assertEquals(ids("sku", true), [3, 2, 1]);
  assertEquals(safetyOf(rows[0]!), 10);
});

/** A server with so many goods, whose pages are answered at once. */
function calls(count: number, asked: ListRequest[] = []): ListCalls & { sizes: number[]; failures: number } {
  const server = {
    sizes: [] as number[],
    failures: 0,
    page(request: ListRequest, { size, token }: { size: number; token: string }) {
      asked.push(request);
      if (server.failures > 0) return Promise.reject(new Error(`failure ${server.failures--}`));
      server.sizes.push(size);
      const from = Number(token);
      const rows = Array.from({ length: Math.min(size, count - from) }, (_, i) => row(from + i + 1));
      return Promise.resolve({ rows, nextPageToken: from + size < count ? String(from + size) : "" });
    },
    count: () => Promise.resolve({ count, isEstimate: false }),
    wait: () => Promise.resolve(),
    mayRetry: (error: unknown) => error instanceof Error && error.message.startsWith("failure"),
  };
  return server;
}

/** Ends when the condition is true; looks at it after every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition() && turns < TURNS_MAX; turns++) await new Promise((resolve) => setTimeout(resolve));
  assert(condition(), `not within ${TURNS_MAX} turns of the event loop`);
}

Deno.test("a list is read as far as somebody looks, and has room for the rest", async () => {
  const server = calls(20_000);
  const list = new GoodsList(USUAL, 0, server, () => {});
  await until(() => list.store.count === 2100);
  assertEquals([list.status, list.count, list.total?.count], ["partly", 20_000, 20_000]);
  assertEquals([list.at(0)?.goodsId, list.at(15_000)], [1, undefined]);
  list.want(15_000);
  await until(() => list.at(15_000) !== undefined);
  assertEquals(server.sizes.slice(0, 5), [100, 500, 500, 500, 500]);
  assert(server.sizes.includes(1000));
  list.want(20_000);
  await until(() => list.status === "whole");
  assertEquals([list.count, list.total?.count], [20_000, 20_000]);
  list.close();
});

Deno.test("a list that can't come sorted is read whole and sorted, and says when its order is an older one", async () => {
  const list = new GoodsList({ ...USUAL, sort: "available", isDescending: true }, 0, calls(3000), () => {});
  await until(() => list.status === "whole");
  assertEquals([list.count, list.at(0)?.goodsId], [3000, 1]);
  list.apply([row(9, { onHand: 7, reserved: 2, version: 2 })]);
  assert(!list.isMoved, "it is not sorted by what changed");
  assertEquals(list.apply([row(7, { num: 1000, version: 2 }), row(7, { num: 3, version: 1 })]), [7]);
  assertEquals([list.at(6)?.num, list.isMoved], [1000, true]);
});

Deno.test("places that are new are counted once the list's end is known, and not before", async () => {
  const list = new GoodsList({ ...USUAL, isLow: true }, 0, calls(10_000), () => {});
  await until(() => list.status === "partly");
  list.apply([row(50_000, { isLow: true })]);
  assertEquals(list.newcomers, 0);
  list.want(10_000);
  await until(() => list.status === "whole");
  list.apply([row(50_000, { isLow: true, version: 2 }), row(50_001)]);
  assertEquals(list.newcomers, 1);
  list.apply([row(50_000, { version: 3 })]);
  assertEquals(list.newcomers, 0, "it fits no more");
});

Deno.test("a page that fails is asked for again, and one that is refused ends the list with the reason", async () => {
  const server = calls(50);
  server.failures = 3;
  const list = new GoodsList(USUAL, 0, server, () => {});
  await until(() => list.status === "whole");
  assertEquals([list.count, list.error], [50, undefined]);
  const refused = { ...calls(50), page: () => Promise.reject(new Error("no right")) };
  const other = new GoodsList(USUAL, 0, refused, () => {});
  await until(() => other.status === "failed");
  assertEquals((other.error as Error).message, "no right");
});

Deno.test("a number finds the goods of that id and the SKUs that begin with it, each once", async () => {
  const found = {
    ...calls(1),
    page: ({ goodsIds }: ListRequest) => {
      const rows = goodsIds === undefined ? [row(7, { sku: "42-A" })] : [row(42)];
      return Promise.resolve({ rows, nextPageToken: "" });
    },
  };
  const list = new GoodsList({ ...USUAL, search: "42" }, 0, found, () => {});
  await until(() => list.status === "whole");
  assertEquals([list.at(0)?.goodsId, list.at(1)?.goodsId], [7, 42]);
});

Deno.test("by SKU, goods without one are looked for only where there are some", async () => {
  const asked: ListRequest[] = [];
  const list = new GoodsList({ ...USUAL, sort: "sku" }, 0, calls(50, asked), () => {});
  await until(() => list.status === "whole");
  assertEquals(asked.map(({ sort }) => sort), [InvSort.SKU]);
});

Deno.test("changes between two frames are taken together, of each place the newest", () => {
  const frames: (() => void)[] = [];
  const taken: [RowKey, Row][][] = [];
  const turns = new FrameTurns<RowKey, Row>(
    (run) => {
      frames.push(run);
      return () => {};
    },
    (item, than) => item.version > than.version,
    (items) => taken.push([...items]),
  );
  for (const version of [2, 4, 3]) turns.add(1, row(1, { version }));
  turns.add(2, row(2));
  assertEquals(frames.length, 1, "one frame was asked for");
  frames[0]!();
  assertEquals(taken.map((items) => items.map(([key, { version }]) => [key, version])), [[[1, 4], [2, 1]]]);
  // Nobody draws a page that nobody sees.
  for (let id = 1; id <= 10_000; id++) turns.add(keyOf(row(id)), row(id));
  assertEquals(taken[1]!.length, 10_000);
  turns.add(3, row(3));
  turns.stop();
  assertEquals(taken.length, 2);
});
