/** What StockService does with stock: each scenario ends with a look at the levels. */
import { type Json } from "../support/clients/client.ts";
import { verdicts } from "./batch_verdicts.ts";
import {
  badRequest,
  detail,
  fails,
  given,
  info,
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

import { current } from "./scenarios_sell_options.ts";
import { adjust, adjusted, detailAt, differs, notInArticle, place, policy, transfer, twice } from "./scenario_stock.ts";

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
    name: "changes a place only where it stands at the version that was expected, and says how it stands",
    notInArticle,
    calls: (g) => {
      const moved = (expectedVersion: string) => ({
        ...transfer(`${g}-t`, 2, [g, 1]),
        lines: [{ goodsId: g, num: 1, expectedVersion }],
      });
      return [
        set(g, 10, 1),
        set(g + 1, 10, 1),
        fails(
          "AdjustInv",
          { lines: [{ goodsId: g + 1, delta: 1 }, { goodsId: g, delta: 1, expectedVersion: "0" }] },
          "ABORTED",
          current(g, 10, 1),
        ),
        // The retry finds another version, and is answered all the same.
        ...twice(
          "AdjustInv",
          { lines: [{ goodsId: g, delta: 1, expectedVersion: "1" }], operationId: `${g}` },
          adjusted(`${g}`, place(g, 11, 2)),
        ),
        fails("TransferInv", moved("1"), "ABORTED", current(g, 11, 2)),
        ...twice("TransferInv", moved("2"), {
          levels: [place(g, 10, 3), place(g, 1, 1, { locationId: 2 })],
          operationId: `${g}-t`,
          replayed: false,
        }),
        fails(
          "SetPolicy",
          { goodsId: g, policy: { safetyStock: 1 }, expectedVersion: "2" },
          "ABORTED",
          current(g, 10, 3),
        ),
        ...twice("SetPolicy", { goodsId: g, policy: { safetyStock: 0, orderNumMax: 5 }, expectedVersion: "3" }, {
          level: place(g, 10, 4),
          policy: policy({ orderNumMax: 5 }),
          replayed: false,
        }),
        fails("DeleteInv", { goodsId: g, releaseHolds: true, expectedVersion: "3" }, "ABORTED", current(g, 10, 4)),
        ...twice("DeleteInv", { goodsId: g, expectedVersion: "4" }, {
          level: place(g, 10, 5),
          releasedHolds: 0,
          replayed: false,
        }),
        fails("RestoreInv", { goodsId: g, expectedVersion: "4" }, "ABORTED", current(g, 10, 5)),
        ...twice("RestoreInv", { goodsId: g, expectedVersion: "5" }, { level: place(g, 10, 6), replayed: false }),
        fails(
          "RestoreInv",
          { goodsId: g, expectedVersion: "-1" },
          "INVALID_ARGUMENT",
          badRequest(["expected_version", `expected a version of 0 to ${Number.MAX_SAFE_INTEGER}, got -1`]),
        ),
        detail(g, 10, 6),
        detail(g + 1, 10, 1),
      ];
    },
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
        // What holds that are released make of the version is no matter of what was expected.
        ok("DeleteInv", { ...held, releaseHolds: true, expectedVersion: "4" }, {
          level: place(g, 10, 6),
          releasedHolds: 1,
          replayed: false,
        }),
        fails("InvDetail", held, "NOT_FOUND", unknown(g)),
        detail(g + 1, 10, 5),
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
