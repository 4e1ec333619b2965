/**
 * Calls whose messages are over the budget: whichever bound it is, and whatever the protocol, they are
 * RESOURCE_EXHAUSTED and say when to come again.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { openStock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { createInventoryService, inventoryModule } from "../../src/services/inventory/service.ts";
import { addServices, boundsOf } from "../../src/services/service_module.ts";
import { FREE_BYTES, MessageBudget } from "../../src/rpc/messages/budget.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { decodeDetail, type Json } from "../support/clients/client.ts";
import { decodeStatusDetails } from "../support/clients/grpc_js.ts";
import { ask, type RawAnswer } from "../support/http2_answers.ts";
import { withListener } from "../support/listening.ts";
import { bytesField, grpcMessage, v1Path, varintField } from "../support/raw_call.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const MIB = 1024 * 1024;
const OTHER = "another address";
const NEVER = new AbortController().signal;
const nothing = () => {};

/** A line as protobuf and as JSON. */
const LINE = bytesField(1, Buffer.concat([varintField(1, 1n), varintField(2, 1n)]));
const JSON_LINE = `{"goodsId":1,"num":1}`;
/**
 * Orders of the batch that is sent, of 50 lines each: some 60 kB, which fit into a window, and become 1.5 MB or 0.4 MB.
 */
const ORDERS = 200;
const JSON_ORDERS = 50;
const LINES = 50;
const ORDER = bytesField(1, Buffer.concat(Array(LINES).fill(LINE)));
const BATCH = Buffer.concat(Array(ORDERS).fill(ORDER));
const JSON_ORDER = `{"goodsInfo":[${Array(LINES).fill(JSON_LINE).join()}]}`;
const JSON_BATCH = Buffer.from(`{"orders":[${Array(JSON_ORDERS).fill(JSON_ORDER).join()}]}`);

