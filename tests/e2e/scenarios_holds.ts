/** Holds: what HoldService answers and refuses, in turn and out of turn. */
import type { Json } from "../support/clients/client.ts";
import {
  badRequest,
  type Call,
  detail,
  fails,
  given,
  info,
  NOW,
  ok,
  order,
  same,
  type Scenario,
  set,
  sold,
  state,
} from "./scenario.ts";
import { place, policy } from "./scenario_stock.ts";

const NOT_IN_ARTICLE = "no holds";
const INT32_MAX = 2_147_483_647;
/** Stands for the end of a hold. */
export const LATER = "later";

type HeldLine = readonly [goodsId: number, num: number, asked?: number, held?: number, returned?: number];

/** An order in an answer, of lines at location 0. */
function held(orderId: string, name: string, lines: readonly HeldLine[], buyerId = ""): Json {
  return {
    orderId,
    state: `ORDER_STATE_${name}`,
    lines: lines.map(([goodsId, num, asked = num, held = asked, returned = 0]) => (
      { goodsId, num, locationId: 0, asked, held, returned, sku: "" }
    )),
    buyerId,
    createdAt: NOW,
    expiresAt: LATER,
  };
}

/** An order that was barred. */
function barred(orderId: string): Json {
  return { orderId, state: "ORDER_STATE_BARRED", lines: [], buyerId: "", createdAt: NOW };
}

/** Request of Reserve: an hour, where nothing else is said. */
function reserve(orderId: string, lines: readonly (readonly [number, number])[], more: Json = {}): Json {
  return { ...order(orderId, ...lines), ttl: "3600s", ...more };
}

/** Calls that change nothing, so that a hold of a millisecond is over behind them. */
function aMoment(g: number): Call[] {
  return Array.from({ length: 10 }, () =>
    fails(
      "InvDetail",
      { goodsId: g + 9 },
      "NOT_FOUND",
      info("UNKNOWN_GOODS", {
        goods_ids: `${g + 9}`,
      }),
    ));
}

/** InvDetail where something is reserved. */
function level(goodsId: number, onHand: number, reserved: number, version: number): Call {
  const answer = { goodsId, num: onHand - reserved, onHand, reserved, version: `${version}`, locationId: 0, sku: "" };
  return ok("InvDetail", { goodsId }, answer);
}

