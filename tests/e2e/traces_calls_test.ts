/** Spans of calls of every protocol, of hostile headers, and of calls that fail; and what no span, and no line, has. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import postgres from "postgres";
import { GoodsService } from "../../src/gen/inventory/v1/goods_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { jsonLines } from "../support/json_lines.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const PARENT = "b7ad6b7169203331";
const SERVICE = "inventory.v1.InventoryService";
/** Names that must be nowhere. */
const ORDER = "order-of-nobodys-business";
const SKU = "sku-of-nobodys-business";

let traces = 0;
/** A trace that a caller has begun. */
function begunTrace(flags = "01") {
  const traceId = (++traces).toString(16).padStart(32, "b");
  return { traceId, traceparent: `00-${traceId}-${PARENT}-${flags}` };
}

/** The call of a trace, with what it came to. */
function callOf(receiver: OtlpReceiver, traceId: string): Promise<ReceivedSpan> {
  return receiver.one(
    (span) => span.traceId === traceId && span.attributes["rpc.response.status_code"] !== undefined,
    `the call of ${traceId}`,
  );
}

function facts({ name, kind, status, attributes }: ReceivedSpan): string {
  const { "rpc.system.name": system, "rpc.response.status_code": code, "holdfast.reason": reason } = attributes;
  return [name, kind, status, system, code, reason].filter((fact) => fact !== undefined).join(" ");
}

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return await call.then(() => undefined, (error) => ConnectError.from(error).code);
}

