import { assertEquals, assertThrows } from "@std/assert";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Fill, RollbackRequestSchema, SellRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { INT32_MAX } from "../../src/inventory/model.ts";
import { decodeRollback, decodeSell } from "../../src/services/inventory/decode.ts";

const LINES_MAX = 3;
const RULES = {
  orderLinesMax: LINES_MAX,
  orderIdRequired: false,
  newId: () => "new",
  reasons: { isKnown: () => true, codes: [] },
};

const decodedSell = (request: MessageInitShape<typeof SellRequestSchema>, actor?: string) =>
  decodeSell(create(SellRequestSchema, request), RULES, actor, undefined);
const decodedRollback = (request: MessageInitShape<typeof RollbackRequestSchema>) =>
  decodeRollback(create(RollbackRequestSchema, request), RULES, undefined, undefined);

/** Decodes a sale and a rollback with these lines; answers their lines, and that both are alike. */
function linesOf(goodsInfo: readonly { goodsId: number; locationId?: number; num: number }[]) {
  const sell = () => decodedSell({ orderId: "o", goodsInfo: [...goodsInfo] });
  const back = () => decodedRollback({ orderId: "o", goodsInfo: [...goodsInfo] });
  return [sell, back].map((decode) => () => decode().operation.lines);
}

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ goodsId: i + 1, locationId: 0, num: 1 }));

Deno.test("an order has as many lines as it may, and not one more", () => {
  for (const lines of linesOf(many(LINES_MAX))) assertEquals(lines(), many(LINES_MAX));
  for (const lines of linesOf(many(LINES_MAX + 1))) {
    const error = assertThrows(lines, ConnectError, `expected at most ${LINES_MAX} lines, got ${LINES_MAX + 1}`);
    assertEquals(error.code, Code.InvalidArgument);
  }
});

Deno.test("lines of one goods add up to the largest int32, and not to one more", () => {
  const most = [{ goodsId: 7, locationId: 0, num: INT32_MAX - 1 }, { goodsId: 7, locationId: 0, num: 1 }];
  for (const lines of linesOf(most)) assertEquals(lines(), [{ goodsId: 7, locationId: 0, num: INT32_MAX }]);
  for (const lines of linesOf([...most, { goodsId: 7, locationId: 0, num: 1 }])) {
    assertThrows(lines, ConnectError, `goods 7 has ${INT32_MAX + 1}`);
  }
});

Deno.test("the smallest goods id and quantity are 1", () => {
  for (const lines of linesOf([{ goodsId: 1, locationId: 0, num: 1 }])) {
    assertEquals(lines(), [{ goodsId: 1, locationId: 0, num: 1 }]);
  }
  for (const lines of linesOf([{ goodsId: 0, locationId: 0, num: 0 }])) {
    assertThrows(lines, ConnectError, "goods_info[0].goods_id: expected a goods id greater than 0, got 0, and 1 more");
  }
});

Deno.test("an id that is none is refused by its first wrong character, of an order and of a rollback", () => {
  const wrong: [id: string, got: string][] = [
    ["a b", '" " (U+0020) as character 2 of 3'],
    ["shop/1", '"/" (U+002F) as character 5 of 6'],
    ["{7F3A}", '"{" (U+007B) as character 1 of 6'],
    ["é", '"é" (U+00E9) as character 1 of 1'],
    ["1\u{1f600}2", '"\u{1f600}" (U+1F600) as character 2 of 3'],
    // Not shown: nothing is seen of it, or it turns around what stands beside it.
    ["a\u0000", "U+0000 as character 2 of 2"],
    ["a\n", "U+000A as character 2 of 2"],
    ["a\u200bb", "U+200B as character 2 of 3"],
    ["a\u202eb", "U+202E as character 2 of 3"],
    ["a\u0301", "U+0301 as character 2 of 2"],
    ["a\ud800", "U+D800 as character 2 of 2"],
    ["A".repeat(65), "65 characters"],
    [`${"A".repeat(70)}/`, '"/" (U+002F) as character 71 of 71'],
  ];
  for (const [id, got] of wrong) {
    const message = `: expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got ${got}`;
    const sell = () => decodedSell({ orderId: id, goodsInfo: many(1) });
    const back = () => decodedRollback({ rollbackId: id, goodsInfo: many(1) });
    assertEquals(assertThrows(sell, ConnectError).rawMessage, `order_id${message}`);
    assertEquals(assertThrows(back, ConnectError).rawMessage, `rollback_id${message}`);
  }
});

Deno.test("a sale has what is said of it, with whoever asks, and nothing else", () => {
  const plain = { kind: "sell", orderId: "o", lines: many(1) };
  const said = (more: MessageInitShape<typeof SellRequestSchema>, actor?: string) =>
    decodedSell({ orderId: "o", goodsInfo: many(1), ...more }, actor).operation;
  const attribution = { actor: "till" };
  assertEquals<unknown>(said({}), plain);
  assertEquals<unknown>(said({}, "till"), { ...plain, attribution });
  assertEquals<unknown>(said({ dryRun: true }, "till"), { ...plain, attribution, dryRun: true });
  assertEquals<unknown>(said({ fill: Fill.AVAILABLE, buyerId: "b" }, "till"), {
    ...plain,
    buyerId: "b",
    fill: "available",
    attribution,
  });
  assertEquals<unknown>(said({ reason: "damage" }, "till"), {
    ...plain,
    attribution: { reason: "damage", actor: "till" },
  });
});

Deno.test("ids are compared as they are: case makes another id", () => {
  const idOf = (orderId: string) => decodedSell({ orderId, goodsInfo: many(1) }).operation.orderId;
  assertEquals(idOf("7F3A-b"), "7F3A-b");
  assertEquals(idOf("7f3a-b"), "7f3a-b");
});
