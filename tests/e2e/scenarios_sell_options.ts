/** How an order may be asked for: what is there of it, for a buyer, and only to know. */
import { error, verdicts } from "./batch_verdicts.ts";
import {
  badRequest,
  detail,
  fails,
  given,
  info,
  linesAt0,
  ok,
  order,
  part,
  same,
  type Scenario,
  set,
  sold,
} from "./scenario.ts";
import { again, type Json } from "../support/clients/client.ts";

const notInArticle = "no fill, buyers or dry runs";
const AVAILABLE = { fill: "FILL_AVAILABLE" };
const DRY = { dryRun: true };

/** Each on goods of its own. */
export const SELL_OPTIONS: readonly Scenario[] = [
  {
    name: "takes of each line what is there where that is asked for, and says what was asked",
    notInArticle,
    calls: (g) => {
      const asked = order(`${g}`, [g, 5], [g + 1, 1], [g + 2, 3]);
      const short = [shortLine(g, 5, 2), shortLine(g + 1, 1, 0)];
      return [
        set(g, 2, 1),
        set(g + 1, 0, 1),
        set(g + 2, 9, 1),
        ok("Sell", { ...asked, ...AVAILABLE }, { ...sold(`${g}`, [g, 2], [g + 2, 3]), short }),
        same("Sell", { ...asked, ...AVAILABLE }),
        differs("Sell", asked, `${g}`, "it took what was available, now all is asked for"),
        detail(g + 2, 6, 2),
        // Exactly what was sold is the whole order.
        ok("Rollback", order(`${g}`, [g, 2], [g + 2, 3]), {
          ...given(`${g}`),
          goodsInfo: linesAt0([[g, 2], [g + 2, 3]]),
        }),
        same("Rollback", order(`${g}`)),
        detail(g, 2, 3),
        detail(g + 1, 0, 1),
      ];
    },
  },
  {
    name: "sells nothing of an order of which nothing is there, however it is to be filled",
    notInArticle,
    calls: (g) => [
      set(g, 0, 1),
      set(g + 1, 0, 1),
      fails(
        "Sell",
        { ...order(`${g}`, [g, 5], [g + 1, 1]), ...AVAILABLE },
        "FAILED_PRECONDITION",
        { "@type": "inventory.v1.ShortStock", ...shortLine(g, 5, 0) },
        { "@type": "inventory.v1.ShortStock", ...shortLine(g + 1, 1, 0) },
      ),
      set(g, 7, 2),
      ok("Sell", { ...order(`${g}`, [g, 5]), ...AVAILABLE }, sold(`${g}`, [g, 5])),
      // Nothing was short, so that it is the same order.
      same("Sell", order(`${g}`, [g, 5])),
    ],
  },
  {
    name: "answers what would come of an order, and leaves everything as it is",
    notInArticle,
    calls: (g) => {
      const { soldAt: _, ...wouldBe } = sold(`${g}`, [g, 3]);
      return [
        set(g, 10, 1),
        ok("Sell", { ...order(`${g}`, [g, 3]), ...DRY }, wouldBe),
        ok("Sell", { ...order("", [g, 3]), ...DRY }, { ...wouldBe, orderId: "" }),
        fails("Sell", { ...order(`${g}`, [g, 11]), ...DRY }, "FAILED_PRECONDITION", {
          "@type": "inventory.v1.ShortStock",
          ...shortLine(g, 11, 10),
        }),
        ok("Rollback", { ...order(`${g}`), ...DRY }, given(`${g}`)),
        ok("Rollback", { ...order("", [g, 2]), ...DRY }, given("", [g, 2])),
        ok("SetInv", { goodsId: g, num: 4, ...DRY }, {
          goodsId: g,
          num: 4,
          onHand: 4,
          reserved: 0,
          version: "2",
          locationId: 0,
          sku: "",
        }),
        fails("SetInv", { goodsId: g + 1, num: 4, expectedVersion: "1", ...DRY }, "ABORTED", current(g + 1, 0, 0)),
        detail(g, 10, 1),
        // It was not barred, nor sold.
        ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
        ok("Sell", { ...order(`${g}`, [g, 3]), ...DRY }, again(sold(`${g}`, [g, 3]))),
        ok("Rollback", { ...part(`${g}`, `${g}-r`, [g, 1]), ...DRY }, given(`${g}`, [g, 1], `${g}-r`)),
        ok("Rollback", part(`${g}`, `${g}-r`, [g, 1]), given(`${g}`, [g, 1], `${g}-r`)),
        detail(g, 8, 3),
      ];
    },
  },
  {
    name: "decides a dry run in a batch on what is before it, and nothing behind it on the dry run",
    notInArticle,
    calls: (g) => {
      const { soldAt: _, ...wouldBe } = sold(`${g}-dry`, [g, 4]);
      return [
        set(g, 10, 1),
        ok(
          "SellBatch",
          {
            orders: [
              order(`${g}-a`, [g, 6]),
              { ...order(`${g}-dry`, [g, 4]), ...DRY },
              { ...order(`${g}-short`, [g, 5]), ...DRY },
              order(`${g}-b`, [g, 4]),
            ],
          },
          verdicts(
            { sold: sold(`${g}-a`, [g, 6]), truncated: false },
            { sold: wouldBe, truncated: false },
            error("FAILED_PRECONDITION", `not enough stock: goods ${g} has 4 available, asked 5`, {
              "@type": "inventory.v1.ShortStock",
              ...shortLine(g, 5, 4),
            }),
            { sold: sold(`${g}-b`, [g, 4]), truncated: false },
          ),
        ),
        detail(g, 0, 3),
      ];
    },
  },
  {
    name: "sells one order to one buyer",
    notInArticle,
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", { ...order(`${g}`, [g, 3]), buyerId: "auth0|5f7c" }, sold(`${g}`, [g, 3])),
      same("Sell", { ...order(`${g}`, [g, 3]), buyerId: "auth0|5f7c" }),
      differs(
        "Sell",
        { ...order(`${g}`, [g, 3]), buyerId: "b@shop.example" },
        `${g}`,
        "buyer_id was auth0|5f7c, now b@shop.example",
      ),
      differs(
        "Sell",
        order(`${g}`, [g, 4]),
        `${g}`,
        `goods ${g} had num 3, now 4; buyer_id was auth0|5f7c, now not given`,
      ),
      fails(
        "Sell",
        { ...order(`${g}-b`, [g, 3]), buyerId: "two words" },
        "INVALID_ARGUMENT",
        badRequest([
          "buyer_id",
          'expected 1 to 64 visible ASCII characters, got " " (U+0020) as character 4 of 9',
        ]),
      ),
      detail(g, 7, 2),
    ],
  },
  {
    name: "takes a reason and a document, each by its rule",
    notInArticle,
    calls: (g) => {
      const why = { reason: "correction", documentUri: "https://shop.example/po/7" };
      return [
        ok("SetInv", { goodsId: g, num: 10, ...why }, {
          goodsId: g,
          num: 10,
          onHand: 10,
          reserved: 0,
          version: "1",
          locationId: 0,
          sku: "",
        }),
        ok("Sell", { ...order(`${g}`, [g, 3]), ...why }, sold(`${g}`, [g, 3])),
        // What it is for is no part of the order.
        same("Sell", order(`${g}`, [g, 3])),
        ok("Rollback", { ...order(`${g}`), ...why }, given(`${g}`, [g, 3])),
        fails(
          "Rollback",
          { ...order("", [g, 1]), reason: "Because", documentUri: "two words" },
          "INVALID_ARGUMENT",
          badRequest(
            [
              "reason",
              'expected a code of 1 to 32 characters out of a-z 0-9 _, got "B" (U+0042) as character 1 of 7',
            ],
            [
              "document_uri",
              'expected a URI of 1 to 512 visible ASCII characters, got " " (U+0020) as character 4 of 9',
            ],
          ),
        ),
        detail(g, 10, 3),
      ];
    },
  },
];

/** A line of which less is there than asked for. */
function shortLine(goodsId: number, asked: number, available: number): Json {
  return { goodsId, asked, available, locationId: 0, sku: "" };
}

/** Detail that says what stands there, at location 0 and with nothing reserved. */
export function current(goodsId: number, num: number, version: number): Json {
  return {
    "@type": "inventory.v1.CurrentLevel",
    goodsId,
    locationId: 0,
    sku: "",
    num,
    onHand: num,
    reserved: 0,
    version: `${version}`,
  };
}

/** The order id was used with other content. */
function differs(method: "Sell", request: Json, orderId: string, differences: string) {
  const metadata = { field: "order_id", order_id: orderId, differences };
  return fails(method, request, "ALREADY_EXISTS", info("CONTENT_DIFFERS", metadata));
}
