import { assertEquals, assertThrows } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { RollbackRequestSchema, SellRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { INT32_MAX } from "../../src/inventory/model.ts";
import { decodeRollback, decodeSell } from "../../src/rpc/requests.ts";

const LINES_MAX = 3;
const RULES = { orderLinesMax: LINES_MAX, orderIdRequired: false, newId: () => "new" };

/** Decodes a sale and a rollback with these lines; answers their lines, and that both are alike. */
function linesOf(goodsInfo: readonly { goodsId: number; num: number }[]) {
  const sell = () => decodeSell(create(SellRequestSchema, { orderId: "o", goodsInfo: [...goodsInfo] }), RULES);
  const back = () => decodeRollback(create(RollbackRequestSchema, { orderId: "o", goodsInfo: [...goodsInfo] }), RULES);
  return [sell, back].map((decode) => () => decode().operation.lines);
}

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ goodsId: i + 1, num: 1 }));

Deno.test("an order has as many lines as it may, and not one more", () => {
  for (const lines of linesOf(many(LINES_MAX))) assertEquals(lines(), many(LINES_MAX));
  for (const lines of linesOf(many(LINES_MAX + 1))) {
    const error = assertThrows(lines, ConnectError, `expected at most ${LINES_MAX} lines, got ${LINES_MAX + 1}`);
    assertEquals(error.code, Code.InvalidArgument);
  }
});

Deno.test("lines of one goods add up to the largest int32, and not to one more", () => {
  const most = [{ goodsId: 7, num: INT32_MAX - 1 }, { goodsId: 7, num: 1 }];
  for (const lines of linesOf(most)) assertEquals(lines(), [{ goodsId: 7, num: INT32_MAX }]);
  for (const lines of linesOf([...most, { goodsId: 7, num: 1 }])) {
    assertThrows(lines, ConnectError, `goods 7 has ${INT32_MAX + 1}`);
  }
});

Deno.test("the smallest goods id and quantity are 1", () => {
  for (const lines of linesOf([{ goodsId: 1, num: 1 }])) assertEquals(lines(), [{ goodsId: 1, num: 1 }]);
  for (const lines of linesOf([{ goodsId: 0, num: 0 }])) {
    assertThrows(lines, ConnectError, "goods_info[0].goods_id: expected a goods id greater than 0, got 0, and 1 more");
  }
});