Deno.test("spans of calls", async (t) => {
  await using receiver = new OtlpReceiver();
  await using server = await startServer({ env: { ...receiver.env, LOG_LEVEL: "debug", ACCESS_LOG_SAMPLE: "1" } });
  const { url } = server;
  const grpc = createGrpcTransport({ baseUrl: url });
  const client = createClient(InventoryService, grpc);
  await createClient(GoodsService, grpc).registerGoods({ goodsId: 2, sku: SKU });
  for (const goodsId of [1, 2, 3]) await client.setInv({ goodsId, num: 1000 });

  await t.step("in every protocol a refused call has its code and reason, and is neither error nor ok", async () => {
    const transports = {
      grpc,
      "grpc web": createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
      "connect over HTTP/1.1": createConnectTransport({ baseUrl: url, httpVersion: "1.1" }),
      "connect over HTTP/2": createConnectTransport({ baseUrl: url, httpVersion: "2", useBinaryFormat: false }),
    };
    for (const [name, transport] of Object.entries(transports)) {
      const { traceId, traceparent } = begunTrace();
      const sell = createClient(InventoryService, transport).sell(
        { orderId: ORDER, goodsInfo: [{ goodsId: 1, num: 5000 }] },
        { headers: { traceparent } },
      );
      assertEquals(await codeOf(sell), Code.FailedPrecondition);
      const system = name.startsWith("grpc") ? "grpc" : "connectrpc";
      const call = await callOf(receiver, traceId);
      assertEquals(facts(call), `${SERVICE}/Sell 2 0 ${system} FAILED_PRECONDITION ShortStock`, name);
      assertEquals(call.parentSpanId, PARENT, name);
    }
  });

  await t.step("a message that can't be read, and a read by GET, are calls too", async () => {
    const unread = begunTrace();
    const post = await fetch(`${url}/${SERVICE}/Sell`, {
      method: "POST",
      headers: { "content-type": "application/json", traceparent: unread.traceparent },
      body: `{"orderSn":"${ORDER}"}`,
    });
    await post.body?.cancel();
    assertEquals(
      facts(await callOf(receiver, unread.traceId)),
      `${SERVICE}/Sell 2 0 connectrpc INVALID_ARGUMENT BadRequest`,
    );

    const read = begunTrace();
    const message = encodeURIComponent(JSON.stringify({ goodsId: 3 }));
    const get = await fetch(`${url}/${SERVICE}/InvDetail?connect=v1&encoding=json&message=${message}`, {
      headers: { traceparent: read.traceparent },
    });
    assertEquals((await get.json()).num, 1000);
    const call = await callOf(receiver, read.traceId);
    assertEquals(facts(call), `${SERVICE}/InvDetail 2 0 connectrpc OK`);
    assertEquals((await receiver.children(call, 1)).map(({ name }) => name), ["read_levels"]);
  });

  await t.step("calls that go together have one batch, in the trace of one; it and the others link", async () => {
    const begun = Array.from({ length: 12 }, () => begunTrace());
    await Promise.all(
      begun.map(({ traceparent }) =>
        client.sell({ goodsInfo: [{ goodsId: 1, num: 1 }] }, { headers: { traceparent } })
      ),
    );
    const calls = await Promise.all(begun.map(({ traceId }) => callOf(receiver, traceId)));
    const ids = calls.map(({ spanId }) => spanId);
    const ours = () =>
      receiver.spans.filter(({ name, links }) => name === "batch" && links.some((id) => ids.includes(id)));
    await eventually(() => ours().flatMap(({ links }) => links).length === calls.length, "batches link all calls");
    assertEquals(ours().flatMap(({ links }) => links).sort(), ids.toSorted());
    assert(ours().some(({ links }) => links.length > 1), "each went alone");
    for (const { traceId, parentSpanId, spanId, links: [first, ...others] } of ours()) {
      assertEquals(parentSpanId, first);
      assertEquals(calls.find((call) => call.spanId === first)?.traceId, traceId);
      for (const other of others) assertEquals(calls.find((call) => call.spanId === other)?.links, [spanId]);
    }
  });

  await t.step("a call beyond its deadline, and one whose caller has left, say so; the first is an error", async () => {
    const owner = postgres(server.databaseOwnerUrl, { max: 1 });
    try {
      await owner.begin(async (sql) => {
        await sql`lock table levels in access exclusive mode`;
        const late = begunTrace();
        const sell = (headers: Record<string, string>, signal?: AbortSignal) =>
          codeOf(client.sell({ goodsInfo: [{ goodsId: 3, num: 1 }] }, { headers, ...(signal && { signal }) }));
        // By header alone, so that the caller waits for what the server says.
        const limit = { "grpc-timeout": "300m", traceparent: late.traceparent };
        assertEquals(await sell(limit), Code.DeadlineExceeded);
        assertEquals(facts(await callOf(receiver, late.traceId)), `${SERVICE}/Sell 2 2 grpc DEADLINE_EXCEEDED`);

        const left = begunTrace();
        const leaving = new AbortController();
        const gone = sell({ traceparent: left.traceparent }, leaving.signal);
        const waiting = () =>
          sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
        await eventually(async () => (await waiting()).length > 0, "the call waits");
        leaving.abort();
        assertEquals(await gone, Code.Canceled);
        // Deno calls every stream that was reset an error.
        assertEquals(facts(await callOf(receiver, left.traceId)), `${SERVICE}/Sell 2 2 grpc CANCELLED`);
      });
    } finally {
      await owner.end();
    }
  });

  await t.step(
    "headers that are no traceparent begin a trace of their own, and nothing else comes of them",
    async () => {
      const traceId = "c".repeat(32);
      const hostile = [
        "",
        "00",
        `00-${traceId}-${PARENT}`,
        `00-${traceId}-${PARENT}-01-more`,
        `ff-${traceId}-${PARENT}-01`,
        `00-${"0".repeat(32)}-${PARENT}-01`,
        `00-${traceId}-${"0".repeat(16)}-01`,
        `00-${traceId.toUpperCase()}-${PARENT}-01`,
        `00-${traceId.slice(1)}-${PARENT}-01`,
        `00-${"x".repeat(32)}-${PARENT}-01`,
        `00-${traceId}-${PARENT}-01`.repeat(60),
        `00-${traceId}-${PARENT}-01, 00-${traceId}-${PARENT}-01`,
      ];
      const before = receiver.spans.length;
      for (const [i, traceparent] of hostile.entries()) {
        const headers = { traceparent, tracestate: `a=${"b".repeat(3000)}`, baggage: `k=${"v".repeat(3000)}` };
        const answer = await client.sell({ orderId: `h-${i}`, goodsInfo: [{ goodsId: 3, num: 1 }] }, { headers });
        assertEquals(answer.replayed, false);
      }
      const isCall = ({ name, attributes }: ReceivedSpan) =>
        name === `${SERVICE}/Sell` && attributes["rpc.response.status_code"] === "OK";
      const seen = () => receiver.spans.slice(before).filter(isCall);
      await eventually(() => seen().length >= hostile.length, "all calls are seen");
      assertEquals(seen().map(({ parentSpanId }) => parentSpanId), hostile.map(() => ""));
      assertEquals(seen().filter((span) => span.traceId.toLowerCase() === traceId), []);
    },
  );

  await t.step("lines that belong to a call have its trace, and the one for the call has the rest", async () => {
    const { traceId, traceparent } = begunTrace();
    const headers = { traceparent, "x-request-id": "traced", "x-holdfast-actor": "desk 7" };
    await client.sell({ goodsInfo: [{ goodsId: 3, num: 1 }] }, { headers });
    const { spanId } = await callOf(receiver, traceId);
    const lines = () => linesOf(server).filter(({ requestId }) => requestId === "traced");
    await eventually(() => lines().length === 2, "both lines of the call");
    const [answered, call] = lines();
    assertEquals([answered?.msg, answered?.trace_id, answered?.span_id], ["call answered", traceId, spanId]);
    assertEquals({ ...call, time: "", ms: 0 }, {
      level: "info",
      time: "",
      trace_id: traceId,
      span_id: spanId,
      method: `${SERVICE}/Sell`,
      code: "OK",
      ms: 0,
      actor: "desk 7",
      peer: "127.0.0.1",
      requestId: "traced",
      msg: "call",
    });
  });

  await t.step("no span and no line for a call has anything of a message, or a secret", () => {
    const all = receiver.bodies.join("\n");
    assertStringIncludes(all, "write_changes");
    const { password } = new URL(server.databaseOwnerUrl);
    for (const text of [ORDER, SKU, ...(password === "" ? [] : [password])]) assert(!all.includes(text), text);
    const calls = linesOf(server).filter(({ msg }) => msg === "call").map((line) => JSON.stringify(line));
    assert(calls.length > 20);
    for (const text of [ORDER, SKU]) assert(!calls.some((line) => line.includes(text)), text);
  });
});

function linesOf({ output }: TestServer): Record<string, unknown>[] {
  return jsonLines(output.stderr.slice(0, output.stderr.lastIndexOf("\n")));
}
