/**
 * What a page in a browser needs of the port: preflights, the headers that let it read a gRPC-web answer, and an id to
 * quote to the operator. A page of a foreign origin gets none of them.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpc from "@grpc/grpc-js";
import type http2 from "node:http2";
import { callTransport } from "../support/clients/connect_web.ts";
import { grpcJsService } from "../support/clients/grpc_js.ts";
import { eachVersion } from "../support/http_versions.ts";
import { grpcMessage, v1Path, varintField } from "../support/raw_call.ts";
import { http2Request } from "../support/raw_peer.ts";
import { serverTest, type Step, type TestServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const SHOP = "https://shop.example";
/** What the clients of all protocols send. */
const SENT = ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout", "connect-timeout-ms"];
const FOREIGN = "https://thief.example";
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const REQUEST_ID = "x-request-id";

serverTest("pages of allowed origins may call, others may not, and every answer carries a request id", {
  env: { CORS_ORIGINS: `${SHOP},https://*.admin.example`, CORS_HEADERS: "X-Tenant" },
}, async (server, step) => {
  await step("a foreign origin is text in the log, whatever a terminal would make of it", async () => {
    // The first that is refused: of the others there is a line now and then.
    assertEquals(await grpcStatus(server.url, { origin: `${FOREIGN}\u009b2J` }), "7");
    await eventually(() => /pages of .*\\u009b2J may not call/.test(server.output.stderr), "the log says so");
    assert(!/[\u007f-\u009f]/.test(server.output.stderr), server.output.stderr);
  });

  await step("a preflight of an allowed origin is answered with all that gRPC-web sends", async () => {
    const { status, headers } = await preflight(server.url, SHOP);
    assertEquals(status, 204);
    assertEquals(headers.get("access-control-allow-origin"), SHOP);
    assertEquals(words(headers, "access-control-allow-methods").includes("post"), true);
    const allowed = words(headers, "access-control-allow-headers");
    for (const name of [...SENT, "authorization", "traceparent", "x-csrf-token", "x-tenant", REQUEST_ID]) {
      assert(allowed.includes(name), `${name} is not in ${allowed}`);
    }
    assertStringIncludes(headers.get("vary") ?? "", "Origin");
    assertEquals(headers.get("access-control-allow-credentials"), null);
  });

  await step("so is one of a name under a pattern, and not of the pattern's own name", async () => {
    assertEquals((await preflight(server.url, "https://eu.admin.example")).status, 204);
    assertEquals((await preflight(server.url, "https://admin.example")).status, 403);
  });

  await step("a preflight of a foreign origin is refused", async () => {
    const { status, headers } = await preflight(server.url, FOREIGN);
    assertEquals(status, 403);
    assertEquals(corsHeaders(headers), []);
    assertStringIncludes(headers.get("vary") ?? "", "Origin");
  });

  await step("a gRPC-web call of an allowed origin is readable, errors too", async () => {
    const page = pageOf(server.url, SHOP);
    const result = await page.call("Sell", { goodsInfo: [{ goodsId: 5, num: 1 }] });
    assertEquals("code" in result && result.code, "NOT_FOUND");
    assertEquals(page.headers().get("access-control-allow-origin"), SHOP);
    const exposed = words(page.headers(), "access-control-expose-headers");
    for (const name of ["grpc-status", "grpc-message", "grpc-status-details-bin", REQUEST_ID]) {
      assert(exposed.includes(name), `${name} is not in ${exposed}`);
    }
  });

  await step("a gRPC-web call of a foreign origin is not readable", async () => {
    const page = pageOf(server.url, FOREIGN);
    const result = await page.call("SetInv", { goodsId: 5, num: 1 });
    assertEquals("code" in result && result.code, "PERMISSION_DENIED");
    assertEquals(corsHeaders(page.headers()), []);
    const line = /"reason":"pages of \S+ may not call: .*"pages of other origins were refused"/;
    await eventually(() => line.test(server.output.stderr), "the log says so");
  });

  await step("nothing of theirs was done", async () => {
    const page = pageOf(server.url, SHOP);
    const result = await page.call("InvDetail", { goodsId: 5 });
    assertEquals("code" in result && result.code, "NOT_FOUND");
  });

  await step("the page of the server's own origin may call", async () => {
    const page = pageOf(server.url, server.url);
    await page.call("InvDetail", { goodsId: 5 });
    assertEquals(page.headers().get("access-control-allow-origin"), server.url);
  });

  await requestIds(server, step);
});

