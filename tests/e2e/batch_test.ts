/**
 * Batches at their edges: an answer that would be too large, a deadline in the middle, and each error compared with
 * that of the single call, its message too.
 */
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { InventoryService, type SellVerdict } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { decodeDetail, type Json, registry } from "../support/clients/client.ts";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { takeLeases } from "../support/contention.ts";
import { serverTest, type Step, type TestServer } from "../support/server.ts";
import { allRows } from "../support/all_rows.ts";
import { eventually } from "../support/eventually.ts";

const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;
/** Enough for the order whose goods are free, on a machine that is busy with other things. */
const DEADLINE_MS = 2000;
const CODES: Readonly<Record<string, number>> = {
  invalid_argument: 3,
  not_found: 5,
  already_exists: 6,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
};

/** What the details would make too large is answered all the same, over every format. */
async function tooLargeWithDetails(server: TestServer, step: Step): Promise<void> {
  await post(server.url, "SetInv", { goodsId: 4, num: 100 });
  // Some 5 KB of details each, so that with all of them the answer would have 5 MB.
  const bad = { goodsInfo: Array.from({ length: 30 }, () => ({})) };
  const orders = (orderId: string) => [...Array.from({ length: 998 }, () => bad), sellOf(orderId, 4)];
  const check = (verdicts: readonly SellVerdict[], orderId: string) => {
    assertEquals(verdicts.length, 999);
    const details = verdicts.slice(0, 998).map(({ outcome, truncated }) => {
      assert(outcome.case === "error");
      const [found] = outcome.value.details.map((any) => anyUnpack(any, BadRequestSchema));
      assertEquals(outcome.value.code, CODES.invalid_argument);
      assertEquals(found?.fieldViolations.length, truncated ? undefined : 50);
      return truncated;
    });
    assertEquals([details.at(0), details.at(-1)], [false, true]);
    const sold = verdicts.at(-1)!.outcome;
    assertEquals([sold.case, (sold.value as { orderId: string }).orderId], ["sold", orderId]);
  };
  await step("JSON", async () => {
    const client = createClient(
      InventoryService,
      createConnectTransport({ baseUrl: server.url, jsonOptions: { registry } }),
    );
    check((await client.sellBatch({ orders: orders("json") })).verdicts, "json");
    const { length } = JSON.stringify((await post(server.url, "SellBatch", { orders: orders("json") })).body);
    assert(length > RESPONSE_BYTES_MAX * 0.9 && length <= RESPONSE_BYTES_MAX, `${length} bytes`);
  });
  await step("gRPC-web", async () => {
    const client = createClient(InventoryService, createGrpcWebTransport({ baseUrl: server.url }));
    check((await client.sellBatch({ orders: orders("web") })).verdicts, "web");
  });
  await step("grpc-js, with its own limit", async () => {
    const service = connect(server.url);
    const result = await callGrpcJs(service, "SellBatch", { orders: orders("js") });
    service.close();
    assert("answer" in result);
    const verdicts = result.answer.verdicts as { truncated: boolean; sold?: { orderId: string } }[];
    assertEquals([verdicts.length, verdicts.at(-1)!.sold!.orderId], [999, "js"]);
    assertEquals(verdicts.at(-2)!.truncated, true);
  });
  assertEquals((await post(server.url, "InvDetail", { goodsId: 4 })).body.num, 97);
}

serverTest("large batches, and batches whose deadline passes", {
  env: { BATCH_ORDERS_MAX: "10000", REQUEST_BYTES_MAX: String(16 * 1024 * 1024), LOCK_WAIT_MS_MAX: "30000" },
}, async (server, step) => {
  await step(
    "lines that would make an answer too large are left out of it, and the order is answered in full alone",
    () => leavesLinesOut(server),
  );
  await step("who is late is answered truly when the batch is sent again", () => isAnsweredAgain(server));
});

