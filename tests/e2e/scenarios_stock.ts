/** What StockService does: each scenario ends with a look at the levels. */
import { again, type Json } from "../support/clients/client.ts";
import { failure, verdicts } from "./batch_verdicts.ts";
import {
  badRequest,
  type Call,
  detail,
  fails,
  given,
  info,
  level,
  named,
  ok,
  order,
  type Scenario,
  set,
  sold,
  unknown,
  unknownSkus,
  UUID_V7,
} from "./scenario.ts";

const notInArticle = "nothing of it";

/** A place as it stands, with what is reserved and withheld. */
function place(goodsId: number, onHand: number, version: number, more: Json = {}): Json {
  return { ...level(goodsId, onHand, version), ...more };
}

function adjust(
  operationId: string,
  ...lines: (readonly [goodsId: number, delta: number, locationId?: number])[]
): Json {
  return {
    lines: lines.map(([goodsId, delta, locationId = 0]) => ({ goodsId, delta, locationId })),
    ...(operationId === "" ? {} : { operationId }),
  };
}

function adjusted(operationId: string, ...levels: Json[]): Json {
  return { levels, operationId, replayed: false };
}

function transfer(operationId: string, to: number, ...lines: (readonly [goodsId: number, num: number])[]): Json {
  return { toLocationId: to, lines: lines.map(([goodsId, num]) => ({ goodsId, num })), operationId };
}

/** The call is answered, and answered as a retry when it comes again. */
function twice(method: Call["method"], request: Json, answer: Json): Call[] {
  return [ok(method, request, answer), ok(method, request, again(answer))];
}

/** InvDetail of another location. */
function detailAt(goodsId: number, locationId: number, num: number, version: number): Call {
  return ok("InvDetail", { goodsId, locationId }, { ...level(goodsId, num, version), locationId });
}

function differs(operationId: string, differences: string): Json {
  return info("CONTENT_DIFFERS", { field: "operation_id", operation_id: operationId, differences });
}

/** A policy in an answer. */
function policy(more: Json = {}): Json {
  const none = { safetyStock: 0, backorderMax: 0, orderNumMax: 0, buyerNumMax: 0, lowStockAt: 0, lowStockUntil: 0 };
  return { ...none, ...more };
}

