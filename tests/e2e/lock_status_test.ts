/**
 * LockService/Status of the real program: the same for clients that nobody here wrote, with the lock's nodes up, in
 * quarantine and gone, with leases and without, while PostgreSQL is away, and while the server drains. Beside it
 * SystemService/GetSystem, which answers then, too.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import http2 from "node:http2";
import { startRedisNodes } from "../../tools/stack/redis.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { call, health } from "../support/callers.ts";
import { callBufCurl, listServices } from "../support/clients/buf_curl.ts";
import type { CallResult, Json } from "../support/clients/client.ts";
import { callGrpcJs, grpcJsClient, grpcJsService } from "../support/clients/grpc_js.ts";
import { testEnvironment } from "../support/env.ts";
import { watchHealth } from "../support/health_watch.ts";
import { lockRow, takeLeases } from "../support/contention.ts";
import { grpcMessage, v1Path } from "../support/raw_call.ts";
import { post, serverTest, startServer, type Step, type TestServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const STATUS_PATH = "/inventory.v1.LockService/Status";
const SYSTEM_PATH = "/inventory.v1.SystemService/GetSystem";
/** The mode with a lock, whichever one this run goes by. */
const REDLOCK = { CONCURRENCY: "redlock" };
const TTL_MS = 5000;
/** Calls wait for their lease, or their row, for as long as the test wants. */
const PATIENT = { LOCK_WAIT_MS_MAX: "30000" };
/** A statement waits for a row for a quarter of a second. */
const ROW_MS = 250;
/** Where nobody listens. */
const NOBODY = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"];
const PASSWORD = "planted-lock-9";
/** For a node's end to be noticed, on a machine that is busy with other things. */
const NOTICE_MS_MAX = 60_000;

interface Node {
  readonly number: number;
  readonly address: string;
  readonly state: string;
  readonly latencyMs?: number;
  readonly uptimeMs?: string;
  readonly quarantineLeftMs: number;
  readonly votesFor: string;
  readonly votesMissing: string;
}

interface Status {
  readonly concurrency: string;
  readonly quorumLoss: string;
  readonly fallback?: { readonly active: boolean; readonly since?: string; readonly batches: string };
  readonly quorum: number;
  readonly ttlMs: number;
  readonly nodes: readonly Node[];
  readonly leases: readonly { readonly goodsId: number; readonly heldMs: number; readonly remainingMs: number }[];
  readonly leasesTotal: number;
}

interface System {
  readonly processId: string;
  readonly ready: boolean;
  readonly dependencies: readonly { readonly name: string; readonly up: boolean; readonly reason: string }[];
  readonly database: { readonly connections: number; readonly connectionsMax: number };
  readonly lanes: { readonly batches: string; readonly batchEntries: string };
  readonly calls: readonly {
    readonly method: string;
    readonly code: string;
    readonly count: string;
    readonly durations: readonly { readonly count: string }[];
  }[];
  readonly operations: readonly { readonly operation: string; readonly verdict: string; readonly count: string }[];
  readonly refusals: readonly { readonly reason: string; readonly count: string }[];
  readonly ordersApplied: string;
}

/** By fetch's plainer sister: JSON over HTTP/1.1. */
async function statusOf(url: string): Promise<Status> {
  const { body } = await post(url + STATUS_PATH, {});
  assert("concurrency" in body, JSON.stringify(body));
  return body as unknown as Status;
}

/** What the process says of itself, by the same. */
async function systemOf(url: string): Promise<System> {
  return (await post(url + SYSTEM_PATH, {})).body as unknown as System;
}

function addressesOf(urls: readonly string[]): string[] {
  return urls.map((url) => new URL(url).host);
}

function statesOf({ nodes }: Status): string[] {
  return [...new Set(nodes.map(({ state }) => state.replace("LOCK_NODE_STATE_", "")))];
}

serverTest("a server whose nodes are up", { env: { ...REDLOCK, ...PATIENT } }, async (server, step) => {
  await sameForEveryClient(server, step);
  await step("what it did is counted", () => countsWork(server));
  await step("a lease is reported while a batch has it, and votes are counted", () => reportsLease(server));
});

