/** What policies bind sales to. */
import { badRequest, detail, fails, given, info, ok, order, type Scenario, set, sold, unknown } from "./scenario.ts";

import { notInArticle, place, policy, twice } from "./scenario_stock.ts";

/** Each on goods of its own. */
export const POLICIES: readonly Scenario[] = [
  {
    name: "binds sales to a policy, which is read back, until there is none",
    notInArticle,
    calls: (g) => {
      const request = { safetyStock: 2, orderNumMax: 5, buyerNumMax: 6 };
      const rest = place(g, 10, 2, { num: 8 });
      return [
        set(g, 10, 1),
        ok("GetPolicy", { goodsId: g }, { goodsId: g, locationId: 0, policy: policy(), sku: "" }),
        ...twice("SetPolicy", { goodsId: g, policy: request }, {
          level: rest,
          policy: policy(request),
          replayed: false,
        }),
        ok("GetPolicy", { goodsId: g }, { goodsId: g, locationId: 0, policy: policy(request), sku: "" }),
        fails("Sell", order(`${g}`, [g, 1]), "FAILED_PRECONDITION", info("BUYER_REQUIRED", { goods_ids: `${g}` })),
        fails("Sell", { ...order(`${g}`, [g, 6]), buyerId: `b${g}` }, "FAILED_PRECONDITION", {
          "@type": "inventory.v1.LimitExceeded",
          goodsId: g,
          locationId: 0,
          limit: "LIMIT_OF_ORDER",
          asked: 6,
          taken: 0,
          max: 5,
          sku: "",
        }),
        ok("Sell", { ...order(`${g}`, [g, 5]), buyerId: `b${g}` }, sold(`${g}`, [g, 5])),
        fails("Sell", { ...order(`${g}0`, [g, 2]), buyerId: `b${g}` }, "FAILED_PRECONDITION", {
          "@type": "inventory.v1.LimitExceeded",
          goodsId: g,
          locationId: 0,
          limit: "LIMIT_OF_BUYER",
          asked: 2,
          taken: 5,
          max: 6,
          sku: "",
        }),
        fails("Sell", { ...order(`${g}1`, [g, 4]), buyerId: `c${g}` }, "FAILED_PRECONDITION", {
          "@type": "inventory.v1.ShortStock",
          goodsId: g,
          asked: 4,
          available: 3,
          locationId: 0,
          sku: "",
        }),
        ok("SetPolicy", { goodsId: g }, { level: place(g, 5, 4), policy: policy(), replayed: false }),
        ok("Sell", order(`${g}2`, [g, 5]), sold(`${g}2`, [g, 5])),
        detail(g, 0, 5),
      ];
    },
  },
  {
    name: "sells below nothing as far as a policy allows it, and keeps the policy from going back on that",
    notInArticle,
    calls: (g) => [
      set(g, 1, 1),
      ok("SetPolicy", { goodsId: g, policy: { backorderMax: 2 } }, {
        level: place(g, 1, 2),
        policy: policy({ backorderMax: 2 }),
        replayed: false,
      }),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      fails(
        "SetPolicy",
        { goodsId: g, policy: { backorderMax: 1 } },
        "FAILED_PRECONDITION",
        info("BELOW_FLOOR", {
          goods_ids: `${g}`,
          available: "-2",
        }),
      ),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 3])),
      detail(g, 1, 4),
    ],
  },
  {
    name: "names all that is wrong with a policy",
    notInArticle,
    calls: (g) => [
      fails(
        "SetPolicy",
        {
          goodsId: g,
          policy: { safetyStock: -1, backorderMax: 1_000_000_001, orderNumMax: -2, buyerNumMax: -1, lowStockAt: 3 },
        },
        "INVALID_ARGUMENT",
        badRequest(
          ["policy.safety_stock", "expected 0 to 1000000000, got -1"],
          ["policy.backorder_max", "expected 0 to 1000000000, got 1000000001"],
          ["policy.order_num_max", "expected a quantity of 0 or more, got -2"],
          ["policy.buyer_num_max", "expected a quantity of 0 or more, got -1"],
          ["policy.low_stock_until", "expected a quantity greater than low_stock_at, got 0"],
        ),
      ),
      fails("SetPolicy", { goodsId: g }, "NOT_FOUND", unknown(g)),
      fails("GetPolicy", { goodsId: g }, "NOT_FOUND", unknown(g)),
    ],
  },
];
