/** The size of a batch's answer: verdicts keep within it whatever is in them. */
import { create, toJson } from "@bufbuild/protobuf";
import { anyUnpack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import {
  RollbackBatchResponseSchema,
  type RollbackVerdict,
  RollbackVerdictSchema,
  SellBatchResponseSchema,
  type SellVerdict,
  SellVerdictSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { INT32_MAX } from "../../src/inventory/model.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { ANSWER_JSON } from "../../src/services/answer_json.ts";
import { AnswerBudget, errorIn, linesIn, VERDICT_BYTES_MAX } from "../../src/services/verdict_budget.ts";
import { failureError, refusalError } from "../../src/services/refusals.ts";

const VERDICTS = 1000;
/** What the server's 4 MiB leave in common to 10,000 verdicts, the largest BATCH_ORDERS_MAX. */
const IN_COMMON_BYTES = 4 * 1024 * 1024 - 10_000 * VERDICT_BYTES_MAX;
const BYTES_MAX = VERDICTS * VERDICT_BYTES_MAX + IN_COMMON_BYTES;
const ID = "i".repeat(64);
const SOLD_AT = timestampFromMs(Date.UTC(9999, 11, 31, 23, 59, 59, 999));
const LINES = Array.from({ length: 500 }, (_, i) => ({ goodsId: INT32_MAX - i, locationId: 0, num: INT32_MAX }));

const ERRORS: Readonly<Record<string, ConnectError>> = {
  "short stock of 500 goods": refusalError({
    reason: "short_stock",
    lines: LINES.map(({ num, ...place }) => ({ ...place, asked: num, available: num })),
  }),
  "500 unknown goods": refusalError({ reason: "unknown_goods", places: LINES }),
  "other content": refusalError({
    reason: "content_differs",
    field: "rollback_id",
    id: ID,
    differences: Array.from({ length: 11 }, () => `goods ${INT32_MAX} had num ${INT32_MAX}, now ${INT32_MAX}`),
  }),
  "bad lines": new ConnectError("x".repeat(100), Code.InvalidArgument, undefined, [{
    desc: BadRequestSchema,
    value: { fieldViolations: LINES.slice(0, 50).map(() => ({ field: "f".repeat(30), description: "d".repeat(60) })) },
  }]),
  // JSON makes six bytes of each of these characters, and three of each of those.
  "a message of control characters": new ConnectError("\x01".repeat(10_000), Code.Internal),
  "a message of wide characters": new ConnectError("語".repeat(10_000), Code.Internal),
};

function sell(end: { error: SellVerdict["outcome"]["value"] } | { answer: object }, truncated: boolean): SellVerdict {
  const outcome = "error" in end ? { case: "error", value: end.error } : { case: "sold", value: end.answer };
  return create(SellVerdictSchema, { outcome, truncated } as never);
}

function jsonBytes(schema: typeof SellBatchResponseSchema | typeof RollbackBatchResponseSchema, verdicts: unknown[]) {
  const text = JSON.stringify(toJson(schema, create(schema, { verdicts } as never), ANSWER_JSON));
  return new TextEncoder().encode(text).length;
}

for (const [name, error] of Object.entries(ERRORS)) {
  Deno.test(`1000 verdicts of an error fit, and keep their code: ${name}`, () => {
    const budget = new AnswerBudget(BYTES_MAX, VERDICTS);
    const verdicts = Array.from({ length: VERDICTS }, () => {
      const { error: status, truncated } = errorIn(budget, error);
      assertEquals(status.code, error.code);
      return sell({ error: status }, truncated);
    });
    const whole = verdicts.filter(({ truncated }) => !truncated).length;
    assert(whole > 0 && whole < VERDICTS, `${whole} are whole`);
    const bytes = jsonBytes(SellBatchResponseSchema, verdicts);
    assert(bytes <= BYTES_MAX, `${bytes} bytes`);
  });
}

Deno.test("an error's size is what it takes as JSON in a verdict, to the byte", () => {
  const budget = new AnswerBudget(BYTES_MAX, VERDICTS);
  const passedOn = new ConnectError("why", Code.Aborted);
  passedOn.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array() });
  const failure = failureError(new Failure("busy", "busy"), { order_id: ID });
  for (const error of [...Object.values(ERRORS), failure, passedOn, new ConnectError("", Code.Canceled)]) {
    const { status, bytes } = budget.written(error);
    const text = JSON.stringify(toJson(StatusSchema, status, ANSWER_JSON));
    const around = `{"error":,"truncated":false},`.length;
    const actual = new TextEncoder().encode(text).length + around;
    assert(bytes >= actual && bytes - actual < 5, `${error.message.slice(0, 40)}: ${bytes}, not ${actual}`);
  }
});

