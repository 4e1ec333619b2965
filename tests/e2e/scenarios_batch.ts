/** What the batches do: verdicts in order, each what the single call would have come to, and what moved by them. */
import type { Json } from "../support/clients/client.ts";
import {
  badRequest,
  detail,
  fails,
  given,
  info,
  level,
  ok,
  order,
  part,
  same,
  type Scenario,
  set,
  sold,
  state,
  unknown,
  UUID_V7,
} from "./scenario.ts";

const INT32_MAX = 2_147_483_647;
const notInArticle = "no batches";
/** The server's BATCH_ORDERS_MAX, and the goods of one BatchInvDetail. */
const PARTS_MAX = 1000;

/** The numbers of google.rpc.Code. */
const CODES = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, ALREADY_EXISTS: 6, FAILED_PRECONDITION: 9, OUT_OF_RANGE: 11 };

/** Each on goods of its own. */
export const BATCHES: readonly Scenario[] = [
  {
    name: "sells a batch, each order with its own verdict, and answers a retry the same",
    notInArticle,
    calls: (g) => {
      const batch = {
        orders: [
          order(`${g}-a`, [g + 1, 1], [g, 3]),
          order(`${g}-b`, [g, 1], [g + 1, 4]),
          order(`${g}-c`, [g, 1], [g + 6, 1], [g + 5, 1]),
          order(`${g}-d`, [g, 1], [-1, 0]),
          order(`a b`, [g, 1]),
          order(`${g}-e`),
          order(`${g}-a`, [g, 3], [g + 1, 1]),
          order(`${g}-a`, [g, 4], [g + 1, 1]),
          order(`${g}-f`, [g, 7]),
        ],
      };
      return [
        set(g, 10, 1),
        set(g + 1, 2, 1),
        ok("Rollback", order(`${g}-g`), given(`${g}-g`)),
        ok(
          "SellBatch",
          batch,
          verdicts(
            sale(`${g}-a`, [g, 3], [g + 1, 1]),
            error("FAILED_PRECONDITION", `not enough stock: goods ${g + 1} has 1 available, asked 4`, {
              "@type": "inventory.v1.ShortStock",
              goodsId: g + 1,
              asked: 4,
              available: 1,
            }),
            error("NOT_FOUND", `unknown goods: ${g + 5}, ${g + 6}`, unknown(g + 5, g + 6)),
            error(
              "INVALID_ARGUMENT",
              "goods_info[1].goods_id: expected a goods id greater than 0, got -1, and 1 more",
              badRequest(
                ["goods_info[1].goods_id", "expected a goods id greater than 0, got -1"],
                ["goods_info[1].num", "expected a quantity greater than 0, got 0"],
              ),
            ),
            error(
              "INVALID_ARGUMENT",
              'order_id: expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3',
              badRequest([
                "order_id",
                'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3',
              ]),
            ),
            error(
              "INVALID_ARGUMENT",
              "goods_info: expected at least one line, got none",
              badRequest(["goods_info", "expected at least one line, got none"]),
            ),
            sale(`${g}-a`, [g, 3], [g + 1, 1]),
            error(
              "ALREADY_EXISTS",
              `order_id ${g}-a was used with other content: goods ${g} had num 3, now 4`,
              info("CONTENT_DIFFERS", {
                field: "order_id",
                order_id: `${g}-a`,
                differences: `goods ${g} had num 3, now 4`,
              }),
            ),
            sale(`${g}-f`, [g, 7]),
          ),
        ),
        detail(g, 0, 3),
        detail(g + 1, 1, 2),
        ok(
          "SellBatch",
          { orders: [batch.orders[0]!, batch.orders[8]!] },
          verdicts(
            sale(`${g}-a`, [g, 3], [g + 1, 1]),
            sale(`${g}-f`, [g, 7]),
          ),
        ),
        same("SellBatch", { orders: [batch.orders[0]!, batch.orders[8]!] }),
        ok(
          "SellBatch",
          { orders: [order(`${g}-g`, [g, 1])] },
          verdicts(
            error("FAILED_PRECONDITION", `order ${g}-g is barred`, state(`${g}-g`, "ORDER_STATE_BARRED")),
          ),
        ),
        detail(g, 0, 3),
        detail(g + 1, 1, 2),
      ];
    },
  },
  {
    name: "decides orders on the same goods in their order",
    notInArticle,
    calls: (g) => [
      set(g, 5, 1),
      ok(
        "SellBatch",
        { orders: [order(`${g}-a`, [g, 3]), order(`${g}-b`, [g, 3]), order(`${g}-c`, [g, 2])] },
        verdicts(
          sale(`${g}-a`, [g, 3]),
          error("FAILED_PRECONDITION", `not enough stock: goods ${g} has 2 available, asked 3`, {
            "@type": "inventory.v1.ShortStock",
            goodsId: g,
            asked: 3,
            available: 2,
          }),
          sale(`${g}-c`, [g, 2]),
        ),
      ),
      detail(g, 0, 3),
    ],
  },
  {
    name: "takes equal orders without ids for new orders",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      ok(
        "SellBatch",
        { orders: [order("", [g, 3]), order("", [g, 3])] },
        verdicts(
          sale(UUID_V7, [g, 3]),
          sale(UUID_V7, [g, 3]),
        ),
      ),
      detail(g, 4, 3),
    ],
  },
  {
    name: "gives back a batch, each rollback with its own verdict, and answers a retry the same",
    notInArticle,
    calls: (g) => {
      const rollbacks = [
        order(`${g}-a`),
        order(`${g}-a`),
        part(`${g}-b`, `${g}-part`, [g, 1]),
        order(`${g}-c`, [g, 9]),
        order(`${g}-never`),
        order("", [g + 5, 1]),
        order("", [g + 1, 1]),
        order("", [g, -1]),
        order(""),
        part(`${g}-b`, `${g}-used`, [g, 2]),
        part("", `${g}-lines`, [g, 5]),
      ];
      return [
        set(g, 12, 1),
        set(g + 1, INT32_MAX, 1),
        ok("Sell", order(`${g}-a`, [g, 3]), sold(`${g}-a`, [g, 3])),
        ok("Sell", order(`${g}-b`, [g, 4]), sold(`${g}-b`, [g, 4])),
        ok("Sell", order(`${g}-c`, [g, 2]), sold(`${g}-c`, [g, 2])),
        ok("Rollback", part(`${g}-b`, `${g}-used`, [g, 1]), given(`${g}-b`, [g, 1], `${g}-used`)),
        ok(
          "RollbackBatch",
          { rollbacks },
          verdicts(
            back(`${g}-a`, [g, 3]),
            back(`${g}-a`, [g, 3]),
            back(`${g}-b`, [g, 1], `${g}-part`),
            error("FAILED_PRECONDITION", `more than order ${g}-c sold: goods ${g} has 2 to give back, asked 9`, {
              "@type": "inventory.v1.ExceedsSold",
              goodsId: g,
              asked: 9,
              returnable: 2,
            }),
            back(`${g}-never`),
            error("NOT_FOUND", `unknown goods: ${g + 5}`, unknown(g + 5)),
            error(
              "OUT_OF_RANGE",
              `on_hand would pass ${INT32_MAX}: goods ${g + 1}`,
              info("ON_HAND_OUT_OF_RANGE", { goods_ids: `${g + 1}` }),
            ),
            error(
              "INVALID_ARGUMENT",
              "goods_info[0].num: expected a quantity greater than 0, got -1",
              badRequest(["goods_info[0].num", "expected a quantity greater than 0, got -1"]),
            ),
            error(
              "INVALID_ARGUMENT",
              "order_id: expected an order_id, or at least one line in goods_info",
              badRequest(["order_id", "expected an order_id, or at least one line in goods_info"]),
            ),
            error(
              "ALREADY_EXISTS",
              `rollback_id ${g}-used was used with other content: goods ${g} had num 1, now 2`,
              info("CONTENT_DIFFERS", {
                field: "rollback_id",
                rollback_id: `${g}-used`,
                differences: `goods ${g} had num 1, now 2`,
              }),
            ),
            back("", [g, 5], `${g}-lines`),
          ),
        ),
        same("RollbackBatch", { rollbacks }),
        detail(g, 13, 8),
        detail(g + 1, INT32_MAX, 1),
        fails("Sell", order(`${g}-never`, [g, 1]), "FAILED_PRECONDITION", state(`${g}-never`, "ORDER_STATE_BARRED")),
      ];
    },
  },
  {
    name: "gives back lines without any id anew each time",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      ok(
        "RollbackBatch",
        { rollbacks: [order("", [g, 3]), order("", [g, 3])] },
        verdicts(
          back("", [g, 3], UUID_V7),
          back("", [g, 3], UUID_V7),
        ),
      ),
      detail(g, 16, 3),
    ],
  },
  {
    name: "reads a batch of goods, the unknown marked, the repeated answered at each place",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 0, 1),
      ok(
        "BatchInvDetail",
        { goodsIds: [g + 1, g + 5, g, -1, g + 1, g + 5, 0] },
        {
          verdicts: [
            { detail: level(g + 1, 0, 1) },
            failure("NOT_FOUND", `unknown goods: ${g + 5}`, unknown(g + 5)),
            { detail: level(g, 10, 1) },
            badGoods(-1),
            { detail: level(g + 1, 0, 1) },
            failure("NOT_FOUND", `unknown goods: ${g + 5}`, unknown(g + 5)),
            badGoods(0),
          ],
        },
      ),
    ],
  },
  {
    name: "refuses a batch without parts, or with too many, as a whole",
    notInArticle,
    calls: (g) => {
      const orders = Array.from({ length: PARTS_MAX + 1 }, () => order("", [g, 1]));
      const refused = (field: string, description: string) => badRequest([field, description]);
      return [
        set(g, 10, 1),
        fails("SellBatch", {}, "INVALID_ARGUMENT", refused("orders", "expected at least one order, got none")),
        fails(
          "SellBatch",
          { orders },
          "INVALID_ARGUMENT",
          refused("orders", `expected at most ${PARTS_MAX} orders, got ${PARTS_MAX + 1}`),
        ),
        fails(
          "RollbackBatch",
          {},
          "INVALID_ARGUMENT",
          refused("rollbacks", "expected at least one rollback, got none"),
        ),
        fails(
          "RollbackBatch",
          { rollbacks: orders },
          "INVALID_ARGUMENT",
          refused("rollbacks", `expected at most ${PARTS_MAX} rollbacks, got ${PARTS_MAX + 1}`),
        ),
        fails(
          "BatchInvDetail",
          {},
          "INVALID_ARGUMENT",
          refused("goods_ids", "expected at least one goods id, got none"),
        ),
        fails(
          "BatchInvDetail",
          { goodsIds: orders.map(() => g) },
          "INVALID_ARGUMENT",
          refused("goods_ids", `expected at most ${PARTS_MAX} goods ids, got ${PARTS_MAX + 1}`),
        ),
        detail(g, 10, 1),
      ];
    },
  },
];

function verdicts(...verdicts: Json[]): Json {
  return { verdicts };
}

function sale(...args: Parameters<typeof sold>): Json {
  return { sold: sold(...args), truncated: false };
}

function back(...args: Parameters<typeof given>): Json {
  return { rolledBack: given(...args), truncated: false };
}

function error(code: keyof typeof CODES, message: string, ...details: Json[]): Json {
  return { ...failure(code, message, ...details), truncated: false };
}

/** A `google.rpc.Status` in JSON, whose details are said to be what they are by a URL. */
function failure(code: keyof typeof CODES, message: string, ...details: Json[]): Json {
  const typed = details.map((fields) => ({ ...fields, "@type": `type.googleapis.com/${fields["@type"]}` }));
  return { error: { code: CODES[code], message, details: typed } };
}

function badGoods(goodsId: number): Json {
  const description = `expected a goods id greater than 0, got ${goodsId}`;
  return failure("INVALID_ARGUMENT", `goods_id: ${description}`, badRequest(["goods_id", description]));
}