/** What a call is sent as. */
interface Wire {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const PROTOCOLS: Readonly<Record<string, Wire>> = {
  "gRPC": { headers: { "content-type": "application/grpc" }, body: grpcMessage(BATCH) },
  "gRPC, JSON": { headers: { "content-type": "application/grpc+json" }, body: grpcMessage(JSON_BATCH) },
  "gRPC-web": { headers: { "content-type": "application/grpc-web+proto" }, body: grpcMessage(BATCH) },
  // Half of it, so that the text fits into a window too.
  "gRPC-web, as text": {
    headers: { "content-type": "application/grpc-web-text" },
    body: Buffer.from(grpcMessage(BATCH.subarray(0, BATCH.length / 2)).toString("base64")),
  },
  "Connect": { headers: { "content-type": "application/proto" }, body: BATCH },
  "Connect, JSON": { headers: { "content-type": "application/json" }, body: JSON_BATCH },
};

const PACKED: Readonly<Record<string, Wire>> = {
  "gRPC, packed": {
    headers: { "content-type": "application/grpc", "grpc-encoding": "gzip" },
    body: grpcMessage(gzipSync(BATCH), { compressed: true }),
  },
  "Connect, packed": {
    headers: { "content-type": "application/proto", "content-encoding": "gzip" },
    body: gzipSync(BATCH),
  },
};

/** Runs with the service behind a listener, which works with this budget; nothing of it gets as far as the database. */
async function withService(budget: MessageBudget, run: (url: string) => Promise<void>): Promise<void> {
  const settings = new Map([["CONCURRENCY", "row"], ["LOG_LEVEL", "silent"]]);
  const config = loadConfig((name) => settings.get(name));
  const stock = openStock(config, { log: SILENT });
  const service = createInventoryService({
    ...config,
    lanes: stock.lanes,
    skusOf: () => undefined,
    giveSku: () => Promise.resolve(),
    reasons: stock.reasons,
    responseBytesMax: 4 * MIB,
    newId: () => "id",
    log: SILENT,
  });
  const modules = [inventoryModule(service, config)];
  const handler = createRpcHandler({
    log: SILENT,
    bounds: boundsOf(modules),
    budget,
    routes: (router) => addServices(router, modules),
  });
  try {
    await withListener({ handler }, ({ listener }) => run(listener.url));
  } finally {
    await stock.close();
  }
}

/** Sends the batch over HTTP/2, and over HTTP/1.1 where the protocol has it; what came back of each. */
async function send(url: string, { headers, body }: Wire, then: "end" | "wait" = "end"): Promise<RawAnswer[]> {
  const path = v1Path("SellBatch");
  const answers = [await ask(url, path, { headers, body: [body], then })];
  if (then === "end" && !/^application\/grpc(\+|$)/.test(headers["content-type"]!)) {
    const response = await fetch(url + path, { method: "POST", headers, body: body as Uint8Array<ArrayBuffer> });
    const bytes = Buffer.from(await response.arrayBuffer());
    const header = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    answers.push({
      status: response.status,
      header,
      body: bytes.toString("latin1"),
      trailer: [],
      rstCode: undefined,
    });
  }
  return answers;
}

/** The code and the details of an answer, wherever its protocol has them. */
function errorOf({ header, body, trailer }: RawAnswer): { code: string; details: Json[] } {
  if (body.startsWith("{")) {
    const { code, details = [] } = JSON.parse(body) as { code: string; details?: { type: string; value: string }[] };
    return { code, details: details.map(decodeDetail) };
  }
  // gRPC-web has its trailers in the body, behind a prefix; or, without a message, in the header.
  const isText = header.some((line) => line.startsWith("content-type: application/grpc-web-text"));
  const frames = isText ? Buffer.from(body, "base64").toString("latin1") : body;
  const lines = [...header, ...trailer, ...frames.slice(5).split("\r\n")];
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
  const bytes = Buffer.from(value("grpc-status-details-bin"), "base64");
  return { code: value("grpc-status") === "8" ? "resource_exhausted" : "another", details: decodeStatusDetails(bytes) };
}

function assertRefused(name: string, answers: readonly RawAnswer[]): void {
  for (const answer of answers) {
    const { code, details } = errorOf(answer);
    const [info, retry] = details;
    assertEquals([code, info?.reason], ["resource_exhausted", "MESSAGE_BYTES_SPENT"], `${name}: ${answer.body}`);
    assertEquals(retry?.["@type"], "google.rpc.RetryInfo", name);
    // In JSON a duration is a text.
    const { seconds, nanos } = retry?.retryDelay as { seconds: string; nanos: number };
    const delay = seconds === undefined ? retry?.retryDelay : `${seconds}.${nanos / 1e6}s`;
    assertEquals(delay, "0.100s", name);
  }
}

Deno.test("a message that is more than may be received", async () => {
  const budget = new MessageBudget(4 * MIB);
  budget.begin(OTHER, nothing).keep(3 * MIB / 2);
  budget.begin(OTHER, nothing).keep(3 * MIB / 2);
  await withService(budget, async (url) => {
    for (const [name, wire] of Object.entries(PROTOCOLS)) assertRefused(name, await send(url, wire));
  });
});

Deno.test("a message that becomes more than the budget has left", async () => {
  // Of which no batch has to wait for a turn.
  const budget = new MessageBudget(128 * MIB);
  for (const bytes of [32 * MIB, 31.8 * MIB]) budget.begin(OTHER, nothing).keep(bytes);
  await withService(budget, async (url) => {
    for (const [name, wire] of Object.entries({ ...PROTOCOLS, ...PACKED })) assertRefused(name, await send(url, wire));
  });
});

Deno.test("the share of an address is taken, by another call of it", async () => {
  const budget = new MessageBudget(8 * MIB, MIB);
  budget.begin("127.0.0.1", nothing).keep(MIB);
  await withService(budget, async (url) => {
    for (const [name, wire] of Object.entries(PROTOCOLS)) assertRefused(name, await send(url, wire));
  });
});

Deno.test("no turn for a large batch", async () => {
  const budget = new MessageBudget(16 * MIB, undefined, 20);
  const end = await budget.turns.take(budget.turns.bytesMax, OTHER, NEVER);
  await withService(budget, async (url) => {
    for (const [name, wire] of Object.entries({ ...PROTOCOLS, ...PACKED })) assertRefused(name, await send(url, wire));
    assertEquals([budget.view.bytes, budget.view.turnBytes], [0, budget.turns.bytesMax]);
  });
  end();
});

Deno.test("others need the budget in which a message is received", async () => {
  const budget = new MessageBudget(4 * MIB);
  await withService(budget, async (url) => {
    for (const [name, { headers, body }] of Object.entries(PROTOCOLS)) {
      // Half of it comes, and no more.
      const answer = send(url, { headers, body: body.subarray(0, body.length / 2) }, "wait");
      await eventually(() => budget.view.receivingBytes > 8_000, "half a message");
      const other = budget.begin(OTHER, nothing);
      assertEquals(other.receive(MIB), true);
      assertRefused(name, await answer);
      other.end();
    }
  });
});

Deno.test("of a message that comes in pieces all counts, what came before the first share of the budget as well", async () => {
  const budget = new MessageBudget(4 * MIB);
  await withService(budget, async (url) => {
    const { headers, body: message } = PROTOCOLS.gRPC!;
    const body = [message.subarray(0, FREE_BYTES), message.subarray(FREE_BYTES, 3 * FREE_BYTES)];
    const answer = ask(url, v1Path("SellBatch"), { headers: { ...headers, "grpc-timeout": "1S" }, body, then: "wait" });
    await eventually(() => budget.view.receivingBytes > 0, "what came counts");
    await eventually(
      () => budget.view.receivingBytes === 2 * FREE_BYTES,
      `all of it counts, got ${budget.view.receivingBytes}`,
    );
    await answer;
    await eventually(() => budget.view.receivingBytes === 0, "the end of the call frees it");
  });
});