/** Each on goods of its own. */
export const STOCK: readonly Scenario[] = [
  {
    name: "adjusts what is on hand, all lines or none, and once",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 10, 1),
      ...twice(
        "AdjustInv",
        { ...adjust(`${g}`, [g + 1, 2], [g, -3], [g + 1, 1]), reason: "damage" },
        adjusted(`${g}`, place(g, 7, 2), place(g + 1, 13, 2)),
      ),
      fails(
        "AdjustInv",
        adjust(`${g}`, [g, -3]),
        "ALREADY_EXISTS",
        differs(`${g}`, `goods ${g + 1} is missing`),
      ),
      fails("AdjustInv", adjust("", [g, 1], [g + 1, -14]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ShortStock",
        goodsId: g + 1,
        asked: 14,
        available: 13,
        locationId: 0,
        sku: "",
      }),
      fails("AdjustInv", adjust("", [g, 1], [g + 2, 1]), "NOT_FOUND", unknown(g + 2)),
      ok("AdjustInv", { ...adjust("", [g, 1]), dryRun: true }, adjusted("", place(g, 8, 3))),
      ok("AdjustInv", adjust("", [g, 1]), adjusted(UUID_V7, place(g, 8, 3))),
      detail(g, 8, 3),
      detail(g + 1, 13, 2),
    ],
  },
  {
    name: "names all that is wrong with an adjustment",
    notInArticle,
    calls: (g) => [
      fails(
        "AdjustInv",
        { ...adjust("a b", [0, 0, -1], [g, 1], [g, -1]), documentUri: "a b" },
        "INVALID_ARGUMENT",
        badRequest(
          ["lines[0].goods_id", "expected a goods id greater than 0, got 0"],
          ["lines[0].location_id", "expected a location id of 0 or more, got -1"],
          ["lines[0].delta", "expected a number above or below 0, got 0"],
          ["lines", `expected lines of one goods that do not add up to 0, goods ${g} has 0`],
          [
            "operation_id",
            'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3',
          ],
          [
            "document_uri",
            'expected a URI of 1 to 512 visible ASCII characters, got " " (U+0020) as character 2 of 3',
          ],
        ),
      ),
    ],
  },
  {
    name: "counts what is on hand, now, and records a count that finds nothing else",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      ...twice("CountInv", { goodsId: g, num: 8, operationId: `${g}` }, {
        level: place(g, 8, 2),
        operationId: `${g}`,
        replayed: false,
      }),
      ok("CountInv", { goodsId: g, num: 8 }, { level: place(g, 8, 3), operationId: UUID_V7, replayed: false }),
      fails(
        "CountInv",
        { goodsId: g, num: 9, operationId: `${g}` },
        "ALREADY_EXISTS",
        differs(
          `${g}`,
          `goods ${g} had num 8, now 9`,
        ),
      ),
      detail(g, 8, 3),
    ],
  },
  {
    name: "moves units to another location, all lines or none, and once",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 1, 1),
      ...twice("TransferInv", transfer(`${g}`, 5, [g, 4]), {
        levels: [place(g, 6, 2), place(g, 4, 1, { locationId: 5 })],
        operationId: `${g}`,
        replayed: false,
      }),
      fails(
        "TransferInv",
        transfer(`${g}`, 6, [g, 4]),
        "ALREADY_EXISTS",
        differs(
          `${g}`,
          "to_location_id was 5, now 6",
        ),
      ),
      fails("TransferInv", transfer("", 5, [g, 1], [g + 1, 2]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ShortStock",
        goodsId: g + 1,
        asked: 2,
        available: 1,
        locationId: 0,
        sku: "",
      }),
      fails(
        "TransferInv",
        transfer("", 0, [g, 1]),
        "INVALID_ARGUMENT",
        badRequest(
          ["to_location_id", "expected another location than from_location_id, got 0"],
        ),
      ),
      detail(g, 6, 2),
      detailAt(g, 5, 4, 1),
      detail(g + 1, 1, 1),
    ],
  },
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
  {
    name: "takes a goods off sale, keeps what it has, and sells it again",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 2]), sold(`${g}`, [g, 2])),
      ...twice("DeleteInv", { goodsId: g }, { level: place(g, 8, 3), releasedHolds: 0, replayed: false }),
      fails("InvDetail", { goodsId: g }, "NOT_FOUND", unknown(g)),
      fails("Sell", order(`${g}0`, [g, 1]), "NOT_FOUND", unknown(g)),
      fails("CountInv", { goodsId: g, num: 1 }, "NOT_FOUND", unknown(g)),
      fails("SetPolicy", { goodsId: g }, "NOT_FOUND", unknown(g)),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 2])),
      ...twice("RestoreInv", { goodsId: g }, { level: place(g, 10, 5), replayed: false }),
      fails("RestoreInv", { goodsId: g + 1 }, "NOT_FOUND", unknown(g + 1)),
      detail(g, 10, 5),
    ],
  },
  {
    name: "knows goods by their skus, and answers as it was asked",
    notInArticle,
    calls: (g) => {
      const sku = `sku-${g}`;
      return [
        set(g, 10, 1),
        named(g, sku),
        ok(
          "AdjustInv",
          { lines: [{ sku, delta: 1 }], operationId: `${g}` },
          adjusted(`${g}`, place(g, 11, 2, { sku })),
        ),
        ok("TransferInv", { toLocationId: 2, lines: [{ sku, num: 1 }], operationId: `${g}-t` }, {
          levels: [place(g, 10, 3, { sku }), place(g, 1, 1, { sku, locationId: 2 })],
          operationId: `${g}-t`,
          replayed: false,
        }),
        ok("SetPolicy", { sku, policy: { safetyStock: 1 } }, {
          level: place(g, 10, 4, { sku, num: 9 }),
          policy: policy({ safetyStock: 1 }),
          replayed: false,
        }),
        ok("GetPolicy", { sku }, { goodsId: g, locationId: 0, policy: policy({ safetyStock: 1 }), sku }),
        ok(
          "ApplyBatch",
          { operations: [{ countInv: { sku, num: 12, operationId: `${g}-c` } }] },
          verdicts({
            countInv: { level: place(g, 12, 5, { sku, num: 11 }), operationId: `${g}-c`, replayed: false },
            truncated: false,
          }),
        ),
        ok("DeleteInv", { sku }, { level: place(g, 12, 6, { sku, num: 11 }), releasedHolds: 0, replayed: false }),
        ok("RestoreInv", { sku }, { level: place(g, 12, 7, { sku, num: 11 }), replayed: false }),
        fails("CountInv", { sku: `${sku}-none`, num: 1 }, "NOT_FOUND", unknownSkus(`${sku}-none`)),
      ];
    },
  },
  {
    name: "keeps a goods on sale while holds live, and releases them where that is wanted",
    notInArticle,
    calls: (g) => {
      const held = { goodsId: g, locationId: 0 };
      return [
        set(g, 10, 1),
        set(g + 1, 10, 1),
        ok("ApplyBatch", {
          operations: [{ reserve: order(`${g}`, [g, 2], [g + 1, 1]) }, { releaseHold: { orderId: `${g}` } }],
        }, heldAndReleased(`${g}`, [[g, 2], [g + 1, 1]])),
        ok("ApplyBatch", { operations: [{ reserve: order(`${g}0`, [g, 2], [g + 1, 1]) }] }, {
          verdicts: [{
            reserve: { order: hold(`${g}0`, "HELD", [[g, 2], [g + 1, 1]]) },
            truncated: false,
          }],
        }),
        fails("DeleteInv", held, "FAILED_PRECONDITION", info("HAS_HOLDS", { goods_ids: `${g}`, reserved: "2" })),
        ok("DeleteInv", { ...held, releaseHolds: true, dryRun: true }, {
          level: place(g, 10, 4, { num: 8, reserved: 2 }),
          releasedHolds: 1,
          replayed: false,
        }),
        ok("DeleteInv", { ...held, releaseHolds: true }, {
          level: place(g, 10, 6),
          releasedHolds: 1,
          replayed: false,
        }),
        fails("InvDetail", held, "NOT_FOUND", unknown(g)),
        detail(g + 1, 10, 5),
      ];
    },
  },
  {
    name: "applies a batch of everything, each with its own verdict, in its sequence",
    notInArticle,
    calls: (g) => {
      const batch = {
        operations: [
          { setInv: { goodsId: g, num: 10 } },
          { sell: order(`${g}`, [g, 1]) },
          { rollback: order(`${g}`) },
          { adjustInv: adjust(`${g}-a`, [g, 5]) },
          { countInv: { goodsId: g, num: 14, operationId: `${g}-c` } },
          { transferInv: transfer(`${g}-t`, 3, [g, 4]) },
          { sell: order(`${g}0`, [g, 11]) },
          {},
          { adjustInv: adjust("a b") },
        ],
      };
      const applied = (replayed: boolean, sale: Json, setLevel: Json) =>
        verdicts(
          { setInv: setLevel, truncated: false },
          sale,
          { rollback: { ...given(`${g}`, [g, 1]), replayed }, truncated: false },
          { adjustInv: { ...adjusted(`${g}-a`, place(g, 15, 4)), replayed }, truncated: false },
          { countInv: { level: place(g, 14, 5), operationId: `${g}-c`, replayed }, truncated: false },
          {
            transferInv: {
              levels: [place(g, 10, 6), place(g, 4, 1, { locationId: 3 })],
              operationId: `${g}-t`,
              replayed,
            },
            truncated: false,
          },
          {
            ...failure("FAILED_PRECONDITION", `not enough stock: goods ${g} has 10 available, asked 11`, {
              "@type": "inventory.v1.ShortStock",
              goodsId: g,
              asked: 11,
              available: 10,
              locationId: 0,
              sku: "",
            }),
            truncated: false,
          },
          {
            ...failure(
              "INVALID_ARGUMENT",
              "operation: expected one of the operations, got none that this server knows",
              badRequest(["operation", "expected one of the operations, got none that this server knows"]),
            ),
            truncated: false,
          },
          {
            ...failure(
              "INVALID_ARGUMENT",
              "lines: expected at least one line, got none, and 1 more",
              badRequest(
                ["lines", "expected at least one line, got none"],
                [
                  "operation_id",
                  'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3',
                ],
              ),
            ),
            truncated: false,
          },
        );
      return [
        ok("ApplyBatch", batch, applied(false, { sell: sold(`${g}`, [g, 1]), truncated: false }, level(g, 10, 1))),
        detail(g, 10, 6),
        detailAt(g, 3, 4, 1),
        fails(
          "ApplyBatch",
          { operations: [] },
          "INVALID_ARGUMENT",
          badRequest(
            ["operations", "expected at least one operation, got none"],
          ),
        ),
      ];
    },
  },
];

/** An order that is, or was, a hold. */
function hold(orderId: string, name: string, lines: readonly (readonly [number, number])[]): Json {
  return {
    orderId,
    state: `ORDER_STATE_${name}`,
    lines: lines.map(([goodsId, num]) => ({
      goodsId,
      num,
      locationId: 0,
      asked: num,
      held: num,
      returned: 0,
      sku: "",
    })),
    buyerId: "",
    createdAt: "now",
    expiresAt: "later",
  };
}

function heldAndReleased(orderId: string, lines: readonly (readonly [number, number])[]): Json {
  return verdicts(
    { reserve: { order: hold(orderId, "HELD", lines) }, truncated: false },
    { releaseHold: { order: hold(orderId, "RELEASED", lines), replayed: false }, truncated: false },
  );
}
