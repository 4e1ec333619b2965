/** The admin port by itself: how many it takes, what it says before there is anything to show, and when that fails. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import net from "node:net";
import { type AdminPort, openAdminPort } from "../../src/admin/admin_port.ts";
import { LOCK } from "../../src/admin/catalogue/lock.ts";
import { askOverHttp } from "../../src/admin/gather.ts";
import { ProcessMeasures } from "../../src/telemetry/process_measures.ts";
import { createRegistry } from "../../src/admin/registry.ts";
import type { Sources } from "../../src/admin/sources.ts";
import { until } from "../../src/base/bounded_wait.ts";
import type { NodeState, NodeStatus } from "../../src/lock/status.ts";
import { openAdmin } from "../../src/process/admin.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { textAnswer } from "../../src/transport/own_answer.ts";
import { askedAt } from "../support/scrape.ts";

const HOST = "127.0.0.1";
/** More than one address may have. */
const CONNECTIONS = 40;
const WAIT_MS_MAX = 60_000;

/** A log that keeps what it is given. */
function keeping() {
  const lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, fields, message });
  const log: Log = { debug() {}, info: at("info"), warn: at("warn"), error: at("error") };
  return { log, lines };
}

async function withPort(run: (port: AdminPort, lines: ReturnType<typeof keeping>["lines"]) => Promise<void>) {
  const { log, lines } = keeping();
  const port = await openAdminPort({ host: HOST, port: 0, allowedHosts: ["metrics.example"], log });
  try {
    await run(port, lines);
  } finally {
    await port.close();
  }
}

Deno.test("before there is anything to show the pages say that the process starts, and that it is alive", async () => {
  await withPort(async (port) => {
    for (const page of ["/readyz", "/metrics"]) {
      assertEquals(await askedAt(`${port.url}${page}`), [503, "starting\n"]);
    }
    // Or whoever restarts what is dead would do so again and again where the start is slow.
    assertEquals(await askedAt(`${port.url}/livez`), [200, "ALIVE\n"]);
    port.show({ "/readyz": () => textAnswer(200, "SERVING\n") });
    assertEquals(await askedAt(`${port.url}/readyz`), [200, "SERVING\n"]);
    const [status, text] = await askedAt(`${port.url}/`);
    assertEquals([status, text], [404, "expected one of /readyz, got another path\n"]);
    const call = await askedAt(`${port.url}/inventory.v1.InventoryService/Sell`, { method: "POST", body: "{}" });
    assertEquals(call, [
      405,
      "expected GET or HEAD: this is the admin port (ADMIN_PORT), calls go to the service's own (PORT)\n",
    ]);
  });
});

Deno.test("a page that can't be made is answered 500, without a word of why, which the log has", async () => {
  await withPort(async (port, lines) => {
    port.show({ "/metrics": () => Promise.reject(new Error("postgres://u:secret@h")) });
    const [status, text] = await askedAt(`${port.url}/metrics`);
    assertEquals([status, text.includes("secret")], [500, false]);
    assertEquals(lines.filter(({ level }) => level === "error").length, 1);
  });
});

Deno.test("whoever sums up takes a page of a worker, ready or not, and nothing that somebody else answers there", async () => {
  await withPort(async (port) => {
    port.show({ "/readyz": () => textAnswer(503, "NOT_SERVING\n"), "/odd": () => textAnswer(204, "") });
    assertEquals(await askOverHttp(`${port.url}/readyz`), { status: 503, text: "NOT_SERVING\n" });
    for (const page of ["/metrics.json", "/odd"]) {
      await assertRejects(() => askOverHttp(`${port.url}${page}`), Error, "no page of a worker");
    }
  });
});

Deno.test("names that a setting allows are its own, and others are not", async () => {
  await withPort(async (port) => {
    port.show({ "/livez": () => textAnswer(200, "ALIVE\n") });
    const statusAs = async (host: string) => (await askedAt(`${port.url}/livez`, { headers: { host } }))[0];
    for (const host of ["metrics.example", "metrics.example:8081", "localhost:8081", "10.1.2.3", "[::1]:8081"]) {
      assertEquals(await statusAs(host), 200, host);
    }
    for (const host of ["example", "metrics.example.attacker.example", "127.0.0.1.attacker.example"]) {
      assertEquals(await statusAs(host), 403, host);
    }
  });
});

Deno.test("one address has so many connections and no more, and whoever has one is answered", async () => {
  await withPort(async (port) => {
    port.show({ "/livez": () => textAnswer(200, "ALIVE\n") });
    const { port: number } = new URL(port.url);
    let ended = 0;
    const sockets = Array.from({ length: CONNECTIONS }, () => {
      const socket = net.connect(Number(number), HOST);
      socket.on("error", () => {}).on("close", () => ended++);
      return socket;
    });
    await until(() => ended >= CONNECTIONS - 16, WAIT_MS_MAX);
    const open = sockets.filter((socket) => !socket.destroyed);
    assertEquals(open.length, 16);
    const answer = Promise.withResolvers<string>();
    open[0]!.on("data", (bytes) => answer.resolve(String(bytes)));
    open[0]!.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assertStringIncludes(await answer.promise, "200 OK");
    const gone = until(() => ended === CONNECTIONS, WAIT_MS_MAX);
    for (const socket of open) socket.destroy();
    assert(await gone);
  });
});

Deno.test("the default port that is taken is said and done without", async () => {
  const taken = Deno.listen({ hostname: HOST, port: 0 });
  const { log, lines } = keeping();
  const admin = { host: HOST, port: (taken.addr as Deno.NetAddr).port, isGiven: false };
  assertEquals(await openAdmin({ admin, allowedHosts: [] }, log), undefined);
  taken.close();
  assertEquals(lines.map(({ level }) => level), ["warn"]);
  assertStringIncludes(lines[0]!.message, "set ADMIN_PORT to a port that is free here, or to off");
});

Deno.test("nodes are numbers in labels, whatever they say and however often they fail", async () => {
  const states: NodeState[] = ["up", "down", "refused", "quarantined"];
  let votes = 0;
  const node = (i: number): NodeStatus => ({
    node: i + 1,
    address: `redis-${i}.example:6379`,
    state: states[(i + votes) % states.length]!,
    reason: `failure number ${votes} of many`,
    latencyMs: 1,
    uptimeMs: 1,
    quarantineLeftMs: 0,
    votesFor: votes,
    votesAgainst: votes,
    votesMissing: votes,
  });
  const status = () => ({ quorum: 3, ttlMs: 5000, nodes: [0, 1, 2, 3, 4].map(node), leases: [] });
  const sources = { served: { lock: status, measures: new ProcessMeasures(() => 0) } } as unknown as Sources;
  const registry = createRegistry(LOCK, sources);
  const seriesOf = async () =>
    (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ")[0]);
  const first = await seriesOf();
  for (; votes < 100; votes++) assertEquals(await seriesOf(), first);
  assert(!first.some((series) => /redis-|failure/.test(series!)), first.join("\n"));
});
