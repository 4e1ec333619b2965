/** Goods by sku, and the reasons of movements. */
import { error, failure, sale } from "./batch_verdicts.ts";
import { again } from "../support/clients/client.ts";
import {
  badRequest,
  detail,
  fails,
  given,
  info,
  level,
  named,
  NOW,
  ok,
  order,
  same,
  type Scenario,
  set,
  sold,
  unknown,
  unknownSkus,
} from "./scenario.ts";

const NOT_IN_ARTICLE = "no skus and no reasons";

/** Each on goods of its own. */
export const GOODS: readonly Scenario[] = [
  {
    name: "gives a goods its sku once, and knows it by either name",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      named(g, `Sku ${g}`),
      same("RegisterGoods", { goodsId: g, sku: `Sku ${g}` }),
      same("RegisterGoods", { sku: `Sku ${g}` }),
      same("GetGoods", { goodsId: g }),
      same("GetGoods", { sku: `Sku ${g}` }),
      same("GetGoods", { goodsId: g, sku: `Sku ${g}` }),
      // Case is kept, and what looks alike is another name.
      named(g + 1, `sku ${g}`),
      named(g + 2, `Ｓku ${g}`),
      fails(
        "RegisterGoods",
        { goodsId: g + 3, sku: `Sku ${g}` },
        "ALREADY_EXISTS",
        info("SKU_TAKEN", { goods_id: `${g}`, sku: `Sku ${g}` }),
      ),
      fails(
        "RegisterGoods",
        { goodsId: g, sku: `Sku ${g}!` },
        "ALREADY_EXISTS",
        info("SKU_TAKEN", { goods_id: `${g}`, sku: `Sku ${g}` }),
      ),
      fails("GetGoods", { sku: `Sku ${g}!` }, "NOT_FOUND", unknownSkus(`Sku ${g}!`)),
      fails("GetGoods", { goodsId: g + 3 }, "NOT_FOUND", info("UNKNOWN_GOODS", { goods_ids: `${g + 3}` })),
    ],
  },
  {
    name: "takes a sku in any form of Unicode, and answers it in NFC",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      ok("RegisterGoods", { goodsId: g, sku: `Cafe\u0301 ${g}` }, {
        goods: { goodsId: g, sku: `Caf\u00E9 ${g}`, namedAt: NOW },
      }),
      same("GetGoods", { sku: `Caf\u00E9 ${g}` }),
      same("GetGoods", { sku: `Cafe\u0301 ${g}` }),
    ],
  },
  {
    name: "answers a goods that has stock and no sku",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 1, 1),
      ok("GetGoods", { goodsId: g }, { goods: { goodsId: g, sku: "" } }),
    ],
  },
  {
    name: "sets and answers levels by sku, and gives a goods its sku with its first level",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      fails("SetInv", { sku: `S${g}`, num: 1 }, "NOT_FOUND", unknownSkus(`S${g}`)),
      ok("SetInv", { goodsId: g, sku: `S${g}`, num: 10 }, level(g, 10, 1, `S${g}`)),
      ok("SetInv", { goodsId: g, sku: `S${g}`, num: 11 }, level(g, 11, 2, `S${g}`)),
      ok("SetInv", { sku: `S${g}`, num: 12 }, level(g, 12, 3, `S${g}`)),
      ok("InvDetail", { sku: `S${g}` }, level(g, 12, 3, `S${g}`)),
      same("InvDetail", { goodsId: g }),
      same("InvDetail", { goodsId: g, sku: `S${g}` }),
      fails(
        "SetInv",
        { goodsId: g + 1, sku: `S${g}`, num: 1 },
        "ALREADY_EXISTS",
        info("SKU_TAKEN", { goods_id: `${g}`, sku: `S${g}` }),
      ),
      fails("InvDetail", { goodsId: g + 1 }, "NOT_FOUND", unknown(g + 1)),
      fails(
        "SetInv",
        { goodsId: g, sku: `T${g}`, num: 1 },
        "ALREADY_EXISTS",
        info("SKU_TAKEN", { goods_id: `${g}`, sku: `S${g}` }),
      ),
      // What else is wrong is said before the goods has its sku, and a dry run gives none.
      fails(
        "SetInv",
        { goodsId: g + 1, sku: `T${g}`, num: -1 },
        "INVALID_ARGUMENT",
        badRequest(["num", "expected a quantity of 0 or more, got -1"]),
      ),
      ok("SetInv", { goodsId: g + 1, sku: `T${g}`, num: 1, dryRun: true }, level(g + 1, 1, 1, `T${g}`)),
      fails(
        "SetInv",
        { goodsId: g + 1, sku: `S${g}`, num: 1, dryRun: true },
        "ALREADY_EXISTS",
        info("SKU_TAKEN", {
          goods_id: `${g}`,
          sku: `S${g}`,
        }),
      ),
      fails("GetGoods", { sku: `T${g}` }, "NOT_FOUND", unknownSkus(`T${g}`)),
      ok("BatchInvDetail", {
        goodsIds: [g],
        places: [{ sku: `S${g}` }, { sku: `X${g}` }, { goodsId: g + 1, sku: `S${g}` }],
      }, {
        verdicts: [
          { detail: level(g, 12, 3, `S${g}`) },
          { detail: level(g, 12, 3, `S${g}`) },
          failure("NOT_FOUND", `unknown sku: "X${g}"`, unknownSkus(`X${g}`)),
          failure(
            "INVALID_ARGUMENT",
            `sku: expected the sku of goods ${g + 1}, got that of goods ${g}`,
            badRequest(["sku", `expected the sku of goods ${g + 1}, got that of goods ${g}`]),
          ),
        ],
      }),
      ok("InvDetail", { sku: `S${g}`, allLocations: true }, {
        ...level(g, 0, 0, `S${g}`),
        allLocations: {
          levels: [{ locationId: 0, num: 12, onHand: 12, reserved: 0, version: "3" }],
          num: "12",
          onHand: "12",
          reserved: "0",
        },
      }),
    ],
  },
  {
    name: "sells and gives back by sku, added up with lines by id",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 10, 1),
      named(g, `S${g}`),
      ok("Sell", order(`${g}`, [0, 2, `S${g}`], [g + 1, 1], [g, 1]), sold(`${g}`, [g, 3, `S${g}`], [g + 1, 1])),
      // The same order, whatever it calls its goods.
      ok("Sell", order(`${g}`, [g, 3], [g + 1, 1]), again(sold(`${g}`, [g, 3], [g + 1, 1]))),
      detail(g, 7, 2, `S${g}`),
      ok("Rollback", order(`${g}`, [g, 1, `S${g}`]), given(`${g}`, [g, 1, `S${g}`])),
      same("Rollback", order(`${g}`, [0, 1, `S${g}`])),
      detail(g, 8, 3, `S${g}`),
    ],
  },
  {
    name: "names every unknown sku, and in its errors what the request did, and moves nothing",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      named(g, `S${g}`),
      fails(
        "Sell",
        order(`${g}`, [0, 1, `X${g}`], [0, 1, `S${g}`], [0, 1, `Y"${g}`], [0, 2, `X${g}`]),
        "NOT_FOUND",
        unknownSkus(`X${g}`, `Y"${g}`),
      ),
      fails("Rollback", order(`${g}`, [0, 1, `X${g}`]), "NOT_FOUND", unknownSkus(`X${g}`)),
      fails("Sell", order(`${g}`, [0, 11, `S${g}`]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ShortStock",
        goodsId: g,
        asked: 11,
        available: 10,
        locationId: 0,
        sku: `S${g}`,
      }),
      detail(g, 10, 1, `S${g}`),
    ],
  },
  {
    name: "refuses the sku of another goods, and what can't be a sku",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      named(g, `S${g}`),
      fails(
        "Sell",
        order(`${g}`, [g + 1, 1, `S${g}`], [0, 1, "a\tb"], [0, 0, `X${g}`]),
        "INVALID_ARGUMENT",
        badRequest(
          ["goods_info[0].sku", `expected the sku of goods ${g + 1}, got that of goods ${g}`],
          [
            "goods_info[1].sku",
            "expected a sku of 1 to 64 characters, none of them a control character, got U+0009 as character 2",
          ],
          ["goods_info[2].num", "expected a quantity greater than 0, got 0"],
        ),
      ),
      fails(
        "RegisterGoods",
        { goodsId: -1, sku: "x".repeat(65) },
        "INVALID_ARGUMENT",
        badRequest(
          ["sku", "expected a sku of 1 to 64 characters, none of them a control character, got 65 characters"],
          ["goods_id", "expected a goods id greater than 0, or none, got -1"],
        ),
      ),
      fails(
        "GetGoods",
        { goodsId: g + 1, sku: `S${g}` },
        "INVALID_ARGUMENT",
        badRequest(["sku", `expected the sku of goods ${g + 1}, got that of goods ${g}`]),
      ),
      detail(g, 10, 1, `S${g}`),
    ],
  },
  {
    name: "sells and gives back batches by sku, each with its own verdict",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      set(g, 10, 1),
      named(g, `S${g}`),
      ok("SellBatch", {
        orders: [order(`${g}a`, [0, 8, `S${g}`]), order(`${g}b`, [0, 1, `X${g}`]), order(`${g}c`, [g, 2])],
      }, {
        verdicts: [
          { sold: sold(`${g}a`, [g, 8, `S${g}`]), truncated: false },
          error("NOT_FOUND", `unknown sku: "X${g}"`, unknownSkus(`X${g}`)),
          { sold: sold(`${g}c`, [g, 2]), truncated: false },
        ],
      }),
      ok("RollbackBatch", { rollbacks: [order(`${g}a`, [0, 8, `S${g}`])] }, {
        verdicts: [{ rolledBack: given(`${g}a`, [g, 8, `S${g}`]), truncated: false }],
      }),
      detail(g, 8, 4, `S${g}`),
    ],
  },
  {
    name: "adds a reason once, and lists it",
    notInArticle: NOT_IN_ARTICLE,
    calls: (g) => [
      ok("AddReason", { reason: { code: `r${g}`, description: `Reason ${g}` } }, {
        reason: { code: `r${g}`, description: `Reason ${g}` },
      }),
      same("AddReason", { reason: { code: `r${g}`, description: `Reason ${g}` } }),
      fails(
        "AddReason",
        { reason: { code: `r${g}`, description: "Another" } },
        "ALREADY_EXISTS",
        info("CONTENT_DIFFERS", {
          field: "reason",
          reason: `r${g}`,
          differences: `description is "Reason ${g}"`,
        }),
      ),
      // It may be given from then on, in a batch as well; the ledger takes no other.
      set(g, 10, 1),
      ok("Sell", { ...order(`${g}`, [g, 1]), reason: `r${g}` }, sold(`${g}`, [g, 1])),
      ok("SellBatch", {
        orders: [{ ...order(`${g}a`, [g, 1]), reason: `r${g}` }, { ...order(`${g}b`, [g, 1]), reason: "R" }],
      }, {
        verdicts: [
          sale(`${g}a`, [g, 1]),
          error(
            "INVALID_ARGUMENT",
            'reason: expected a code of 1 to 32 characters out of a-z 0-9 _, got "R" (U+0052) as character 1 of 1',
            badRequest([
              "reason",
              'expected a code of 1 to 32 characters out of a-z 0-9 _, got "R" (U+0052) as character 1 of 1',
            ]),
          ),
        ],
      }),
      fails(
        "AddReason",
        { reason: { code: "R", description: "" } },
        "INVALID_ARGUMENT",
        badRequest(
          ["reason.code", "expected 1 to 32 characters out of a-z 0-9 _, the first of them a letter"],
          ["reason.description", "expected 1 to 256 characters, got 0"],
        ),
      ),
    ],
  },
];
