/** Stock at several locations, and levels that are set only where they are as expected. */
import { failure } from "./batch_verdicts.ts";
import { badRequest, fails, given, info, level, ok, order, type Scenario, set, sold } from "./scenario.ts";
import { current } from "./scenarios_sell_options.ts";
import type { Json } from "../support/clients/client.ts";

const notInArticle = "no locations or expectations";

/** Each on goods of its own. */
export const PLACES: readonly Scenario[] = [
  {
    name: "keeps the stock of each location apart, and answers one, some or all of them",
    notInArticle,
    calls: (g) => [
      ok("SetInv", { goodsId: g, num: 5, locationId: 7 }, at(7, level(g, 5, 1))),
      fails("InvDetail", { goodsId: g }, "NOT_FOUND", unknown(`${g}`)),
      set(g, 3, 1),
      ok("SetInv", { goodsId: g, num: 0, locationId: 2_147_483_647 }, at(2_147_483_647, level(g, 0, 1))),
      fails("Sell", order(`${g}`, [g, 4]), "FAILED_PRECONDITION", {
        "@type": "inventory.v1.ShortStock",
        goodsId: g,
        asked: 4,
        available: 3,
        locationId: 0,
        sku: "",
      }),
      ok(
        "Sell",
        { orderId: `${g}`, goodsInfo: [{ goodsId: g, num: 4, locationId: 7 }, { goodsId: g, num: 1 }] },
        {
          ...sold(`${g}`),
          goodsInfo: [{ goodsId: g, num: 1, locationId: 0, sku: "" }, { goodsId: g, num: 4, locationId: 7, sku: "" }],
        },
      ),
      ok("InvDetail", { goodsId: g, locationId: 7 }, at(7, level(g, 1, 2))),
      ok("InvDetail", { goodsId: g, allLocations: true }, {
        ...level(g, 0, 0),
        allLocations: {
          levels: [levelAt(0, 2, 2), levelAt(7, 1, 2), levelAt(2_147_483_647, 0, 1)],
          num: "3",
          onHand: "3",
          reserved: "0",
        },
      }),
      ok("BatchInvDetail", { goodsIds: [g], places: [{ goodsId: g, locationId: 7 }, { goodsId: g, locationId: 8 }] }, {
        verdicts: [
          { detail: level(g, 2, 2) },
          { detail: at(7, level(g, 1, 2)) },
          failure("NOT_FOUND", `unknown goods: ${g}@8`, unknown(`${g}@8`)),
        ],
      }),
      ok("Rollback", order(`${g}`), {
        ...given(`${g}`),
        goodsInfo: [{ goodsId: g, num: 1, locationId: 0, sku: "" }, { goodsId: g, num: 4, locationId: 7, sku: "" }],
      }),
      fails("InvDetail", { goodsId: g + 1, allLocations: true }, "NOT_FOUND", unknown(`${g + 1}`)),
    ],
  },
  {
    name: "refuses locations that are none, by the field",
    notInArticle,
    calls: (g) => {
      const negative = (field: string) => badRequest([field, "expected a location id of 0 or more, got -1"]);
      const refused = { goodsId: g, locationId: -1 };
      return [
        fails("SetInv", { ...refused, num: 1 }, "INVALID_ARGUMENT", negative("location_id")),
        fails("InvDetail", refused, "INVALID_ARGUMENT", negative("location_id")),
        fails(
          "Sell",
          { goodsInfo: [{ ...refused, num: 1 }] },
          "INVALID_ARGUMENT",
          negative("goods_info[0].location_id"),
        ),
        fails(
          "InvDetail",
          { goodsId: g, locationId: 3, allLocations: true },
          "INVALID_ARGUMENT",
          badRequest(["location_id", "expected none beside all_locations, got 3"]),
        ),
        ok("BatchInvDetail", { places: [refused] }, {
          verdicts: [failure(
            "INVALID_ARGUMENT",
            "location_id: expected a location id of 0 or more, got -1",
            negative("location_id"),
          )],
        }),
        fails("InvDetail", { goodsId: g, allLocations: true }, "NOT_FOUND", unknown(`${g}`)),
      ];
    },
  },
  {
    name: "sets a level only where it stands as expected, and says how it stands",
    notInArticle,
    calls: (g) => [
      fails("SetInv", { goodsId: g, num: 5, expectedVersion: "3" }, "ABORTED", current(g, 0, 0)),
      fails("SetInv", { goodsId: g, num: 5, expectedNum: 1 }, "ABORTED", current(g, 0, 0)),
      // 0 is a version to expect, and not none.
      ok("SetInv", { goodsId: g, num: 5, expectedVersion: "0" }, level(g, 5, 1)),
      fails("SetInv", { goodsId: g, num: 6, expectedVersion: "0" }, "ABORTED", current(g, 5, 1)),
      ok("SetInv", { goodsId: g, num: 6, expectedVersion: "1" }, level(g, 6, 2)),
      fails("SetInv", { goodsId: g, num: 7, expectedNum: 5 }, "ABORTED", current(g, 6, 2)),
      fails("SetInv", { goodsId: g, num: 7, expectedNum: 0 }, "ABORTED", current(g, 6, 2)),
      ok("SetInv", { goodsId: g, num: 7, expectedNum: 6, basis: "BASIS_ON_HAND" }, level(g, 7, 3)),
      fails(
        "SetInv",
        { goodsId: g, num: 7, expectedVersion: "-1" },
        "INVALID_ARGUMENT",
        badRequest(["expected_version", `expected a version of 0 to ${Number.MAX_SAFE_INTEGER}, got -1`]),
      ),
      ok("InvDetail", { goodsId: g }, level(g, 7, 3)),
    ],
  },
];

function at(locationId: number, answer: Json): Json {
  return { ...answer, locationId };
}

function levelAt(locationId: number, num: number, version: number): Json {
  return { locationId, num, onHand: num, reserved: 0, version: `${version}` };
}

function unknown(key: string): Json {
  return info("UNKNOWN_GOODS", { goods_ids: key });
}