/** Every client finds the service by reflection or contract, and gets the same answer. */
async function sameForEveryClient(server: TestServer, step: Step): Promise<void> {
  const url = server.url + STATUS_PATH;
  const grpcJs = grpcJsService(server.url, "inventory/v1/lock.proto", "inventory.v1.LockService");
  const calls: Record<string, () => Promise<CallResult>> = {
    "buf curl, gRPC": () => callBufCurl(url, "grpc", {}),
    "buf curl, gRPC-web": () => callBufCurl(url, "grpcweb", {}),
    "buf curl, Connect": () => callBufCurl(url, "connect", {}),
    "grpc-js": () => callGrpcJs(grpcJs, "Status", {}),
    "fetch, JSON": async () => ({ answer: await fetchJson(url) }),
  };
  const addresses = addressesOf(testEnvironment().redisUrls);
  for (const [name, status] of Object.entries(calls)) {
    await step(name, async () => {
      const result = await status();
      assert("answer" in result, JSON.stringify(result));
      const answer = result.answer as unknown as Status;
      assertEquals(answer.concurrency, "CONCURRENCY_REDLOCK");
      assertEquals(answer.quorumLoss, "QUORUM_LOSS_REFUSE");
      assertEquals(answer.fallback, { active: false, batches: "0" });
      assertEquals([answer.quorum, answer.ttlMs], [3, TTL_MS]);
      assertEquals(
        answer.nodes.map(({ number, address }) => [number, address]),
        addresses.map((each, i) => [i + 1, each]),
      );
      assertEquals([answer.leases, answer.leasesTotal], [[], 0]);
    });
  }
  grpcJs.close();
  await step("it is listed", async () => {
    const services = await listServices(server.url);
    assert(services.includes("inventory.v1.LockService"), services.join(" "));
  });
}

/** Its batch has the lease while its statement waits for the row, which a machine that stalls may look at too late. */
async function whileSold(server: TestServer): Promise<Status> {
  let seen: Status | undefined;
  let sales = 0;
  await eventually(async () => {
    await using row = await lockRow(server.databaseOwnerUrl, 7);
    const order = { orderId: `waits-${sales++}`, goodsInfo: [{ goodsId: 7, num: 1 }] };
    const sold = call(server.url, "Sell", order);
    await row.waitedFor(1, ROW_MS).catch(() => {});
    const status = await statusOf(server.url);
    await row.release();
    assertEquals((await sold).code, "ok");
    if (status.leasesTotal > 0) seen = status;
    return seen !== undefined;
  }, "a lease is seen");
  return seen!;
}

async function reportsLease(server: TestServer): Promise<void> {
  await eventually(async () => String(statesOf(await statusOf(server.url))) === "UP", "all nodes vote");
  await call(server.url, "SetInv", { goodsId: 7, num: 1000 });
  await eventually(async () => (await statusOf(server.url)).leasesTotal === 0, "the lease is released");
  const before = await statusOf(server.url);
  const { leases, leasesTotal, nodes } = await whileSold(server);
  assertEquals([leases.map(({ goodsId }) => goodsId), leasesTotal], [[7], 1]);
  assert(leases[0]!.heldMs >= 0 && leases[0]!.remainingMs > 0, JSON.stringify(leases));
  assert(leases[0]!.heldMs + leases[0]!.remainingMs <= TTL_MS, JSON.stringify(leases));
  // A vote that came after the lease was certain may be counted late, but a majority voted before.
  const added = nodes.filter(({ votesFor }, i) => BigInt(votesFor) > BigInt(before.nodes[i]!.votesFor));
  assert(added.length >= before.quorum, JSON.stringify(nodes));
  for (const { latencyMs } of added) assert(latencyMs! > 0, JSON.stringify(nodes));
  await eventually(async () => (await statusOf(server.url)).leasesTotal === 0, "the lease is released");
}