/** Each on goods of its own. */
export const HOLDS: readonly Scenario[] = [
  {
    name: "holds units for a buyer, sells fewer of them, and takes those back",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      ok("Reserve", reserve(`${g}`, [[g, 4]], { buyerId: "ann@shop.example" }), {
        order: held(`${g}`, "HELD", [[g, 4]], "ann@shop.example"),
      }),
      level(g, 10, 4, 2),
      ok("GetOrder", { orderId: `${g}` }, { order: held(`${g}`, "HELD", [[g, 4]], "ann@shop.example") }),
      ok("ListHolds", { goodsId: g }, {
        holds: [held(`${g}`, "HELD", [[g, 4]], "ann@shop.example")],
        nextPageToken: "",
      }),
      ok("ExtendHold", { orderId: `${g}`, ttl: "7200.5s" }, {
        order: held(`${g}`, "HELD", [[g, 4]], "ann@shop.example"),
        replayed: false,
      }),
      ok("ExtendHold", { orderId: `${g}`, ttl: "1s" }, {
        order: held(`${g}`, "HELD", [[g, 4]], "ann@shop.example"),
        replayed: true,
      }),
      ok("ConfirmHold", order(`${g}`, [g, 3]), {
        order: held(`${g}`, "SOLD", [[g, 3, 4]], "ann@shop.example"),
        replayed: false,
      }),
      ok("ConfirmHold", order(`${g}`, [g, 3]), {
        order: held(`${g}`, "SOLD", [[g, 3, 4]], "ann@shop.example"),
        replayed: true,
      }),
      level(g, 7, 0, 4),
      ok("Rollback", { orderId: `${g}` }, given(`${g}`, [g, 3])),
      ok("GetOrder", { orderId: `${g}` }, {
        order: held(`${g}`, "ROLLED_BACK", [[g, 3, 4, 4, 3]], "ann@shop.example"),
      }),
      ok("ListHolds", { buyerId: "ann@shop.example" }, { holds: [], nextPageToken: "" }),
    ],
  },
  {
    name: "holds of each line what is there, and replaces a hold by another",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 0, 1),
      ok("Reserve", reserve(`${g}`, [[g, 12], [g + 1, 1]], { fill: "FILL_AVAILABLE" }), {
        order: held(`${g}`, "HELD", [[g, 10, 12, 10], [g + 1, 0, 1, 0]]),
      }),
      ok("Reserve", reserve(`${g}`, [[g, 9]]), { order: held(`${g}`, "HELD", [[g, 9]]) }),
      level(g, 10, 9, 3),
      fails("Reserve", reserve(`${g + 1}`, [[g, 2]]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ShortStock",
        goodsId: g,
        asked: 2,
        available: 1,
        locationId: 0,
        sku: "",
      }),
      ok("Reserve", reserve(`${g + 1}`, [[g, 1]], { dryRun: true }), { order: held(`${g + 1}`, "HELD", [[g, 1]]) }),
      fails("GetOrder", { orderId: `${g + 1}` }, "NOT_FOUND", info("UNKNOWN_ORDER", { order_id: `${g + 1}` })),
      level(g, 10, 9, 3),
      fails("ConfirmHold", order(`${g}`, [g, 10]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ExceedsHeld",
        goodsId: g,
        asked: 10,
        held: 9,
        locationId: 0,
        sku: "",
      }),
      ok("ReleaseHold", { orderId: `${g}` }, { order: held(`${g}`, "RELEASED", [[g, 9]]), replayed: false }),
      ok("ReleaseHold", { orderId: `${g}` }, { order: held(`${g}`, "RELEASED", [[g, 9]]), replayed: true }),
      level(g, 10, 0, 4),
    ],
  },
  {
    name: "has one answer for each call that comes out of turn",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      fails("ConfirmHold", { orderId: `${g}` }, "NOT_FOUND", info("UNKNOWN_ORDER", { order_id: `${g}` })),
      fails("ExtendHold", { orderId: `${g}` }, "NOT_FOUND", info("UNKNOWN_ORDER", { order_id: `${g}` })),
      // A release before its reserve bars it.
      ok("ReleaseHold", { orderId: `${g}` }, { order: barred(`${g}`), replayed: false }),
      ok("ReleaseHold", { orderId: `${g}` }, { order: barred(`${g}`), replayed: true }),
      fails("Reserve", reserve(`${g}`, [[g, 1]]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_BARRED")),
      fails("Sell", order(`${g}`, [g, 1]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_BARRED")),
      // Confirm after release.
      ok("Reserve", reserve(`${g + 1}`, [[g, 1]]), { order: held(`${g + 1}`, "HELD", [[g, 1]]) }),
      fails("Sell", order(`${g + 1}`, [g, 1]), "FAILED_PRECONDITION", state(`${g + 1}`, "ORDER_STATE_HELD")),
      fails("Rollback", { orderId: `${g + 1}` }, "FAILED_PRECONDITION", state(`${g + 1}`, "ORDER_STATE_HELD")),
      ok("ReleaseHold", { orderId: `${g + 1}` }, { order: held(`${g + 1}`, "RELEASED", [[g, 1]]), replayed: false }),
      fails("ConfirmHold", { orderId: `${g + 1}` }, "FAILED_PRECONDITION", state(`${g + 1}`, "ORDER_STATE_RELEASED")),
      fails("Reserve", reserve(`${g + 1}`, [[g, 1]]), "FAILED_PRECONDITION", state(`${g + 1}`, "ORDER_STATE_RELEASED")),
      // With the id of a sale.
      ok("Reserve", reserve(`${g + 2}`, [[g, 1]]), { order: held(`${g + 2}`, "HELD", [[g, 1]]) }),
      ok("ConfirmHold", { orderId: `${g + 2}` }, { order: held(`${g + 2}`, "SOLD", [[g, 1]]), replayed: false }),
      fails("Reserve", reserve(`${g + 2}`, [[g, 1]]), "FAILED_PRECONDITION", state(`${g + 2}`, "ORDER_STATE_SOLD")),
      fails("ReleaseHold", { orderId: `${g + 2}` }, "FAILED_PRECONDITION", state(`${g + 2}`, "ORDER_STATE_SOLD")),
      fails(
        "ConfirmHold",
        order(`${g + 2}`, [g, 2]),
        "ALREADY_EXISTS",
        info("CONTENT_DIFFERS", {
          field: "order_id",
          order_id: `${g + 2}`,
          differences: `goods ${g} had num 1, now 2`,
        }),
      ),
      detail(g, 9, 5),
    ],
  },
  {
    name: "reserves no more than can be counted, and says so of what is reserved",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, INT32_MAX, 1),
      ok("SetPolicy", { goodsId: g, policy: { backorderMax: 2 } }, {
        level: place(g, INT32_MAX, 2),
        policy: policy({ backorderMax: 2 }),
        replayed: false,
      }),
      ok("Reserve", reserve(`${g}`, [[g, INT32_MAX]]), { order: held(`${g}`, "HELD", [[g, INT32_MAX]]) }),
      fails(
        "Reserve",
        reserve(`${g + 1}`, [[g, 1]]),
        "OUT_OF_RANGE",
        info("RESERVED_OUT_OF_RANGE", { goods_ids: `${g}` }),
      ),
      level(g, INT32_MAX, INT32_MAX, 3),
    ],
  },
  {
    name: "knows a hold as expired the moment its time is up, and a shortfall until it is resolved",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => {
      const short = { goodsId: g, asked: 4, available: 3, locationId: 0, sku: "" };
      const shortfall = (recorded: boolean) => (
        { "@type": "inventory.v1.Shortfall", orderId: `${g}`, lines: [short], recorded }
      );
      const onRecord = { orderId: `${g}`, buyerId: `b${g}`, lines: [short], createdAt: NOW, openedAt: NOW };
      const resolve = { orderId: `${g}`, resolution: "refunded, ticket 7" };
      const resolved = { ...onRecord, resolvedAt: NOW, resolution: resolve.resolution };
      return [
        set(g, 10, 1),
        ok("Reserve", { ...order(`${g}`, [g, 4]), ttl: "0.001s", buyerId: `b${g}` }, {
          order: held(`${g}`, "HELD", [[g, 4]], `b${g}`),
        }),
        ...aMoment(g),
        ok("GetOrder", { orderId: `${g}` }, { order: held(`${g}`, "EXPIRED", [[g, 4]], `b${g}`) }),
        ok("ListHolds", { goodsId: g }, { holds: [], nextPageToken: "" }),
        ok("ListHolds", { buyerId: `b${g}` }, { holds: [], nextPageToken: "" }),
        fails("ExtendHold", { orderId: `${g}` }, "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_EXPIRED")),
        ok("Sell", order(`${g + 1}`, [g, 7]), sold(`${g + 1}`, [g, 7])),
        fails("ConfirmHold", { orderId: `${g}` }, "FAILED_PRECONDITION", shortfall(false)),
        ok("ListShortfalls", {}, { shortfalls: [], nextPageToken: "" }),
        fails("ConfirmHold", { orderId: `${g}`, recordShortfall: true }, "FAILED_PRECONDITION", shortfall(true)),
        ok("ListShortfalls", {}, { shortfalls: [{ ...onRecord, resolution: "" }], nextPageToken: "" }),
        fails(
          "ResolveShortfall",
          { ...resolve, openedAt: "2026-01-01T00:00:00Z" },
          "ABORTED",
          info("OTHER_SHORTFALL", { order_id: `${g}` }),
        ),
        ok("ListShortfalls", {}, { shortfalls: [{ ...onRecord, resolution: "" }], nextPageToken: "" }),
        ok("ResolveShortfall", resolve, { shortfall: resolved, replayed: false }),
        ok("ResolveShortfall", resolve, { shortfall: resolved, replayed: true }),
        ok("ListShortfalls", {}, { shortfalls: [], nextPageToken: "" }),
        fails(
          "ResolveShortfall",
          { orderId: `${g}`, resolution: "sent later" },
          "ALREADY_EXISTS",
          info("CONTENT_DIFFERS", {
            field: "resolution",
            order_id: `${g}`,
            differences: "resolution was refunded, ticket 7",
          }),
        ),
        fails(
          "ResolveShortfall",
          { orderId: `${g + 1}`, resolution: "x" },
          "NOT_FOUND",
          info("UNKNOWN_SHORTFALL", { order_id: `${g + 1}` }),
        ),
        ok("ReleaseHold", { orderId: `${g}` }, { order: held(`${g}`, "RELEASED", [[g, 4]], `b${g}`), replayed: false }),
      ];
    },
  },
  {
    name: "names every rule that a call of holds breaks",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      fails(
        "Reserve",
        { goodsInfo: [{ goodsId: 0, num: 1 }], ttl: "0.0005s", buyerId: "a b", reason: "No Code" },
        "INVALID_ARGUMENT",
        badRequest(
          ["order_id", "expected an id: without one nobody could confirm or release it"],
          ["goods_info[0].goods_id", "expected a goods id greater than 0, got 0"],
          ["ttl", "expected whole milliseconds, got 500000 nanoseconds beside 0 s"],
          ["buyer_id", 'expected 1 to 64 visible ASCII characters, got " " (U+0020) as character 2 of 3'],
          [
            "reason",
            'expected a code of 1 to 32 characters out of a-z 0-9 _, got "N" (U+004E) as character 1 of 7',
          ],
        ),
      ),
      fails(
        "ExtendHold",
        { orderId: `${g}`, ttl: "2678401s" },
        "INVALID_ARGUMENT",
        badRequest(["ttl", "expected 0.001 s to 31 days, got 2678401 s"]),
      ),
      fails(
        "ListHolds",
        { locationId: 1, pageSize: 201, pageToken: "x" },
        "INVALID_ARGUMENT",
        badRequest(
          ["location_id", "expected none without a goods, got 1"],
          ["page_size", "expected 0 to 200, got 201"],
          ["page_token", "expected a token that this list answered, got what is no token"],
        ),
      ),
      fails(
        "ResolveShortfall",
        { orderId: `${g}` },
        "INVALID_ARGUMENT",
        badRequest(["resolution", "expected 1 to 512 characters of printable ASCII, got none"]),
      ),
      same("ResolveShortfall", { orderId: `${g}`, resolution: "" }),
    ],
  },
];
