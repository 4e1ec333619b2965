/** What the four methods refuse, with every detail of the error, and that nothing moved by it. */
import { badRequest, detail, fails, info, ok, order, type Scenario, set, sold, unknown } from "./scenario.ts";

const INT32_MAX = 2_147_483_647;

/** Each on goods of its own. */
export const REFUSED: readonly Scenario[] = [
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
        { "@type": "inventory.v1.ShortStock", goodsId: g, asked: 3, available: 2, locationId: 0, sku: "" },
        { "@type": "inventory.v1.ShortStock", goodsId: g + 1, asked: 4, available: 1, locationId: 0, sku: "" },
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
        { "@type": "inventory.v1.ExceedsSold", goodsId: g, asked: 4, returnable: 3, locationId: 0, sku: "" },
        { "@type": "inventory.v1.ExceedsSold", goodsId: g + 1, asked: 1, returnable: 0, locationId: 0, sku: "" },
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
          ["order_id", 'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3'],
          [
            "rollback_id",
            'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got "é" (U+00E9) as character 1 of 1',
          ],
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
