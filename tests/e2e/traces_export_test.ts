/** Where traces go, or can't go: workers send them too, samplers are heeded, and nobody waits for a collector. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { OtlpReceiver } from "../support/otlp_receiver.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const PARENT = "b7ad6b7169203331";
const SELLS = 200;

Deno.test("workers send their traces; of callers' own traces a parent-based sampler takes those that are sampled", async () => {
  await using receiver = new OtlpReceiver();
  await using server = await startServer({
    workers: 2,
    env: { ...receiver.env, OTEL_TRACES_SAMPLER: "parentbased_always_off", ACCESS_LOG_SAMPLE: "1" },
  });
  const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
  await client.setInv({ goodsId: 1, num: 100 });
  const sell = (trace: string, flags: string) =>
    client.sell({ goodsInfo: [{ goodsId: 1, num: 1 }] }, {
      headers: { traceparent: `00-${trace.padEnd(32, trace)}-${PARENT}-${flags}`, "x-request-id": trace },
    });
  await sell("d", "00");
  await sell("e", "01");
  const isBatch = ({ name }: { readonly name: string }) => name === "batch";
  const batch = await receiver.one(isBatch, "a batch");
  assertEquals(batch.traceId, "e".repeat(32));
  assertEquals(receiver.spans.filter(({ traceId }) => traceId !== batch.traceId), []);
  // Untraced calls whose batch begins where that of a traced one ends are no part of its trace.
  await Promise.all([sell("f", "01"), ...Array.from({ length: 5 }, () => sell("0c", "00"))]);
  await sell("9", "01");
  const last = await receiver.one((span) => isBatch(span) && span.traceId === "9".repeat(32), "the last batch");
  await receiver.children(last, 2);
  const writes = receiver.spans.filter(({ name }) => name === "write_changes").map(({ traceId }) => traceId);
  assertEquals(writes, ["e", "f", "9"].map((trace) => trace.repeat(32)));
  // In the log each call has the trace that it is in, sampled or not, so that the lines of many servers can be joined.
  const lines = () => server.output.stderr.split("\n").filter((line) => line.includes('"msg":"call"'));
  const traceOf = (id: string) =>
    lines().map((line) => JSON.parse(line)).find((line) => line.requestId === id)?.trace_id;
  await eventually(() => traceOf("e") !== undefined, "the line of the call");
  assertEquals([traceOf("d"), traceOf("e")], ["d".repeat(32), "e".repeat(32)]);
});

Deno.test("a collector that does not answer, or is not there, costs no call and no order, and does not keep the process", async () => {
  await using silent = new OtlpReceiver(false);
  const nowhere = { ...silent.env, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };
  // Spans beyond what may wait are lost, and nothing else.
  const few = { OTEL_BSP_MAX_QUEUE_SIZE: "64", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "16" };
  for (const env of [{ ...silent.env, ...few }, { ...nowhere, ...few }]) {
    await using server = await startServer({ env });
    await sellAll(server);
    assertEquals(await checkLedger(server.databaseOwnerUrl), []);
    assertEquals(await server.stop(), 0);
  }
  assert(silent.requests > 0, "nothing was sent");
});

async function sellAll(server: TestServer): Promise<void> {
  const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
  await client.setInv({ goodsId: 1, num: SELLS });
  const sells = Array.from(
    { length: SELLS },
    (_, i) => client.sell({ orderId: `o-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] }),
  );
  await Promise.all(sells);
  assertEquals((await client.invDetail({ goodsId: 1 })).num, 0);
}
