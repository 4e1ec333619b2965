/** What `RollbackBatch` and `BatchInvDetail` do: verdicts in order, each what the single call would have come to. */
import { back, badGoods, error, failure, verdicts } from "./batch_verdicts.ts";
import { again } from "../support/clients/client.ts";
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

/** Each on goods of its own. */
export const BATCHES: readonly Scenario[] = [
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
            again(back(`${g}-a`, [g, 3])),
            back(`${g}-b`, [g, 1], `${g}-part`),
            error("FAILED_PRECONDITION", `more than order ${g}-c sold: goods ${g} has 2 to give back, asked 9`, {
              "@type": "inventory.v1.ExceedsSold",
              goodsId: g,
              asked: 9,
              returnable: 2,
              locationId: 0,
              sku: "",
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
];