Deno.test("the least that an error may take is never more than it takes", () => {
  const violations = (count: number) => Array(count).fill({ field: "f", description: "d" });
  for (const count of [10, 20, 50]) {
    const value = { fieldViolations: violations(count) };
    const error = new ConnectError("m", Code.InvalidArgument, undefined, [{ desc: BadRequestSchema, value }]);
    const { bytes } = new AnswerBudget(BYTES_MAX, VERDICTS).written(error);
    assertEquals(errorIn(new AnswerBudget(32 + bytes, 1), error).truncated, false);
    assertEquals(errorIn(new AnswerBudget(32 + bytes - 1, 1), error).truncated, true);
  }
});

Deno.test("an error that befell many parts is written once, and its bytes are taken each time", () => {
  const budget = new AnswerBudget(BYTES_MAX, VERDICTS);
  const error = ERRORS["bad lines"]!;
  const [first, second] = [errorIn(budget, error), errorIn(budget, error)];
  assert(first.error === second.error);
  const rest = Array.from({ length: VERDICTS - 2 }, () => errorIn(budget, error).truncated);
  assert(rest.includes(true));
});

Deno.test("1000 sold orders fit, and only lines are left out", () => {
  const budget = new AnswerBudget(BYTES_MAX, VERDICTS);
  const verdicts = Array.from({ length: VERDICTS }, () => {
    const { answer, truncated } = linesIn(budget, { goodsInfo: LINES, orderId: ID, soldAt: SOLD_AT });
    assertEquals([answer.orderId, answer.soldAt], [ID, SOLD_AT]);
    assertEquals(answer.goodsInfo, truncated ? [] : LINES);
    return sell({ answer }, truncated);
  });
  const whole = verdicts.filter(({ truncated }) => !truncated).length;
  assert(whole > 0 && whole < VERDICTS, `${whole} are whole`);
  assert(jsonBytes(SellBatchResponseSchema, verdicts) <= BYTES_MAX);
});

Deno.test("1000 rollbacks fit, and only lines are left out", () => {
  const budget = new AnswerBudget(BYTES_MAX, VERDICTS);
  const verdicts = Array.from({ length: VERDICTS }, (): RollbackVerdict => {
    const { answer, truncated } = linesIn(budget, { goodsInfo: LINES, orderId: ID, rollbackId: ID });
    assertEquals([answer.orderId, answer.rollbackId], [ID, ID]);
    return create(RollbackVerdictSchema, { outcome: { case: "rolledBack", value: answer }, truncated } as never);
  });
  assert(verdicts.some(({ truncated }) => truncated));
  assert(jsonBytes(RollbackBatchResponseSchema, verdicts) <= BYTES_MAX);
});

Deno.test("answers with few lines fit as well, where each is about as large as its own part", () => {
  const verdicts = 100;
  const bytesMax = verdicts * VERDICT_BYTES_MAX + 1000;
  for (let count = 0; count <= 8; count++) {
    const budget = new AnswerBudget(bytesMax, verdicts);
    const answers = Array.from({ length: verdicts }, () => {
      const { answer, truncated } = linesIn(budget, {
        goodsInfo: LINES.slice(0, count),
        orderId: ID,
        rollbackId: ID,
      });
      return create(RollbackVerdictSchema, { outcome: { case: "rolledBack", value: answer }, truncated } as never);
    });
    assertEquals(answers.some(({ truncated }) => truncated), count > 2, `${count} lines`);
    assert(jsonBytes(RollbackBatchResponseSchema, answers) <= bytesMax, `${count} lines`);
  }
});