async function leavesLinesOut(server: TestServer): Promise<void> {
  const orders = 8;
  const lines = Array.from(
    { length: 500 },
    (_, i) => ({ goodsId: 2_147_483_000 + i, locationId: 0, num: 1_000_000, sku: "" }),
  );
  const rows = lines.map(({ goodsId }) => `(${goodsId}, 2000000000, 0, 1)`).join();
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  await owner.unsafe(`insert into levels (goods_id, on_hand, reserved, version) values ${rows}`);
  for (let i = 0; i < orders; i++) await post(server.url, "Sell", { goodsInfo: lines, orderId: `o-${i}` });
  // Answered from the record, each with 500 lines: 120 of them are 2.4 MB, on the 200 kB that 10,000 verdicts leave.
  const asked = [
    ...Array.from({ length: 120 }, (_, i) => ({ goodsInfo: lines, orderId: `o-${i % orders}` })),
    ...Array.from({ length: 9_880 }, () => ({})),
  ];
  const before = await allRows(owner);
  const { verdicts } = (await post(server.url, "SellBatch", { orders: asked })).body as { verdicts: Verdict[] };
  assertEquals(await allRows(owner), before);
  await owner.end();
  const answered = lines.map((line) => ({ ...line, locationId: 0 }));
  const sold = verdicts.slice(0, 120);
  const whole = sold.filter(({ truncated }) => !truncated).length;
  assert(whole > 0 && whole < 120, `${whole} are whole`);
  for (const [i, { sold: answer, truncated }] of sold.entries()) {
    assertEquals([answer!.orderId, answer!.goodsInfo], [`o-${i % orders}`, truncated ? [] : answered]);
  }
  const last = sold.findLast(({ truncated }) => truncated)!.sold!;
  const { body } = await post(server.url, "Sell", { goodsInfo: lines, orderId: last.orderId });
  assertEquals(body, { ...last, goodsInfo: answered });
}

async function isAnsweredAgain(server: TestServer): Promise<void> {
  await post(server.url, "SetInv", { goodsId: 1, num: 10 });
  await post(server.url, "SetInv", { goodsId: 2, num: 10 });
  const batch = { orders: [sellOf("free", 1), sellOf("waits", 2)] };
  {
    await using leases = await takeLeases(2);
    const answer = post(server.url, "SellBatch", batch, { "connect-timeout-ms": String(DEADLINE_MS) });
    await leases.askedFor();
    await eventually(
      async () => (await post(server.url, "InvDetail", { goodsId: 1 })).body.num === 9,
      "the free order is sold",
    );
    const { status, body } = await answer;
    assertEquals([status, body.code], [504, "deadline_exceeded"]);
    assertEquals((await post(server.url, "InvDetail", { goodsId: 2 })).body.num, 10);
  }
  const { body } = await post(server.url, "SellBatch", batch);
  assertEquals((body.verdicts as Verdict[]).map(({ sold }) => sold?.orderId), ["free", "waits"]);
  for (const goodsId of [1, 2]) assertEquals((await post(server.url, "InvDetail", { goodsId })).body.num, 9);
}

serverTest("errors in verdicts are those of the single call, and an answer with a thousand of them fits", {
  env: { LOCK_WAIT_MS_MAX: "2500" },
}, async (server, step) => {
  await tooLargeWithDetails(server, step);
  await asTheSingleCall(server, step);
});

