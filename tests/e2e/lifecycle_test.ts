/** How the program starts and ends: what it refuses to start on, and what becomes of calls when it is asked to stop. */
import { CLOSE_MS_MAX, DRAIN_MS_MAX, stopMsMax } from "../../src/config/stop_times.ts";
import { LANES_CLOSE_MS_MAX } from "../../src/lanes/lanes.ts";
import { LOCK_CLOSE_MS_MAX } from "../../src/lock/redlock.ts";
import { POOL_CLOSE_MS_MAX } from "../../src/store/postgres/pool.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import postgres from "postgres";
import type { CallResult } from "../support/clients/client.ts";
import { decodeStatusDetails, grpcJsClient } from "../support/clients/grpc_js.ts";
import { jsonClient } from "../support/clients/json_fetch.ts";
import { watchHealth } from "../support/health_watch.ts";
import { takeLeases } from "../support/contention.ts";
import { grpcMessage, v1Path, varintField } from "../support/raw_call.ts";
import { runServer, serverTest, startServer, type TestServer } from "../support/server.ts";

const EXIT_FAILED = 1;
const EXIT_UNUSABLE = 78;
/** Calls wait for their lease for as long as the test wants. */
const PATIENT = { env: { LOCK_WAIT_MS_MAX: "30000" } };

for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
  serverTest(`${signal}: health first, then no new calls, calls under way finish, exit 0`, PATIENT, async (server) => {
    await using grpc = grpcJsClient(server.url);
    await using json = jsonClient(server.url);
    await grpc.call("SetInv", { goodsId: 1, num: 10 });
    await grpc.call("SetInv", { goodsId: 2, num: 10 });
    using health = watchHealth(server.url, "inventory.v1.InventoryService");
    await health.hears("SERVING");

    await using leases = await takeLeases(1, 2);
    const underWay = Promise.all([
      codeOf(grpc.call("Sell", { goodsInfo: [{ goodsId: 1, num: 1 }], orderId: "over-grpc" })),
      codeOf(json.call("Sell", { goodsInfo: [{ goodsId: 2, num: 1 }], orderId: "over-json" })),
    ]);
    await leases.askedFor();
    await using begun = await beginCall(server.url, "InvDetail");
    server.signal(signal);
    await health.hears("NOT_SERVING");
    assertEquals(await begun.finish({ goodsId: 1 }), {
      code: "UNAVAILABLE",
      message: "shutting down",
      details: [
        { "@type": "google.rpc.ErrorInfo", reason: "DRAINING", domain: "inventory.v1", metadata: {} },
        { "@type": "google.rpc.RetryInfo", retryDelay: { seconds: "0", nanos: 100_000_000 } },
      ],
    });
    await assertRejects(
      () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
      Deno.errors.ConnectionRefused,
    );

    await leases.release();
    assertEquals(await underWay, ["OK", "OK"]);
    assertEquals(await server.exited, 0);
    assertEquals(await soldOrders(server), ["over-grpc", "over-json"]);
    assertEquals(await leases.count(), 0);
    assertStringIncludes(server.output.stderr, `"signal":"${signal}"`);
  });
}

/** For what the test does meanwhile, on a busy machine. */
const DELAYED = { env: { DRAIN_DELAY_MS: "6000" } };

serverTest("DRAIN_DELAY_MS: health first, and calls go on until balancers have seen it", DELAYED, async (server) => {
  await using grpc = grpcJsClient(server.url);
  await grpc.call("SetInv", { goodsId: 1, num: 10 });
  using health = watchHealth(server.url);
  await health.hears("SERVING");
  server.signal("SIGTERM");
  await health.hears("NOT_SERVING");
  const sold = await grpc.call("Sell", { goodsInfo: [{ goodsId: 1, num: 1 }], orderId: "while-leaving" });
  assert("answer" in sold, JSON.stringify(sold));
  // Of a connection that is made now.
  await using late = jsonClient(server.url);
  assertEquals(await codeOf(late.call("Sell", { goodsInfo: [{ goodsId: 1, num: 1 }], orderId: "late" })), "OK");
  const readyz = await Promise.all([server.url, server.adminUrl].map((url) => fetch(`${url}/readyz`)));
  assertEquals(readyz.map(({ status }) => status), [503, 503]);
  const [word, reasons] = await Promise.all(readyz.map((answer) => answer.text()));
  assertEquals(word, "NOT_SERVING\n");
  assertStringIncludes(reasons!, "shutting down");
  assertEquals(await server.exited, 0);
  assertEquals(await soldOrders(server), ["late", "while-leaving"]);
});

serverTest("a second signal exits at once", PATIENT, async (server) => {
  await using grpc = grpcJsClient(server.url);
  await grpc.call("SetInv", { goodsId: 3, num: 10 });
  using health = watchHealth(server.url);
  await using leases = await takeLeases(3);
  const underWay = codeOf(grpc.call("Sell", { goodsInfo: [{ goodsId: 3, num: 1 }], orderId: "cut" }));
  await leases.askedFor();
  server.signal("SIGTERM");
  await health.hears("NOT_SERVING");
  server.signal("SIGINT");
  assertEquals(await server.exited, EXIT_FAILED);
  // grpc-js says INTERNAL where it hears of the end by a reset of the connection.
  assert(["UNAVAILABLE", "INTERNAL"].includes(await underWay));
  assertEquals(await soldOrders(server), []);
});