async function countsWork(server: TestServer): Promise<void> {
  await call(server.url, "SetInv", { goodsId: 7, num: 10 });
  const sold = await call(server.url, "Sell", { orderId: "sold", goodsInfo: [{ goodsId: 7, num: 1 }] });
  assertEquals(sold.code, "ok");
  const short = await call(server.url, "Sell", { orderId: "short", goodsInfo: [{ goodsId: 7, num: 99 }] });
  assertEquals(short.code, "failed_precondition");
  const system = await systemOf(server.url);
  assertEquals([system.ready, system.ordersApplied], [true, "1"]);
  assertEquals(system.dependencies.map(({ up, reason }) => [up, reason]), [[true, ""], [true, ""]]);
  assertEquals(system.operations, [
    { operation: "set", verdict: "applied", count: "1" },
    { operation: "sell", verdict: "applied", count: "1" },
    { operation: "sell", verdict: "refused", count: "1" },
  ]);
  assertEquals(system.refusals, [{ reason: "short_stock", count: "1" }]);
  // One each, and another for each time that votes came too late.
  const { batches, batchEntries } = system.lanes;
  assert(Number(batches) >= 3 && batchEntries === batches, `${batches} batches of ${batchEntries}`);
  assert(system.database.connections > 0 && system.database.connections <= system.database.connectionsMax);
  const sales = system.calls.filter(({ method }) => method === "inventory.v1.InventoryService/Sell");
  assertEquals(sales.map(({ code, count }) => [code, count]), [["OK", "1"], ["FAILED_PRECONDITION", "1"]]);
  for (const { durations } of sales) {
    assertEquals(durations.reduce((sum, { count }) => sum + Number(count), 0), 1);
  }
  assertEquals((await systemOf(server.url)).processId, system.processId);
}

Deno.test("nodes that have just started have no vote, nodes that are gone are down, and no password is shown", async () => {
  const dir = await Deno.makeTempDir();
  const log = createLog("warn", "pretty");
  const own = await startRedisNodes(5, { dir, program: testEnvironment().redisProgram, log });
  // A TTL that no slow machine outlives, so that these nodes stay in quarantine.
  const ttlMs = 600_000;
  const env = {
    ...REDLOCK,
    QUORUM_LOSS: "row",
    LOCK_TTL_MS: String(ttlMs),
    REDIS_URLS: own.map(({ url }) => url).join(","),
  };
  const addresses = addressesOf(own.map(({ url }) => url));
  try {
    await using server = await startServer({ env });
    await call(server.url, "SetInv", { goodsId: 1, num: 10 });
    await eventually(
      async () => String(statesOf(await statusOf(server.url))) === "QUARANTINED",
      "all are in quarantine",
    );
    const young = await statusOf(server.url);
    assertEquals(young.nodes.map(({ address }) => address), addresses);
    for (const { uptimeMs, quarantineLeftMs, votesFor } of young.nodes) {
      assert(quarantineLeftMs > 0 && quarantineLeftMs <= ttlMs, `${quarantineLeftMs}`);
      assert(Number(uptimeMs) + quarantineLeftMs <= ttlMs + 1000, `${uptimeMs} and ${quarantineLeftMs}`);
      assertEquals(votesFor, "0");
    }
    assertGoesByRow(young, 1);

    await Promise.all(own.map((node) => node.kill()));
    await eventually(
      async () => String(statesOf(await statusOf(server.url))) === "DOWN",
      "all are down",
      NOTICE_MS_MAX,
    );
    assertEquals((await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] })).code, "ok");
    const gone = await statusOf(server.url);
    assertEquals(gone.nodes.map(({ address }) => address), addresses);
    for (const { votesMissing } of gone.nodes) assert(BigInt(votesMissing) > 0n);
    assertGoesByRow(gone, 2);
    for (const { url } of own) assert(!JSON.stringify([young, gone]).includes(new URL(url).password));
  } finally {
    await Promise.all(own.map((node) => node.kill()));
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("it answers while the nodes and PostgreSQL are away, where sales are refused", async () => {
  const redisUrls = NOBODY.map((address) => `redis://:${PASSWORD}@${address}`);
  await using server = await startServer({
    healthy: false,
    env: {
      ...REDLOCK,
      DATABASE_URL: "postgres://holdfast_server@127.0.0.1:4/holdfast",
      REDIS_URLS: redisUrls.join(","),
    },
  });
  const sold = await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] });
  assertEquals([sold.code, await health(server.url)], ["unavailable", "NOT_SERVING"]);
  const status = await statusOf(server.url);
  assertEquals([status.quorumLoss, status.fallback], ["QUORUM_LOSS_REFUSE", { active: false, batches: "0" }]);
  assertEquals(status.quorum, 2);
  assertEquals(status.nodes.map(({ address }) => address), NOBODY);
  assertEquals(statesOf(status), ["DOWN"]);
  for (const node of status.nodes) assert(!("uptimeMs" in node) && !("latencyMs" in node), JSON.stringify(node));
  const system = await systemOf(server.url);
  assertEquals([system.ready, system.ordersApplied], [false, "0"]);
  assertEquals(system.dependencies.map(({ name, up }) => [name, up]), [["PostgreSQL", false], ["Redis quorum", false]]);
  for (const { reason } of system.dependencies) assert(reason !== "");
  assert(!JSON.stringify([status, system]).includes(PASSWORD));
});

