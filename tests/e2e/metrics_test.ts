/** The admin port of the real program: what it shows, to whom, and that what it counts is what was done. */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { METRICS } from "../../src/admin/catalogue.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { lockRow } from "../support/contention.ts";
import { askedAt, type Scrape, scrape } from "../support/scrape.ts";
import { serverTest } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const PROTOCOLS: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  "gRPC": (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
};
const SERVICE = InventoryService.typeName;
/** Names that nobody serves. */
const UNKNOWN = Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? `${SERVICE}/Nothing${i}` : `shop.v${i}.Shop/Sell`);

serverTest("what is counted is what was done, by every protocol", {
  // Calls wait for their row for as long as the test wants.
  env: { LOCK_WAIT_MS_MAX: "30000" },
}, async (server, step) => {
  const { url, adminUrl } = server;
  const areUnderWay = (count: number) =>
    eventually(
      async () => (await scrape(adminUrl)).value("holdfast_operations_in_progress") === count,
      `${count} operations are under way`,
    );
  /** Calls by method and code, operations by verdict, and reasons, as they were made here. */
  const made = {
    calls: new Map<string, number>(),
    sales: new Map<string, number>(),
    reasons: new Map<string, number>(),
  };
  const note = (kind: keyof typeof made, key: string, count = 1) =>
    made[kind].set(key, (made[kind].get(key) ?? 0) + count);

  const counted = async () => callsOf(await scrape(adminUrl));
  for (const [i, [name, connect]] of Object.entries(PROTOCOLS).entries()) {
    await step(name, async () => {
      const client = createClient(InventoryService, connect(url));
      const goodsId = i + 1;
      const calls = async (method: string, code: string, run: () => Promise<unknown>) => {
        const error = await run().then(() => undefined, (error) => ConnectError.from(error));
        assertEquals(error === undefined ? "OK" : nameOf(error.code), code, `${method}: ${error?.message}`);
        note("calls", `${method} ${code}`);
      };
      const sell = (num: number, orderId: string, more: { readonly dryRun?: boolean } = {}) =>
        client.sell({ goodsInfo: [{ goodsId, num }], orderId, ...more });
      await calls("SetInv", "OK", () => client.setInv({ goodsId, num: 10 }));
      await calls("Sell", "OK", () => sell(3, `${name}-1`));
      await calls("Sell", "OK", () => sell(3, `${name}-1`));
      await calls("Sell", "OK", () => sell(3, `${name}-2`, { dryRun: true }));
      await calls("Sell", "FAILED_PRECONDITION", () => sell(30, `${name}-3`));
      await calls("Sell", "ALREADY_EXISTS", () => sell(4, `${name}-1`));
      await calls("Sell", "INVALID_ARGUMENT", () => sell(-1, `${name}-4`));
      await calls("InvDetail", "OK", () => client.invDetail({ goodsId }));
      await calls("InvDetail", "NOT_FOUND", () => client.invDetail({ goodsId: 1_000_000 }));
      for (const verdict of ["applied", "repeated", "tried", "refused", "refused"]) note("sales", verdict);
      for (const reason of ["short_stock", "content_differs"]) note("reasons", reason);

      // A batch whose callers have left is written to its end, or not, behind them.
      await areUnderWay(0);
      await using _row = await lockRow(server.databaseOwnerUrl, goodsId);
      const caller = new AbortController();
      const cancelled = calls(
        "Sell",
        "CANCELLED",
        () => client.sell({ goodsInfo: [{ goodsId, num: 1 }], orderId: `${name}-5` }, { signal: caller.signal }),
      );
      await areUnderWay(1);
      await calls(
        "Sell",
        "DEADLINE_EXCEEDED",
        // By a header alone: a client with a clock of its own would go at the same moment.
        () => client.sell({ goodsInfo: [{ goodsId, num: 1 }], orderId: `${name}-6` }, { headers: timeoutHeader(name) }),
      );
      caller.abort();
      await cancelled;
      // Else the row could be free before the server hears of it.
      await eventually(
        async () => (await counted())[`${SERVICE}/Sell CANCELLED`] === made.calls.get("Sell CANCELLED"),
        "the server knows that its caller has gone",
      );
    });
  }

  await step("messages that can't be read, and what is not served", async () => {
    const post = { method: "POST", headers: { "content-type": "application/json" } };
    assertEquals((await askedAt(`${url}/${SERVICE}/Sell`, { ...post, body: "{" }))[0], 400);
    note("calls", "Sell INVALID_ARGUMENT");
    for (const path of UNKNOWN) assertEquals((await askedAt(`${url}/${path}`, { ...post, body: "{}" }))[0], 404);
  });

  let sold = 0;
  const wanted = Object.fromEntries([
    ...[...made.calls].map(([key, count]) => [`${SERVICE}/${key}`, count]),
    ["_OTHER UNIMPLEMENTED", UNKNOWN.length],
  ]);

  await step("calls add up: by method and code", async () => {
    // The end of a call that was cut is seen a moment after its caller has gone.
    await eventually(async () => sumOf(await counted()) >= sumOf(wanted), "all calls are counted");
    assertEquals(await counted(), wanted);
  });

  await step("operations add up: by verdict, and refusals by reason", async () => {
    await areUnderWay(0);
    const scraped = await scrape(adminUrl);
    const sales = Object.fromEntries(
      scraped.series.filter(({ name }) => name === "holdfast_orders_total")
        .map(({ labels, value }) => [labels.verdict, value]),
    );
    // Whoever was cancelled, or late, stood in line or waited for the row; who was being written may have been sold.
    const { left = 0, failed = 0, applied = 0, ...ended } = sales;
    const { applied: appliedHere = 0, ...endedHere } = Object.fromEntries(made.sales);
    assertEquals(ended, { fault: 0, ...endedHere });
    assertEquals(left + failed + applied, appliedHere + 2 * Object.keys(PROTOCOLS).length);
    sold = applied;
    for (const [reason, count] of made.reasons) {
      assertEquals(scraped.value("holdfast_refusals_total", { reason }), count);
    }
    assertEquals(scraped.value("holdfast_operations_total", { operation: "set", verdict: "applied" }), 3);
    assertEquals(scraped.value("holdfast_queue_entries"), 0);
  });

  await step("batches, leases and statements are those of these operations", async () => {
    const scraped = await scrape(adminUrl);
    const batches = scraped.value("holdfast_batch_entries_count");
    assert(batches > 0 && batches === scraped.value("holdfast_batch_duration_seconds_count"));
    assert(scraped.value("holdfast_batch_entries_sum") >= 21, "an entry a sale and a set, at least");
    assert(scraped.sum("holdfast_lock_acquire_seconds_count", { result: "acquired" }) > 0);
    const writes = scraped.value("db_client_operation_duration_seconds_count", {
      db_operation_name: "write_changes",
      error_type: "",
    });
    const sets = Object.keys(PROTOCOLS).length;
    assert(writes >= 2 * sets && writes <= sets + sold, `${writes} writes of ${sets} sets and ${sold} sales`);
  });

  await step("every metric is in docs/metrics.md, with no other label", async () => {
    const page = await Deno.readTextFile(new URL("../../docs/metrics.md", import.meta.url));
    const scraped = await scrape(adminUrl);
    assertEquals([...scraped.types.keys()], METRICS.map(({ name }) => name));
    for (const { name, labels = {} } of METRICS) {
      assertStringIncludes(page, `| \`${name}\` `);
      const own = scraped.series.filter((one) =>
        one.name.replace(/_(bucket|sum|count)$/, "") === name || one.name === name
      );
      const found = new Set(own.flatMap((one) => Object.keys(one.labels)).filter((label) => label !== "le"));
      assertEquals([...found].filter((label) => !Object.hasOwn(labels, label)), [], name);
      for (const [label, values] of Object.entries(labels)) {
        if (typeof values === "string") continue;
        const strange = own.map((one) => one.labels[label]!).filter((value) => !values.includes(value));
        assertEquals(strange, [], `${name}{${label}}`);
      }
    }
  });

  await step("nothing that callers named is in any label", async () => {
    const { series } = await scrape(adminUrl);
    const said = series.map(({ labels }) => Object.values(labels).join(" ")).join("\n");
    for (const named of ["Nothing", "shop.v", "gRPC-1", "Connect-5", "1000000"]) {
      assert(!said.includes(named), `${named} is in the scrape`);
    }
    const methods = new Set(series.flatMap(({ labels }) => labels.rpc_method ?? []));
    assert(methods.size <= 5, [...methods].join(", "));
  });

  await step("/livez and /readyz", async () => {
    assertEquals(await askedAt(`${adminUrl}/livez`), [200, "ALIVE\n"]);
    assertEquals(await askedAt(`${adminUrl}/readyz`), [200, "SERVING\nPostgreSQL: ready\nRedis quorum: ready\n"]);
  });

  await step("only pages that there are, by GET and HEAD, under a name of this machine", async () => {
    assertEquals((await askedAt(`${adminUrl}/metrics`, { method: "HEAD" }))[1], "");
    assertEquals((await askedAt(`${adminUrl}/metrics`, { method: "POST", body: "{}" }))[0], 405);
    assertEquals((await askedAt(`${adminUrl}/${SERVICE}/InvDetail`))[0], 404);
    const [status, said] = await askedAt(`${adminUrl}/metrics`, { headers: { host: "attacker.example" } });
    assertEquals(status, 403);
    assertStringIncludes(said, "expected an address, localhost or a name of ALLOWED_HOSTS, got attacker.example");
    assertEquals((await askedAt(`${adminUrl}/metrics`, { headers: { origin: "https://shop.example" } }))[0], 403);
  });
});

