import type { DescMessage } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { OrderState, OrderStateConflictSchema, ShortStockSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import type { Refusal } from "../../src/inventory/model.ts";
import { Failure, type FailureKind } from "../../src/lanes/failure.ts";
import { drainingError } from "../../src/rpc/errors.ts";
import { articleError } from "../../src/services/article/encode.ts";
import { failureError, refusalError } from "../../src/services/refusals.ts";

const REFUSALS: [Refusal, Code, detail: string][] = [
  [
    { reason: "unknown_goods", places: [{ goodsId: 4, locationId: 0 }, { goodsId: 5, locationId: 2 }] },
    Code.NotFound,
    "google.rpc.ErrorInfo",
  ],
  [
    { reason: "short_stock", lines: [{ goodsId: 1, locationId: 0, asked: 2, available: 1 }] },
    Code.FailedPrecondition,
    "inventory.v1.ShortStock",
  ],
  [
    { reason: "order_state", orderId: "o", state: "barred" },
    Code.FailedPrecondition,
    "inventory.v1.OrderStateConflict",
  ],
  [
    { reason: "exceeds_sold", orderId: "o", lines: [{ goodsId: 1, locationId: 0, asked: 2, returnable: 1 }] },
    Code.FailedPrecondition,
    "inventory.v1.ExceedsSold",
  ],
  [
    { reason: "content_differs", field: "order_id", id: "o", differences: ["goods 1 is missing"] },
    Code.AlreadyExists,
    "google.rpc.ErrorInfo",
  ],
  [
    { reason: "out_of_range", of: "on_hand", places: [{ goodsId: 1, locationId: 0 }] },
    Code.OutOfRange,
    "google.rpc.ErrorInfo",
  ],
];

/** The content of an error's first detail. */
function first(error: ConnectError): Record<string, unknown> {
  return (error.details[0] as unknown as { value: Record<string, unknown> }).value;
}

Deno.test("what can't be counted any more is said by its own name", () => {
  const said = (["on_hand", "reserved", "rise"] as const).map((of) => {
    const error = refusalError({ reason: "out_of_range", of, places: [{ goodsId: 1, locationId: 0 }] });
    return [first(error).reason, error.rawMessage];
  });
  assertEquals(said, [
    ["ON_HAND_OUT_OF_RANGE", "on_hand would pass 2147483647: goods 1"],
    ["RESERVED_OUT_OF_RANGE", "reserved would pass 2147483647: goods 1"],
    ["ON_HAND_OUT_OF_RANGE", "on_hand would rise by more than 2147483647: goods 1"],
  ]);
});

function names(error: ConnectError): string[] {
  return error.details.map((detail) => "desc" in detail ? (detail.desc as DescMessage).typeName : detail.type);
}

for (const [refusal, code, detail] of REFUSALS) {
  Deno.test(`refusal ${refusal.reason} is ${Code[code]} with ${detail}`, () => {
    const error = refusalError(refusal);
    assertEquals([error.code, names(error)], [code, [detail]]);
  });
}

const FAILURES: [FailureKind, Code][] = [
  ["busy", Code.Aborted],
  ["no_quorum", Code.Unavailable],
  ["database", Code.Unavailable],
  ["read_only", Code.Unavailable],
  ["outcome_unknown", Code.Unavailable],
  ["queue_full", Code.ResourceExhausted],
  ["deadline_too_short", Code.ResourceExhausted],
];

for (const [kind, code] of FAILURES) {
  Deno.test(`failure ${kind} is ${Code[code]} and says when to retry, and under which id`, () => {
    const error = failureError(new Failure(kind, "why"), { order_id: "made" });
    assertEquals([error.code, names(error)], [code, [ErrorInfoSchema.typeName, RetryInfoSchema.typeName]]);
    assertEquals(first(error).metadata, { order_id: "made" });
  });
}

Deno.test("draining is UNAVAILABLE with RetryInfo", () => {
  const error = drainingError();
  assertEquals([error.code, names(error).includes(RetryInfoSchema.typeName)], [Code.Unavailable, true]);
});

Deno.test("every state of an order has its name on the wire", () => {
  const states = ["held", "sold", "released", "expired", "rolled_back", "barred"] as const;
  for (const state of states) {
    const error = refusalError({ reason: "order_state", orderId: "o", state });
    assertEquals(names(error), [OrderStateConflictSchema.typeName]);
    assertEquals(OrderState[first(error).state as OrderState], state.toUpperCase());
  }
});

Deno.test("the largest refusals stay within what clients take in trailers", () => {
  const places = Array.from({ length: 10_000 }, (_, i) => ({ goodsId: 2_147_473_648 + i, locationId: 0 }));
  const lines = places.map((place) => ({ ...place, asked: 2_147_483_647, available: 1_000_000_000 }));
  for (const refusal of [{ reason: "unknown_goods", places }, { reason: "short_stock", lines }] as const) {
    const error = refusalError(refusal);
    assert(error.message.length < 1000, `a message of ${error.message.length} characters`);
    assert(error.details.length > 0);
  }
  const five = refusalError({ reason: "unknown_goods", places: places.slice(0, 500) });
  const { goods_ids } = first(five).metadata as Record<string, string>;
  assertEquals(goods_ids?.split(",").length, 500);
  assertEquals(refusalError({ reason: "short_stock", lines }).details.length > 50, true);
  assertEquals(refusalError({ reason: "short_stock", lines }).details.length < 100, true);
});

Deno.test("the article's service has INVALID_ARGUMENT for short stock and else the same codes", () => {
  for (const [refusal, code] of REFUSALS) {
    const expected = refusal.reason === "short_stock" ? Code.InvalidArgument : code;
    assertEquals(articleError(refusalError(refusal)).code, expected);
  }
  const short = articleError(
    refusalError({ reason: "short_stock", lines: [{ goodsId: 1, locationId: 0, asked: 2, available: 1 }] }),
  );
  assertEquals(names(short), [ShortStockSchema.typeName]);
});
