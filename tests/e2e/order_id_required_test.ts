/**
 * ORDER_ID_REQUIRED: with it what would be applied again on a retry is refused; without it the server makes the ids.
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import type { CallResult, Client, Json } from "../support/clients/client.ts";
import { grpcJsClient } from "../support/clients/grpc_js.ts";
import { jsonClient } from "../support/clients/json_fetch.ts";
import { serverTest } from "../support/server.ts";
import { allRows } from "../support/all_rows.ts";

const LINES = { goodsInfo: [{ goodsId: 1, num: 1 }] };
const CLIENTS: readonly ((url: string) => Client)[] = [grpcJsClient, jsonClient];

/** Requests without an id of their own, and the field that each lacks. */
const WITHOUT: readonly (readonly ["Sell" | "Rollback", Json, field: string])[] = [
  ["Sell", LINES, "order_id"],
  ["Sell", { ...LINES, orderId: "" }, "order_id"],
  ["Rollback", LINES, "rollback_id"],
];

serverTest("ORDER_ID_REQUIRED=on refuses what has no id, and takes what has one", {
  env: { ORDER_ID_REQUIRED: "on" },
}, async (server, step) => {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  try {
    for (const make of CLIENTS) {
      await using client = make(server.url);
      const name = client.name;
      await client.call("SetInv", { goodsId: 1, num: 100 });
      const before = await allRows(owner);
      for (const [method, request, field] of WITHOUT) {
        await step(`${name}: ${method} without its id`, async () => {
          const result = await client.call(method, request);
          assertEquals("code" in result && result.code, "INVALID_ARGUMENT");
          assertEquals("details" in result ? fieldsOf(result.details) : [], [field]);
          assertEquals(await allRows(owner), before);
        });
      }
      await step(`${name}: batches without ids, each part by itself`, async () => {
        const sells = await client.call("SellBatch", { orders: [LINES, LINES] });
        assertEquals(verdictFields(sells), [["order_id"], ["order_id"]]);
        const rollbacks = await client.call("RollbackBatch", { rollbacks: [LINES, LINES] });
        assertEquals(verdictFields(rollbacks), [["rollback_id"], ["rollback_id"]]);
        assertEquals(await allRows(owner), before);
      });
      await step(`${name}: what has an id is applied, in a batch beside what has none`, async () => {
        const id = (what: string) => `${what}-${name.replaceAll(/[^a-z]/gi, "-")}`;
        for (
          const [method, request] of [
            ["Sell", { ...LINES, orderId: id("one") }],
            ["Rollback", { orderId: id("one") }],
            ["Rollback", { ...LINES, rollbackId: id("give-back") }],
          ] as const
        ) {
          const result = await client.call(method, request);
          assert("answer" in result, JSON.stringify(result));
        }
        const batch = { orders: [{ ...LINES, orderId: id("two") }, LINES] };
        assertEquals(verdictFields(await client.call("SellBatch", batch)), [undefined, ["order_id"]]);
        const rollbacks = { rollbacks: [LINES, { orderId: id("two") }] };
        assertEquals(verdictFields(await client.call("RollbackBatch", rollbacks)), [["rollback_id"], undefined]);
      });
    }
  } finally {
    await owner.end();
  }
});

serverTest("ORDER_ID_REQUIRED=off takes what has no id, and makes one", {
  env: { ORDER_ID_REQUIRED: "off" },
}, async (server, step) => {
  for (const make of CLIENTS) {
    await using client = make(server.url);
    await client.call("SetInv", { goodsId: 1, num: 100 });
    for (const [method, request] of WITHOUT) {
      await step(`${client.name}: ${method} ${JSON.stringify(request)}`, async () => {
        const result = await client.call(method, request);
        assert("answer" in result, JSON.stringify(result));
      });
    }
    await step(`${client.name}: batches`, async () => {
      const sells = await client.call("SellBatch", { orders: [LINES, LINES] });
      const rollbacks = await client.call("RollbackBatch", { rollbacks: [LINES, LINES] });
      assertEquals([verdictFields(sells), verdictFields(rollbacks)], [[undefined, undefined], [undefined, undefined]]);
    });
  }
});

/** The fields that BadRequest names, verdict by verdict; undefined where the part was applied. */
function verdictFields(result: CallResult): (string[] | undefined)[] {
  assert("answer" in result, JSON.stringify(result));
  return (result.answer.verdicts as Json[]).map((verdict) => {
    const error = verdict.error as { code: number; details: Json[] } | undefined;
    if (error === undefined) return undefined;
    assertEquals(error.code, 3);
    return fieldsOf(error.details);
  });
}

function fieldsOf(details: readonly Json[]): string[] {
  return details.flatMap((detail) =>
    (detail.fieldViolations as { field: string }[] | undefined ?? [])
      .map(({ field }) => field)
  );
}