serverTest("who is refused is counted, by why", { env: { AUTH: "keys" } }, async ({ url, adminUrl }) => {
  const send = async (headers: Record<string, string>) =>
    (await askedAt(`${url}/${SERVICE}/Sell`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    }))[0];
  for (let i = 0; i < 3; i++) assertEquals(await send({}), 401);
  assertEquals(await send({ authorization: "Bearer nobody's" }), 401);
  const scraped = await scrape(adminUrl);
  assertEquals(scraped.value("holdfast_auth_refusals_total", { reason: "missing" }), 3);
  assertEquals(scraped.sum("holdfast_auth_refusals_total"), 4);
  const refused = { rpc_method: `${SERVICE}/Sell`, rpc_response_status_code: "UNAUTHENTICATED" };
  assertEquals(scraped.value("rpc_server_call_duration_seconds_count", refused), 4);
  assertEquals(scraped.value("holdfast_dependency_ready", { dependency: "keys of callers" }), 1);
});

/** Calls of all but health, which whoever waits for the server asks for, by method and code. */
function callsOf({ series }: Scrape): Record<string, number> {
  return Object.fromEntries(
    series.filter(({ name, labels }) =>
      name === "rpc_server_call_duration_seconds_count" && labels.rpc_method !== "grpc.health.v1.Health/Check"
    ).map(({ labels, value }) => [`${labels.rpc_method} ${labels.rpc_response_status_code}`, value]),
  );
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function timeoutHeader(protocol: string): Record<string, string> {
  return protocol === "Connect" ? { "connect-timeout-ms": "700" } : { "grpc-timeout": "700m" };
}

/** As gRPC names it. */
function nameOf(code: Code): string {
  const name = Code[code]!.replace(/[a-z](?=[A-Z])/g, "$&_").toUpperCase();
  return name === "CANCELED" ? "CANCELLED" : name;
}
