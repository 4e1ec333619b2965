/**
 * What the four methods do and refuse, as tables of calls and outcomes in the words of inventory.v1. Every client runs
 * all of them; `clients_test.ts` says how. Order ids are digits, as the article's contract knows no others.
 */
import type { Json, Method, Outcome } from "../support/clients/client.ts";

/** One call and what must come of it; "the same": exactly what came of the call before it. */
export interface Call {
  readonly method: Method;
  readonly request: Json;
  readonly outcome: Outcome | "the same";
}

/** Calls in their order, on goods `goods` to `goods + 9`, which nobody else uses, and order ids made of them. */
export interface Scenario {
  readonly name: string;
  /** Why the article's contract can't say it. */
  readonly notInArticle?: string;
  calls(goods: number): readonly Call[];
}

/** Stands for a time just now, and for an id that the server made. */
export const NOW = "now";
export const UUID_V7 = "a UUIDv7";

const INT32_MAX = 2_147_483_647;

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "sets a level to exactly what is asked, and reads it",
    calls: (g) => [
      set(g, 10, 1),
      set(g, 10, 1),
      set(g, 4, 2),
      set(g, 0, 3),
      detail(g, 0, 3),
    ],
  },
  {
    name: "sells all lines of an order, merged, and once",
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 10, 1),
      ok("Sell", order(`${g}`, [g + 1, 2], [g, 1], [g + 1, 1]), sold(`${g}`, [g, 1], [g + 1, 3])),
      same("Sell", order(`${g}`, [g + 1, 2], [g, 1], [g + 1, 1])),
      same("Sell", order(`${g}`, [g, 1], [g + 1, 3])),
      detail(g, 9, 2),
      detail(g + 1, 7, 2),
    ],
  },
  {
    name: "makes an id for an order without one, so that each call is a new order",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order("", [g, 3]), sold(UUID_V7, [g, 3])),
      ok("Sell", order("", [g, 3]), sold(UUID_V7, [g, 3])),
      detail(g, 4, 3),
    ],
  },
  {
    name: "gives back a whole order, once, and never sells it again",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 3])),
      same("Rollback", order(`${g}`)),
      same("Rollback", order(`${g}`, [g, 3])),
      fails("Sell", order(`${g}`, [g, 3]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_ROLLED_BACK")),
      detail(g, 10, 3),
    ],
  },
  {
    name: "gives back a part of an order, once, then the rest",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", order(`${g}`, [g, 1]), given(`${g}`, [g, 1])),
      same("Rollback", order(`${g}`, [g, 1])),
      detail(g, 8, 3),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 2])),
      detail(g, 10, 4),
    ],
  },
  {
    name: "tells equal parts of an order apart by their rollback ids",
    notInArticle: "no rollback id",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", part(`${g}`, `${g}-a`, [g, 1]), given(`${g}`, [g, 1], `${g}-a`)),
      same("Rollback", part(`${g}`, `${g}-a`, [g, 1])),
      ok("Rollback", part(`${g}`, `${g}-b`, [g, 1]), given(`${g}`, [g, 1], `${g}-b`)),
      detail(g, 9, 4),
      fails(
        "Rollback",
        part(`${g}`, `${g}-a`, [g, 2]),
        "ALREADY_EXISTS",
        info("CONTENT_DIFFERS", {
          field: "rollback_id",
          rollback_id: `${g}-a`,
          differences: `goods ${g} had num 1, now 2`,
        }),
      ),
      detail(g, 9, 4),
    ],
  },
  {
    name: "bars the sell of an order that is rolled back first",
    calls: (g) => [
      set(g, 10, 1),
      ok("Rollback", order(`${g}`), given(`${g}`)),
      same("Rollback", order(`${g}`)),
      fails("Sell", order(`${g}`, [g, 3]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_BARRED")),
      detail(g, 10, 1),
    ],
  },
  {
    name: "gives back lines that belong to no order",
    calls: (g) => [
      set(g, 10, 1),
      ok("Rollback", order("", [g, 3]), given("", [g, 3], UUID_V7)),
      detail(g, 13, 2),
    ],
  },
  {
    name: "names every unknown goods",
    calls: (g) => [
      set(g, 10, 1),
      fails("InvDetail", { goodsId: g + 5 }, "NOT_FOUND", unknown(g + 5)),
      fails("Sell", order(`${g}`, [g + 6, 1], [g, 1], [g + 5, 1]), "NOT_FOUND", unknown(g + 5, g + 6)),
      fails("Rollback", order("", [g, 1], [g + 5, 1]), "NOT_FOUND", unknown(g + 5)),
      detail(g, 10, 1),
    ],
  },
  {
    name: "refuses an order that is short of stock, with every short line, and decides it afresh later",
    calls: (g) => [
      set(g, 2, 1),
      set(g + 1, 1, 1),
      set(g + 2, 5, 1),
      fails(
        "Sell",
        order(`${g}`, [g, 3], [g + 1, 4], [g + 2, 5]),
        "FAILED_PRECONDITION",
        { "@type": "inventory.v1.ShortStock", goodsId: g, asked: 3, available: 2 },
        { "@type": "inventory.v1.ShortStock", goodsId: g + 1, asked: 4, available: 1 },
      ),
      detail(g + 2, 5, 1),
      ok("Sell", order(`${g}`, [g, 2]), sold(`${g}`, [g, 2])),
      detail(g, 0, 2),
    ],
  },
  {
    name: "refuses an order id that was used with other lines",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      fails(
        "Sell",
        order(`${g}`, [g, 4]),
        "ALREADY_EXISTS",
        info("CONTENT_DIFFERS", { field: "order_id", order_id: `${g}`, differences: `goods ${g} had num 3, now 4` }),
      ),
      detail(g, 7, 2),
    ],
  },
  {
    name: "gives back no more than was sold",
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      fails(
        "Rollback",
        order(`${g}`, [g, 4], [g + 1, 1]),
        "FAILED_PRECONDITION",
        { "@type": "inventory.v1.ExceedsSold", goodsId: g, asked: 4, returnable: 3 },
        { "@type": "inventory.v1.ExceedsSold", goodsId: g + 1, asked: 1, returnable: 0 },
      ),
      detail(g, 7, 2),
      detail(g + 1, 10, 1),
    ],
  },
  {
    name: "names every field that breaks a rule",
    calls: (g) => [
      fails(
        "SetInv",
        { goodsId: 0, num: -1 },
        "INVALID_ARGUMENT",
        badRequest(
          ["goods_id", "expected a goods id greater than 0, got 0"],
          ["num", "expected a quantity of 0 or more, got -1"],
        ),
      ),
      fails(
        "InvDetail",
        { goodsId: -1 },
        "INVALID_ARGUMENT",
        badRequest(["goods_id", "expected a goods id greater than 0, got -1"]),
      ),
      fails(
        "Sell",
        order(`${g}`),
        "INVALID_ARGUMENT",
        badRequest(["goods_info", "expected at least one line, got none"]),
      ),
      fails(
        "Sell",
        order(`${g}`, [g, 1], [-1, -5]),
        "INVALID_ARGUMENT",
        badRequest(
          ["goods_info[1].goods_id", "expected a goods id greater than 0, got -1"],
          ["goods_info[1].num", "expected a quantity greater than 0, got -5"],
        ),
      ),
      fails(
        "Rollback",
        order("", [g, 0]),
        "INVALID_ARGUMENT",
        badRequest(["goods_info[0].num", "expected a quantity greater than 0, got 0"]),
      ),
    ],
  },
  {
    name: "names an id that is not one",
    notInArticle: "its order ids are numbers",
    calls: (g) => [
      fails(
        "Rollback",
        { goodsInfo: [], orderId: "a b", rollbackId: "é" },
        "INVALID_ARGUMENT",
        badRequest(
          ["order_id", "expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got 3 characters"],
          ["rollback_id", "expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got 1 characters"],
        ),
      ),
      fails("InvDetail", { goodsId: g }, "NOT_FOUND", unknown(g)),
    ],
  },
  {
    name: "refuses what would pass the largest int32",
    calls: (g) => [
      set(g, INT32_MAX, 1),
      fails(
        "Rollback",
        order("", [g, 1]),
        "OUT_OF_RANGE",
        info("ON_HAND_OUT_OF_RANGE", { goods_ids: `${g}` }),
      ),
      detail(g, INT32_MAX, 1),
    ],
  },
];

