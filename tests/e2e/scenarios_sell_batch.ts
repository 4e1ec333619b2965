/** What `SellBatch` does, and what every batch is refused for as a whole. */
import { error, sale, verdicts } from "./batch_verdicts.ts";
import { again } from "../support/clients/client.ts";
import {
  badRequest,
  detail,
  fails,
  given,
  info,
  ok,
  order,
  same,
  type Scenario,
  set,
  state,
  unknown,
  UUID_V7,
} from "./scenario.ts";

/** The server's BATCH_ORDERS_MAX, and the goods of one BatchInvDetail. */
const PARTS_MAX = 1000;

const notInArticle = "no batches";

/** Each on goods of its own. */
export const SELL_BATCHES: readonly Scenario[] = [
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
              locationId: 0,
              sku: "",
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
            again(sale(`${g}-a`, [g, 3], [g + 1, 1])),
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
          again(verdicts(
            sale(`${g}-a`, [g, 3], [g + 1, 1]),
            sale(`${g}-f`, [g, 7]),
          )),
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
            locationId: 0,
            sku: "",
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
