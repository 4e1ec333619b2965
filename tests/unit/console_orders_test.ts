/** What the pages of one goods and of orders keep in their addresses, and what can be done to an order. */
import { assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { goodsAddress, type GoodsView, KINDS, readGoodsView } from "../../src/console/one_goods/goods_url.ts";
import { ZOOMS } from "../../src/console/one_goods/level_over_time.ts";
import { EMPTY_LINE, readLines } from "../../src/console/orders/lines_draft.ts";
import { ACTIONS, effectsOf, stateAt } from "../../src/console/orders/order_actions.ts";
import { areOfOrder, areOfOrders } from "../../src/console/orders/order_changes.ts";
import {
  orderAddress,
  ordersAddress,
  type OrdersView,
  readOrdersView,
  STATES,
} from "../../src/console/orders/orders_url.ts";
import { OrderSchema } from "../../src/gen/inventory/v1/holds_pb.ts";
import { OrderState } from "../../src/gen/inventory/v1/inventory_pb.ts";

const day = fc.constantFrom("2026-01-31", "2024-02-29");
const days = fc.record({ since: day, until: day }, { requiredKeys: [] });
const text = fc.string({ unit: "binary" }).map((text) => text.toWellFormed());

Deno.test("a view is in its address, whole, and is read from it again", () => {
  const goods: fc.Arbitrary<GoodsView> = fc.record({
    goodsId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    locationId: fc.nat(2 ** 31 - 1),
    zoom: fc.constantFrom(...ZOOMS),
    filter: fc.tuple(fc.record({ actor: text, reason: text, kinds: fc.subarray([...KINDS]) }), days)
      .map(([filter, days]) => ({ ...filter, ...days })),
  });
  fc.assert(fc.property(goods, (view) => {
    const url = new URL(goodsAddress(view), "http://localhost");
    assertEquals(readGoodsView(url.pathname.split("/").at(-1)!, url.searchParams), view);
  }));
  const orders: fc.Arbitrary<OrdersView> = fc.tuple(
    fc.record({
      list: fc.constantFrom("orders" as const, "shortfalls" as const),
      buyer: text,
      goods: text,
      states: fc.subarray([...STATES]),
    }),
    days,
  ).map(([view, days]) => ({ ...view, ...days }));
  fc.assert(fc.property(orders, (view) => {
    assertEquals(readOrdersView(new URL(ordersAddress(view), "http://localhost").searchParams), view);
  }));
  assertEquals(orderAddress("shop:1"), "/orders/shop%3A1");
});

Deno.test("what an address says wrongly is left out, and an id of no goods is none", () => {
  const query = new URLSearchParams("location=-1&zoom=year&kind=sell,nonsense,sell&since=2026-02-30&state=sold,x");
  assertEquals(readGoodsView("5", query), {
    ...{ goodsId: 5, locationId: 0, zoom: "week" },
    filter: { actor: "", reason: "", kinds: [2] },
  });
  assertEquals(["0", "x", "2147483648", ""].map((id) => readGoodsView(id, query)), Array(4).fill(undefined));
  assertEquals(readOrdersView(query).states, [OrderState.SOLD]);
});

Deno.test("an order moves by its state and by time what the page says that it would", () => {
  const order = create(OrderSchema, {
    orderId: "o",
    state: OrderState.HELD,
    lines: [{ goodsId: 1, num: 3, held: 3 }],
    expiresAt: timestampFromMs(1000),
  });
  const [line] = order.lines;
  assertEquals([stateAt(order, 999), stateAt(order, 1000)], [OrderState.HELD, OrderState.EXPIRED]);
  const effect = (action: Parameters<typeof effectsOf>[0], state: OrderState, num?: number) => {
    const [{ onHand, reserved, available }] = effectsOf(
      action,
      order,
      state,
      num === undefined ? undefined : new Map([[line!, num]]),
    ) as [ReturnType<typeof effectsOf>[0]];
    return [onHand, reserved, available];
  };
  assertEquals(effect("confirm", OrderState.HELD), [-3, -3, 0]);
  assertEquals(effect("confirm", OrderState.HELD, 1), [-1, -3, 2]);
  assertEquals(effect("confirm", OrderState.EXPIRED), [-3, 0, -3]);
  assertEquals(effect("release", OrderState.HELD), [0, -3, 3]);
  assertEquals(effect("release", OrderState.EXPIRED), [0, 0, 0]);
  line!.returned = 1;
  assertEquals(effect("rollback", OrderState.SOLD), [2, 0, 2]);
  assertEquals(STATES.filter((state) => ACTIONS[state].length === 0), [
    ...[OrderState.RELEASED, OrderState.ROLLED_BACK, OrderState.BARRED],
  ]);
});

Deno.test("lines are asked for by id or by sku; what is wrong is said of its own field", () => {
  const typed = (goods: string, num = "2", location = "0") => ({ goods, num, location });
  assertEquals(readLines([typed("7"), typed("mug", "3", "4"), EMPTY_LINE]), {
    value: [{ goodsId: 7, num: 2, locationId: 0 }, { sku: "mug", num: 3, locationId: 4 }],
    problems: [{}, {}, {}],
  });
  assertEquals(readLines([EMPTY_LINE]), { problem: "no_lines", problems: [{}] });
  // So many of what? A line that is left out unasked is a line that is not sold.
  for (const lost of [typed("", "5"), typed(" ", "1", "3")]) {
    assertEquals(readLines([typed("7"), lost]).problems, [{}, { goods: { problem: "empty" } }]);
  }
  const { problems } = readLines([typed("7", "0"), typed("8", "1", "x")]);
  assertEquals(problems.map((line) => Object.keys(line)), [["num"], ["location"]]);
});

Deno.test("orders are read anew for a change of theirs, and for one that others are folded into", () => {
  const set = { orderId: "", folded: 0 };
  const foldedSet = { orderId: "", folded: 1 };
  const sale = { orderId: "b", folded: 0 };
  const foldedSale = { orderId: "b", folded: 2 };
  assertEquals([[], [set], [set, foldedSet], [sale]].map(areOfOrders), [false, false, true, true]);
  const seenBy = (id: string) => [[], [set], [foldedSet], [sale], [set, foldedSale]].map((of) => areOfOrder(of, id));
  assertEquals(seenBy("a"), [false, false, true, false, true]);
  assertEquals(seenBy("b"), [false, false, true, true, true]);
});