Deno.test("settings that can't be run on are all named at once, without secrets", async () => {
  const { code, stdout, stderr } = await runServer({
    env: {
      PORT: "http",
      DATABASE_URL: "mysql://shop:planted@127.0.0.1/shop",
      REDIS_URLS: "redis://:planted@127.0.0.1:1,redis://127.0.0.1:2",
      LOCK_TTL_MS: "soon",
      CORS_ORIGINS: "https://shop.example/path",
      LOG_LEVEL: "loud",
    },
  });
  assertEquals(code, EXIT_UNUSABLE);
  assertEquals(stdout, "");
  for (const name of ["PORT", "DATABASE_URL", "REDIS_URLS", "LOCK_TTL_MS", "CORS_ORIGINS", "LOG_LEVEL"]) {
    assertStringIncludes(stderr, `\n  ${name}: `);
  }
  assert(!stderr.includes("planted"));
});

Deno.test("settings that don't go together are named", async () => {
  const { code, stderr } = await runServer({ env: { LOCK_TTL_MS: "1000", LOCK_NODE_TIMEOUT_MS: "900" } });
  assertEquals(code, EXIT_UNUSABLE);
  for (const name of ["LOCK_TTL_MS", "LOCK_NODE_TIMEOUT_MS"]) assertStringIncludes(stderr, `\n  ${name}: `);
});

Deno.test("a permission that is missing is named as the flag to add", async () => {
  const { code, stdout, stderr } = await runServer({
    env: {
      PORT: "4321",
      DATABASE_URL: "postgres://127.0.0.1:5999/shop",
      TLS_CERT_FILE: "c.pem",
      TLS_KEY_FILE: "k.pem",
    },
    flags: (flags) => flags.map((flag) => flag.startsWith("--allow-net") ? "--allow-net=127.0.0.1:4321" : flag),
  });
  assertEquals(code, EXIT_UNUSABLE);
  assertEquals(stdout, "");
  for (const flag of ["--allow-net=127.0.0.1:5999", "--allow-read=c.pem", "--allow-read=k.pem"]) {
    assertStringIncludes(stderr, flag);
  }
  assert(!stderr.includes("--allow-net=127.0.0.1:4321"));
});

Deno.test("a port that is taken is named, without a stack", async () => {
  await using server = await startServer();
  const { code, stdout, stderr } = await runServer({ env: { PORT: String(server.port) } });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
  assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${server.port} (EADDRINUSE)`);
  assert(!stderr.includes("    at "), stderr);
});

/** The code of a call; "OK" for one that was answered. */
async function codeOf(call: Promise<CallResult>): Promise<string> {
  const result = await call;
  return "code" in result ? result.code : "OK";
}

/**
 * Begins a gRPC call on a connection of its own, as far as its header, and sees that the server has it. Its message
 * goes with `finish`, which answers what came of it.
 */
async function beginCall(url: string, method: "InvDetail") {
  const session = http2.connect(url);
  session.on("error", () => {});
  const headers = {
    ":method": "POST",
    ":path": v1Path(method),
    "content-type": "application/grpc+proto",
    te: "trailers",
  };
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => {}).resume();
  const { promise: end, resolve } = Promise.withResolvers<http2.IncomingHttpHeaders | undefined>();
  // An error that is all of the answer is in its header.
  stream.once("response", (header) => "grpc-status" in header && resolve(header));
  stream.once("trailers", resolve);
  stream.once("close", () => resolve(undefined));
  // What is answered to a PING behind it says that the header has been read.
  await new Promise<void>((resolve) => stream.once("ready", resolve));
  await new Promise<void>((resolve, reject) => {
    session.ping((error: Error | null) => error === null ? resolve() : reject(error));
  });
  return {
    async finish({ goodsId }: { readonly goodsId: number }) {
      stream.end(grpcMessage(varintField(1, BigInt(goodsId))));
      const received = await end;
      assert(received !== undefined, "the call was cut");
      const details = Buffer.from(String(received["grpc-status-details-bin"]), "base64");
      const code = received["grpc-status"] === "14" ? "UNAVAILABLE" : received["grpc-status"];
      return { code, message: received["grpc-message"], details: decodeStatusDetails(details) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(session.destroy()),
  };
}

async function soldOrders(server: TestServer): Promise<string[]> {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  const rows = await owner<{ order_id: string }[]>`select order_id from orders where state = 'sold' order by 1`;
  await owner.end();
  return rows.map((row) => row.order_id);
}

Deno.test("closing fits into the time in which a process is asked to stop", () => {
  assert(LANES_CLOSE_MS_MAX + POOL_CLOSE_MS_MAX + LOCK_CLOSE_MS_MAX <= CLOSE_MS_MAX);
  assert(DRAIN_MS_MAX + CLOSE_MS_MAX < stopMsMax(0));
});