serverTest("behind a proxy that answers CORS itself, and probes", { env: { CORS: "proxy" } }, async (server, step) => {
  await step("its pages may call, and nothing is added that it adds itself", async () => {
    const page = pageOf(server.url, SHOP);
    const result = await page.call("SetInv", { goodsId: 1, num: 3 });
    assertEquals("answer" in result && result.answer.num, 3);
    assertEquals([corsHeaders(page.headers()), page.headers().get("vary")], [[], null]);
    assertEquals(await grpcStatus(server.url, { origin: FOREIGN }), "0");
  });

  await step("a page that passes it by, under a name that somebody points here, may not", async () => {
    const evil = `evil.example:${server.port}`;
    assertEquals(await grpcStatus(server.url, { ":authority": evil, origin: `http://${evil}` }), "7");
    const local = `localhost:${server.port}`;
    assertEquals(await grpcStatus(server.url, { ":authority": local, origin: `http://${local}` }), "0");
  });

  await step("a load balancer that asks for a path of its own is answered as by any gRPC server", async () => {
    const { status, headers } = await asks(server.url, { ":path": "/AWS.ALB/healthcheck" });
    assertEquals([status, headers["grpc-status"]], [200, "12"]);
  });

  await step("health over HTTP/1.1 and HTTP/2", async () => {
    await eachVersion(server.url, async (_version, { request }) => {
      for (const [path, word] of [["/healthz", "SERVING"], ["/readyz", "SERVING"], ["/livez", "ALIVE"]]) {
        const { status, body } = await request("GET", path!);
        assertEquals([status, body.toString()], [200, `${word}\n`]);
      }
    });
  });

  await step("gRPC-web as text", async () => {
    const headers = { "content-type": "application/grpc-web-text", accept: "application/grpc-web-text" };
    const body = grpcMessage(varintField(1, 1n)).toString("base64");
    const response = await fetch(server.url + v1Path("InvDetail"), { method: "POST", headers, body });
    const text = (await response.text()).match(/.{4}/g)!.map((group) => atob(group)).join("");
    // Goods 1, num 3, on_hand 3, version 1; then the trailers.
    assertEquals(text.slice(0, 13), "\0\0\0\0\x08\x08\x01\x10\x03\x18\x03\x28\x01");
    assertStringIncludes(text, "grpc-status: 0");
  });
});

/** Whoever asks, a page or not. */
async function requestIds(server: TestServer, step: Step): Promise<void> {
  const idOf = async (body: string, given?: string) => {
    const headers = { "content-type": "application/json", ...(given === undefined ? {} : { [REQUEST_ID]: given }) };
    const response = await fetch(server.url + v1Path("SetInv"), { method: "POST", headers, body });
    await response.body?.cancel();
    return response.headers.get(REQUEST_ID) ?? "";
  };
  const good = `{"goodsId":1,"num":1}`;
  const bad = `{"goodsId":0,"num":1}`;
  await step("the caller's own comes back, with an answer and with an error", async () => {
    assertEquals(await idOf(good, "call-1:a.b_C"), "call-1:a.b_C");
    assertEquals(await idOf(bad, "call-2"), "call-2");
  });
  await step("without one the server makes one", async () => {
    assertMatch(await idOf(good), UUID_V4);
    assertMatch(await idOf(bad), UUID_V4);
  });
  await step("one that could break a log is replaced", async () => {
    for (const given of ["a b", "a".repeat(65), "é", `"}{"`]) assertMatch(await idOf(good, given), UUID_V4);
  });
  await step("over gRPC, with an answer and with an error", async () => {
    assertEquals(await grpcRequestId(server.url, { goodsId: 1 }, "call-3"), "call-3");
    assertEquals(await grpcRequestId(server.url, { goodsId: 2 }, "call-4"), "call-4");
  });
}

/** A gRPC call of InvDetail, or what the headers make of it. */
function asks(url: string, headers: http2.OutgoingHttpHeaders) {
  const call = { ":method": "POST", ":path": v1Path("InvDetail"), "content-type": "application/grpc", te: "trailers" };
  return http2Request(url, { ...call, ...headers }, grpcMessage(varintField(1, 1n)));
}

async function grpcStatus(url: string, headers: http2.OutgoingHttpHeaders): Promise<string> {
  const answer = await asks(url, headers);
  return String(answer.trailers["grpc-status"] ?? answer.headers["grpc-status"]);
}

function preflight(url: string, origin: string): Promise<Response> {
  return fetch(url + v1Path("Sell"), {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,x-grpc-web",
    },
  });
}

/** A page's gRPC-web client: it sends its origin, and keeps the headers of the last answer. */
function pageOf(baseUrl: string, origin: string) {
  let last = new Headers();
  const transport = createGrpcWebTransport({
    baseUrl,
    async fetch(input, init) {
      const headers = new Headers(init?.headers);
      headers.set("origin", origin);
      const response = await fetch(input, { ...init, headers });
      last = response.headers;
      return response;
    },
  });
  return {
    call: (method: string, request: Record<string, unknown>) => callTransport(transport, method, request),
    headers: () => last,
  };
}

async function grpcRequestId(url: string, request: { goodsId: number }, given: string): Promise<string> {
  const service = grpcJsService(url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService");
  const metadata = new grpc.Metadata();
  metadata.set(REQUEST_ID, given);
  const { promise, resolve } = Promise.withResolvers<string>();
  const invDetail = service.InvDetail as unknown as (
    request: object,
    metadata: grpc.Metadata,
    done: (error: grpc.ServiceError | null) => void,
  ) => grpc.ClientUnaryCall;
  const call = invDetail.call(service, request, metadata, (error) => {
    if (error !== null) resolve(String(error.metadata.get(REQUEST_ID)[0]));
  });
  call.on("metadata", (received) => received.get(REQUEST_ID).forEach((id) => resolve(String(id))));
  const id = await promise;
  service.close();
  return id;
}

function words(headers: Headers, name: string): string[] {
  return (headers.get(name) ?? "").split(",").map((word) => word.trim().toLowerCase());
}

function corsHeaders(headers: Headers): string[] {
  return [...headers.keys()].filter((name) => name.startsWith("access-control-"));
}