type LineOf = readonly [goodsId: number, num: number];

function set(goodsId: number, num: number, version: number): Call {
  return ok("SetInv", { goodsId, num }, level(goodsId, num, version));
}

function detail(goodsId: number, num: number, version: number): Call {
  return ok("InvDetail", { goodsId }, level(goodsId, num, version));
}

function ok(method: Method, request: Json, answer: Json): Call {
  return { method, request, outcome: { answer } };
}

function same(method: Method, request: Json): Call {
  return { method, request, outcome: "the same" };
}

function fails(method: Method, request: Json, code: string, ...details: Json[]): Call {
  return { method, request, outcome: { code, details } };
}

function order(orderId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: goodsInfo(lines), ...(orderId === "" ? {} : { orderId }) };
}

function part(orderId: string, rollbackId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: goodsInfo(lines), orderId, rollbackId };
}

function goodsInfo(lines: readonly LineOf[]): Json[] {
  return lines.map(([goodsId, num]) => ({ goodsId, num }));
}

function level(goodsId: number, num: number, version: number): Json {
  return { goodsId, num, onHand: num, reserved: 0, version: `${version}` };
}

function sold(orderId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: goodsInfo(lines), orderId, soldAt: NOW };
}

function given(orderId: string, line?: LineOf, rollbackId = ""): Json {
  return { goodsInfo: goodsInfo(line === undefined ? [] : [line]), orderId, rollbackId };
}

function info(reason: string, metadata: Json): Json {
  return { "@type": "google.rpc.ErrorInfo", reason, domain: "inventory.v1", metadata };
}

function unknown(...goodsIds: number[]): Json {
  return info("UNKNOWN_GOODS", { goods_ids: goodsIds.join(",") });
}

function state(orderId: string, name: string): Json {
  return { "@type": "inventory.v1.OrderStateConflict", orderId, state: name };
}

function badRequest(...violations: (readonly [field: string, description: string])[]): Json {
  return {
    "@type": "google.rpc.BadRequest",
    fieldViolations: violations.map(([field, description]) => ({ field, description, reason: "" })),
  };
}
