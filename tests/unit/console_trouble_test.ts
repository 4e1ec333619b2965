/** Errors of the API in the words of a shop. */
import { assert, assertEquals } from "@std/assert";
import { Code, ConnectError } from "@connectrpc/connect";
import { formatsOf } from "../../src/console/parts/formats.ts";
import { troubleOf } from "../../src/console/parts/trouble.ts";
import * as ERRORS from "../../src/console/words/errors.ts";
import * as LEDGER from "../../src/console/words/ledger.ts";
import type { Refusal } from "../../src/inventory/model.ts";
import { failureError, refusalError } from "../../src/services/refusals.ts";
import { Failure } from "../../src/lanes/failure.ts";

const PLACE = { goodsId: 7, locationId: 0 };
const OTHER = { goodsId: 8, locationId: 3 };
const LEVEL = { ...PLACE, onHand: 1500, reserved: 1, version: 4, deleted: false };

function said(error: unknown, language: "en" | "zh" = "en") {
  return troubleOf(error, {
    words: ERRORS[language],
    states: LEDGER[language].states,
    formats: formatsOf("en"),
  });
}

Deno.test("every refusal of the server is said in words of a shop, with its lines", () => {
  const rows: readonly (readonly [Refusal, string, readonly string[]])[] = [
    [
      { reason: "short_stock", lines: [{ ...PLACE, asked: 5, available: 2 }, { ...OTHER, asked: 1, available: 0 }] },
      "There is not enough stock",
      ["goods 7: 5 asked for, 2 there", "goods 8 at location 3: 1 asked for, 0 there"],
    ],
    [{ reason: "order_state", orderId: "o", state: "rolled_back" }, "(Rolled back)", []],
    [
      { reason: "exceeds_sold", orderId: "o", lines: [{ ...PLACE, asked: 5, returnable: 2 }] },
      "more than was sold",
      ["goods 7: 5 asked for, 2 at most"],
    ],
    [
      { reason: "exceeds_held", orderId: "o", lines: [{ ...PLACE, asked: 5, held: 2 }] },
      "more than the hold has",
      ["goods 7: 5 asked for, 2 at most"],
    ],
    [
      { reason: "over_limit", limit: "buyer", lines: [{ ...PLACE, asked: 5, taken: 1, max: 3 }] },
      "A limit",
      ["goods 7: 5 asked for, 3 a buyer at most, of which this buyer has 1"],
    ],
    [{ reason: "buyer_required", places: [PLACE] }, "say who buys", []],
    [{ reason: "unknown_goods", places: [PLACE, OTHER] }, "no such goods", ["7", "8@3"]],
    [{ reason: "has_holds", place: PLACE, reserved: 2 }, "Live holds have 2 of it", []],
    [{ reason: "below_floor", place: PLACE, available: -2 }, "-2 are available", []],
    [{ reason: "out_of_range", of: "on_hand", places: [PLACE] }, "more than can be counted", []],
    [{ reason: "out_of_range", of: "reserved", places: [PLACE] }, "more than can be counted", []],
    [
      { reason: "content_differs", field: "operation_id", id: "o", differences: ["goods 7 had num 1, now 2"] },
      "other content",
      ["goods 7 had num 1, now 2"],
    ],
    [{ reason: "unknown_order", orderId: "o" }, "no such thing", []],
  ];
  for (const [refusal, text, lines] of rows) {
    const trouble = said(refusalError(refusal));
    assert(trouble.text.includes(text), trouble.text);
    assertEquals([trouble.mayRetry, trouble.isUnsure, trouble.current], [false, false, undefined], text);
    assertEquals(trouble.lines, lines, text);
    assert(/\p{Script=Han}/u.test(said(refusalError(refusal), "zh").text), text);
  }
});

Deno.test("what was not as expected comes with what stands there", () => {
  const trouble = said(refusalError({ reason: "not_as_expected", place: PLACE, level: LEVEL }));
  assertEquals(trouble.lines, ["goods 7: 1,499 available and 1,500 on hand now"]);
  assertEquals([trouble.current?.version, trouble.mayRetry], [4n, false]);
});

Deno.test("what may be done is distinguished from what was not", () => {
  const unsure = said(failureError(new Failure("outcome_unknown", "lost")));
  assertEquals([unsure.text, unsure.isUnsure, unsure.mayRetry], [ERRORS.en.unsure, true, true]);
  const busy = said(failureError(new Failure("busy", "x")));
  assertEquals([busy.text, busy.isUnsure, busy.mayRetry], [ERRORS.en.busy, false, true]);
  assertEquals(said(new ConnectError("x", Code.DeadlineExceeded)).isUnsure, true);
  // A browser throws no more than this where a connection breaks.
  assertEquals(said(new TypeError("Failed to fetch")).isUnsure, true);
  assertEquals(said(new ConnectError("x", Code.Unavailable)).text, ERRORS.en.away);
});