serverTest("with the quorum lost it says since when orders go by row locks", {
  env: { ...REDLOCK, QUORUM_LOSS: "row", REDIS_URLS: NOBODY.map((address) => `redis://${address}`).join(",") },
}, async (server) => {
  const before = await statusOf(server.url);
  assertEquals([before.quorumLoss, before.fallback], ["QUORUM_LOSS_ROW", { active: false, batches: "0" }]);
  await call(server.url, "SetInv", { goodsId: 1, num: 10 });
  assertEquals((await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] })).code, "ok");
  const first = await statusOf(server.url);
  assertGoesByRow(first, 2);
  assertEquals((await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] })).code, "ok");
  const second = await statusOf(server.url);
  assertGoesByRow(second, 3);
  assertEquals(second.fallback?.since, first.fallback?.since);
});

serverTest("a server that drains refuses calls that reach it, and still reports", {
  env: { ...REDLOCK, ...PATIENT },
}, async (server) => {
  await using grpc = grpcJsClient(server.url);
  await grpc.call("SetInv", { goodsId: 3, num: 10 });
  using watch = watchHealth(server.url);
  await watch.hears("SERVING");
  await using leases = await takeLeases(3);
  const underWay = grpc.call("Sell", { goodsInfo: [{ goodsId: 3, num: 1 }], orderId: "drained" });
  await leases.askedFor();

  const status = await beginCall(server, STATUS_PATH);
  const system = await beginCall(server, SYSTEM_PATH);
  const detail = await beginCall(server, v1Path("InvDetail"));
  server.signal("SIGTERM");
  await watch.hears("NOT_SERVING");
  // OK, and UNAVAILABLE.
  assertEquals([await status.finish(), await system.finish(), await detail.finish()], ["0", "0", "14"]);

  await leases.release();
  assert("answer" in await underWay);
  assertEquals(await server.exited, 0);
});

function assertGoesByRow({ fallback }: Status, batchesMin: number): void {
  assertEquals(fallback?.active, true);
  assert(Number(fallback?.batches) >= batchesMin, fallback?.batches);
  const ageMs = Date.now() - Date.parse(fallback?.since ?? "");
  assert(ageMs >= 0 && ageMs < 60_000, fallback?.since);
}

async function fetchJson(url: string): Promise<Json> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  assertStringIncludes(response.headers.get("content-type") ?? "", "application/json");
  return await response.json();
}

/** A gRPC call of an empty message whose headers the server has, and whose message it gets at `finish`. */
async function beginCall(server: TestServer, path: string): Promise<{ finish(): Promise<unknown> }> {
  const session = http2.connect(server.url);
  session.on("error", () => {});
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  const open = () => {
    const stream = session.request(headers, { endStream: false });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    stream.on("response", (received) => "grpc-status" in received && resolve(received["grpc-status"]));
    stream.on("trailers", (received) => resolve(received["grpc-status"]));
    stream.on("error", resolve);
    stream.on("close", () => resolve("cut"));
    stream.resume();
    const finish = () => {
      stream.end(grpcMessage(new Uint8Array()));
      return promise;
    };
    return { finish };
  };
  const { finish } = open();
  // A connection is read in order: when this one has its answer, the headers before it have been read.
  await open().finish();
  return { finish: () => finish().finally(() => session.destroy()) };
}
