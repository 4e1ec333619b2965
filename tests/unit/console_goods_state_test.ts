/** The goods page's list as its URL says it: its state, the requests that ask for it, and the rows that fit it. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fits } from "../../src/console/goods/fits.ts";
import { comesSorted, listRequests } from "../../src/console/goods/list_requests.ts";
import {
  DELETED,
  isFiltered,
  listParams,
  listsTheSame,
  MODES,
  readListState,
  SORTS,
} from "../../src/console/goods/list_state.ts";
import { InvSort } from "../../src/gen/inventory/v1/query_pb.ts";
import { consoleRow as row } from "../support/console_row.ts";

const USUAL = readListState(new URLSearchParams());

Deno.test("a state of the list is the same after it was in a URL, whatever is in it", () => {
  const states = fc.record({
    search: fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.trim()),
    isLow: fc.boolean(),
    isSoldOut: fc.boolean(),
    hasHolds: fc.boolean(),
    since: fc.constantFrom(undefined, "30m", "1h", "7d", "999d"),
    locationIds: fc.uniqueArray(fc.nat(2_147_483_647), { maxLength: 5 }).map((ids) => ids.sort((a, b) => a - b)),
    deleted: fc.constantFrom(...DELETED),
    sort: fc.constantFrom(...SORTS),
    isDescending: fc.boolean(),
    mode: fc.constantFrom(...MODES),
  });
  fc.assert(fc.property(states, (state) => {
    const params = new URLSearchParams(listParams(state).toString());
    assertEquals(readListState(params), state);
  }));
  assertEquals(listParams(USUAL).toString(), "", "what is as usual makes no URL longer");
  assert(!isFiltered(USUAL));
  assert(listsTheSame(USUAL, { ...USUAL, mode: "count" }));
  assert(!listsTheSame(USUAL, { ...USUAL, isLow: true }));
});

Deno.test("a URL that says nonsense shows the usual list", () => {
  const params = new URLSearchParams("since=-3h&sort=colour&deleted=maybe&mode=fly&at=x.99999999999.-1");
  assertEquals(readListState(params), USUAL);
  assertEquals(readListState(new URLSearchParams("at=7, 3;3 12")).locationIds, [3, 7, 12]);
});

Deno.test("every state of the list is asked for by requests that ListInv takes", () => {
  const of = (query: string) => listRequests(readListState(new URLSearchParams(query)), 1_000_000_000);
  assertEquals(of("").map(({ sort }) => sort), [InvSort.GOODS]);
  assertEquals(of("sort=-goods")[0]!.descending, true);
  // Goods without a SKU are in no list by SKU.
  assertEquals(of("sort=sku").map(({ sort }) => sort), [InvSort.SKU, InvSort.GOODS]);
  assertEquals(of("sort=sku&low").map(({ sort, low }) => [sort, low]), [[InvSort.GOODS, true]]);
  assertEquals(of("q=TEA")[0]!.skuPrefix, "TEA");
  // The server sorts by SKU where there is a prefix, and by change where there is a time, and takes no other.
  assertEquals(of("q=TEA&sort=-goods").map(({ sort, descending }) => [sort, descending]), [[undefined, false]]);
  assertEquals(of("q=TEA&since=1h&sort=-sku").map(({ sort, descending }) => [sort, descending]), [[undefined, false]]);
  assertEquals(of("q=42").map(({ goodsIds, skuPrefix }) => [goodsIds, skuPrefix]), [[[42], undefined], [
    undefined,
    "42",
  ]]);
  assertEquals(of("q=99999999999").length, 1, "no goods id is as large");
  assertEquals(of("since=1h")[0]!.changedSince?.seconds, 996_400n);
  assert(comesSorted(readListState(new URLSearchParams("sort=-sku"))));
  assert(!comesSorted(readListState(new URLSearchParams("sort=available"))));
  assert(!comesSorted(readListState(new URLSearchParams("since=1h"))));
});

Deno.test("a row fits by what its filters say", () => {
  const state = readListState(new URLSearchParams("q=TEA&low&holds&at=2"));
  const fitting = row(1, { sku: "TEA-1", isLow: true, reserved: 1, locationId: 2 });
  assert(fits(fitting, state));
  assert(!fits({ ...fitting, reserved: 0 }, state));
  assert(!fits({ ...fitting, isLow: false }, state));
  assert(!fits({ ...fitting, locationId: 0 }, state));
  assert(!fits({ ...fitting, sku: "COFFEE" }, state));
  assert(!fits({ ...fitting, deletedAtMs: 5 }, state));
  assert(fits(row(42), readListState(new URLSearchParams("q=42"))));
});
