/** Traces of real servers, as a receiver of OpenTelemetry gets them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import postgres from "postgres";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { MODES } from "../../src/config/mode_names.ts";
import { takeLeases } from "../support/contention.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { startServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const PARENT = "b7ad6b7169203331";
/** A trace of the caller's own, sampled. */
function traceOf(number: number): { readonly traceId: string; readonly headers: Headers } {
  const traceId = number.toString(16).padStart(32, "a");
  return { traceId, headers: new Headers({ traceparent: `00-${traceId}-${PARENT}-01` }) };
}
const isSell = (traceId: string) => (span: ReceivedSpan) =>
  span.traceId === traceId && span.name === "inventory.v1.InventoryService/Sell" &&
  span.attributes["rpc.response.status_code"] !== undefined;
const names = (spans: readonly ReceivedSpan[]) => spans.map(({ name }) => name);

for (const mode of MODES) {
  Deno.test(`mode ${mode}: the trace of a Sell has its call, batch, lease, read and write, each below the other`, async () => {
    await using receiver = new OtlpReceiver();
    await using server = await startServer({
      env: { ...receiver.env, CONCURRENCY: mode, ACCESS_LOG_SAMPLE: "1", LOCK_WAIT_MS_MAX: "30000" },
    });
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
    await client.setInv({ goodsId: 1, num: 10 });
    // The lease of that is kept for some ms, and who has it asks for none.
    await using leases = await takeLeases(1);
    await leases.release();
    const { traceId, headers } = traceOf(1);
    await client.sell({ orderId: "o-1", goodsInfo: [{ goodsId: 1, num: 3 }] }, { headers });
    const call = await receiver.one(isSell(traceId), "the Sell");
    assertEquals([call.parentSpanId, call.kind, call.status], [PARENT, 2, 0]);
    assertEquals(call.attributes["rpc.system.name"], "grpc");
    assertEquals(call.attributes["rpc.response.status_code"], "OK");
    const batch = await receiver.one(
      (span) => span.parentSpanId === call.spanId && span.name === "batch",
      "the batch of the Sell",
    );
    assertEquals(batch.links, [call.spanId]);
    const read = mode === "row" ? "read_under_row_locks" : "read_snapshot";
    const lease = mode === "redlock" ? ["lease acquire", "lease release"] : [];
    // What was set a moment ago is known here; under row locks it is read all the same.
    const parts = [...lease, ...mode === "row" ? [read] : [], "write_changes"].sort();
    assertEquals(names(await receiver.children(batch, parts.length)), parts);

    // A refused one writes nothing, and says why.
    const refused = traceOf(2);
    const error = await assertRejects(
      () => client.sell({ orderId: "o-2", goodsInfo: [{ goodsId: 1, num: 99 }] }, { headers: refused.headers }),
      ConnectError,
    );
    assertEquals(error.code, Code.FailedPrecondition);
    const refusal = await receiver.one(isSell(refused.traceId), "the refused Sell");
    assertEquals(refusal.attributes["rpc.response.status_code"], "FAILED_PRECONDITION");
    assertEquals(refusal.attributes["holdfast.reason"], "ShortStock");
    assert(refusal.status !== 1, "it is green");
    const vain = await receiver.one((span) => span.parentSpanId === refusal.spanId, "the batch of the refused Sell");
    const inVain = [...lease, read].sort();
    assertEquals(names(await receiver.children(vain, inVain.length)), inVain);

    // One that fails: its write, or in mode row its read, stands red below a batch that did not get on.
    const failed = traceOf(3);
    const owner = postgres(server.databaseOwnerUrl, { max: 1 });
    await owner.begin(async (sql) => {
      await sql`select from levels where goods_id = 1 for update`;
      // In which a busy machine comes to the row, and waits for as long as it may.
      failed.headers.set("grpc-timeout", "3S");
      const sell = client.sell({ orderId: "o-3", goodsInfo: [{ goodsId: 1, num: 1 }] }, { headers: failed.headers });
      await assertRejects(() => sell, ConnectError);
    });
    await owner.end();
    const failure = await receiver.one(isSell(failed.traceId), "the failed Sell");
    assertEquals([failure.status, failure.attributes["error.type"]], [2, "DEADLINE_EXCEEDED"]);
    const locked = ({ traceId, attributes }: ReceivedSpan) =>
      traceId === failed.traceId && attributes["error.type"] === "RowLockedError";
    await eventually(() => receiver.spans.some(locked), "the wait for the row is over");
    const { name, status, parentSpanId } = receiver.spans.find(locked)!;
    assertEquals([name, status], [mode === "row" ? read : "write_changes", 2]);
    const tried = await receiver.one((span) => span.spanId === parentSpanId, "the batch of the failed Sell");
    assertEquals([tried.name, tried.links], ["batch", [failure.spanId]]);
  });
}