/** The error in a verdict is that of the single call: code, message and details. */
async function asTheSingleCall(server: TestServer, step: Step): Promise<void> {
  const url = server.url;
  await post(url, "SetInv", { goodsId: 1, num: 10 });
  await post(url, "SetInv", { goodsId: 2, num: 2_147_483_647 });
  await post(url, "SetInv", { goodsId: 3, num: 10 });
  await post(url, "Sell", sellOf("sold", 1));
  await post(url, "Sell", sellOf("back", 1));
  await post(url, "Rollback", { orderId: "back" });
  await post(url, "Rollback", { orderId: "sold", rollbackId: "used", goodsInfo: [{ goodsId: 1, num: 1 }] });
  const rows: [single: string, batch: string, field: string, code: string, request: Json][] = [
    ["Sell", "SellBatch", "orders", "invalid_argument", { orderId: "é", goodsInfo: [{ goodsId: -1 }, {}] }],
    ["Sell", "SellBatch", "orders", "invalid_argument", { goodsInfo: Array.from({ length: 501 }, () => ({})) }],
    ["Sell", "SellBatch", "orders", "not_found", { goodsInfo: [{ goodsId: 8, num: 1 }, { goodsId: 7, num: 1 }] }],
    ["Sell", "SellBatch", "orders", "failed_precondition", { goodsInfo: [{ goodsId: 1, num: 99 }] }],
    ["Sell", "SellBatch", "orders", "failed_precondition", sellOf("back", 1)],
    ["Sell", "SellBatch", "orders", "already_exists", sellOf("sold", 2)],
    ["Rollback", "RollbackBatch", "rollbacks", "invalid_argument", {}],
    ["Rollback", "RollbackBatch", "rollbacks", "not_found", { goodsInfo: [{ goodsId: 8, num: 1 }], rollbackId: "r" }],
    ["Rollback", "RollbackBatch", "rollbacks", "failed_precondition", sellOf("sold", 3)],
    ["Rollback", "RollbackBatch", "rollbacks", "already_exists", { orderId: "back", rollbackId: "used" }],
    ["Rollback", "RollbackBatch", "rollbacks", "out_of_range", sellOf("", 2)],
  ];
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  const before = await allRows(owner);
  for (const [single, batch, field, code, request] of rows) {
    await step(`${single} ${code} ${JSON.stringify(request).slice(0, 40)}`, async () => {
      const alone = (await post(url, single, request)).body;
      assertEquals(alone.code, code);
      const { verdicts } = (await post(url, batch, { [field]: [request, request] })).body as { verdicts: Verdict[] };
      assertEquals(verdicts, [asVerdict(alone), asVerdict(alone)]);
    });
  }
  await step("InvDetail", async () => {
    for (const goodsId of [7, -1]) {
      const { error } = asVerdict((await post(url, "InvDetail", { goodsId })).body);
      assertEquals((await post(url, "BatchInvDetail", { goodsIds: [goodsId] })).body, { verdicts: [{ error }] });
    }
  });
  await step("goods that others have leases of", async () => {
    await using _leases = await takeLeases(3);
    const alone = (await post(url, "Sell", sellOf("later", 3))).body;
    assertEquals(alone.code, "aborted");
    const { verdicts } = (await post(url, "SellBatch", { orders: [sellOf("later", 3)] })).body;
    assertEquals(verdicts, [asVerdict(alone)]);
  });
  assertEquals(await allRows(owner), before);
  await owner.end();
}

/** A verdict in JSON, as far as these tests look at it. */
interface Verdict {
  readonly error?: Json;
  readonly sold?: { readonly orderId: string; readonly goodsInfo: readonly Json[] };
  readonly truncated: boolean;
}

/** An error of Connect in JSON as the verdict that it should be in a batch. */
function asVerdict(error: Json): Verdict {
  const details = (error.details as { type: string; value: string }[]).map((detail) => ({
    ...decodeDetail(detail),
    "@type": `type.googleapis.com/${detail.type}`,
  }));
  return { error: { code: CODES[error.code as string], message: error.message, details }, truncated: false };
}

function sellOf(orderId: string, goodsId = 1): Json {
  return { orderId, goodsInfo: [{ goodsId, num: 1 }] };
}

async function post(
  url: string,
  method: string,
  request: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Json }> {
  const response = await fetch(`${url}/inventory.v1.InventoryService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(request),
  });
  return { status: response.status, body: await response.json() };
}

function connect(url: string) {
  return grpcJsService(url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService");
}