Deno.test("errors fit as well, where each is about as large as its own part", () => {
  const verdicts = 100;
  const bytesMax = verdicts * VERDICT_BYTES_MAX + 32;
  const whole = new Set<boolean>();
  for (let characters = 250; characters <= VERDICT_BYTES_MAX; characters++) {
    const error = new ConnectError("m".repeat(characters), Code.Unavailable);
    const budget = new AnswerBudget(bytesMax, verdicts);
    const answers = Array.from({ length: verdicts }, () => errorIn(budget, error)).map((end) =>
      sell(end, end.truncated)
    );
    answers.forEach(({ truncated }) => whole.add(!truncated));
    assert(jsonBytes(SellBatchResponseSchema, answers) <= bytesMax, `${characters} characters`);
  }
  assertEquals(whole.size, 2, "some are whole and some are cut");
});

Deno.test("what a caller needs for its retry is never left out, in however large a batch", () => {
  const budget = new AnswerBudget(32 + VERDICT_BYTES_MAX, 1);
  for (
    const kind of [
      "busy",
      "no_quorum",
      "database",
      "read_only",
      "outcome_unknown",
      "queue_full",
      "deadline_too_short",
    ] as const
  ) {
    const message = "The database went away; the change may have been made";
    assertEquals(errorIn(budget, failureError(new Failure(kind, message), { rollback_id: ID })).truncated, false, kind);
  }
  assertEquals(budget.has(VERDICT_BYTES_MAX + 1), false, "there was nothing in common");
});

Deno.test("the details of one short line are never left out", () => {
  const budget = new AnswerBudget(32 + VERDICT_BYTES_MAX, 1);
  const lines = [{ goodsId: INT32_MAX, locationId: 0, asked: INT32_MAX, available: INT32_MAX - 1 }];
  assertEquals(errorIn(budget, refusalError({ reason: "short_stock", lines })).truncated, false);
  assertEquals(budget.has(VERDICT_BYTES_MAX + 1), false, "there was nothing in common");
});

Deno.test("what is in common is given once", () => {
  const budget = new AnswerBudget(32 + 2 * VERDICT_BYTES_MAX + 1000, 2);
  assertEquals(budget.take(VERDICT_BYTES_MAX + 1000), true);
  assertEquals(budget.take(VERDICT_BYTES_MAX + 1), false);
  assertEquals(budget.take(VERDICT_BYTES_MAX), true);
});

Deno.test("the largest batch fits into the server's answers, and one that may not is refused before anything is done", () => {
  const bytesMax = 4 * 1024 * 1024;
  new AnswerBudget(bytesMax, 10_000);
  assertThrows(() => new AnswerBudget(bytesMax, 10_500), RangeError, "10500 verdicts");
});

/** The error as a message. */
function statusIn(error: ConnectError) {
  return new AnswerBudget(BYTES_MAX, VERDICTS).written(error).status;
}

Deno.test("an error as a message has its code, message and details", () => {
  const status = statusIn(refusalError({ reason: "unknown_goods", places: [{ goodsId: 7, locationId: 0 }] }));
  assertEquals([status.code, status.message], [Code.NotFound, "unknown goods: 7"]);
  const [detail] = status.details.map((any) => anyUnpack(any, ErrorInfoSchema));
  assertEquals([detail?.reason, detail?.metadata], ["UNKNOWN_GOODS", { goods_ids: "7" }]);
  const passedOn = new ConnectError("why", Code.Aborted);
  passedOn.details.push({ type: "google.rpc.ErrorInfo", value: status.details[0]!.value });
  assertEquals(statusIn(passedOn).details, status.details);
});
