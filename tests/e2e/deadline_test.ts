/**
 * Calls whose goods are leased or locked by a stranger: they end with their deadline or with their caller, and leave
 * nothing behind once the goods are free.
 */
import type * as grpc from "@grpc/grpc-js";
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import type { Json } from "../support/clients/client.ts";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { type LockedRow, lockRow, takeLeases } from "../support/contention.ts";
import { bytesField, grpcMessage, rawGrpc, rawHttp1, v1Path, varintField } from "../support/raw_call.ts";
import { serverTest, type TestServer } from "../support/server.ts";
import { allRows } from "../support/all_rows.ts";
import { eventually } from "../support/eventually.ts";

const GOODS = 1;
const STOCK = 10;
/** The next where a call was over before it came to wait, as on a machine that has much else to do. */
const DEADLINES_MS = [300, 1_500, 7_500];
const SELL: Json = { goodsInfo: [{ goodsId: GOODS, num: 1 }], orderId: "given-up" };
const SELL_MESSAGE = grpcMessage(
  bytesField(1, new Uint8Array([...varintField(1, BigInt(GOODS)), ...varintField(2, 1n)])),
);

/** Sends the sale with this deadline; answers the code. */
type Impatient = (url: string, deadlineMs: number) => Promise<string>;

const IMPATIENT: Readonly<Record<string, Impatient>> = {
  // The server's own answer: this client has no clock.
  "gRPC": (url, deadlineMs) => rawGrpc(url, { headers: { "grpc-timeout": `${deadlineMs}m` }, body: SELL_MESSAGE }),
  "Connect": (url, deadlineMs) =>
    rawHttp1(url + v1Path("Sell"), {
      headers: { "content-type": "application/json", "connect-timeout-ms": String(deadlineMs) },
      body: JSON.stringify(SELL),
    }),
  "grpc-js": async (url, deadlineMs) => {
    const service = connect(url);
    const result = await callGrpcJs(service, "Sell", SELL, { deadline: Date.now() + deadlineMs });
    service.close();
    return "code" in result ? result.code : "answered";
  },
};
const EXPECTED: Readonly<Record<string, string>> = { "Connect": "504 DEADLINE_EXCEEDED" };

serverTest("a call whose goods are taken ends with its deadline, or with its caller, and leaves nothing", {
  env: { LOCK_WAIT_MS_MAX: "30000", LOG_LEVEL: "debug" },
}, async (server, step) => {
  await stock(server);
  for (const [name, send] of Object.entries(IMPATIENT)) {
    const expected = EXPECTED[name] ?? "DEADLINE_EXCEEDED";
    await step(`${name}, the row locked by another session`, () =>
      changingNothing(server, async () => {
        await using row = await lockRow(server.databaseOwnerUrl, GOODS);
        assertEquals(await endOfWait(server.url, send, () => row.waitedFor(1)), expected);
        await row.waitedFor(0);
      }));
    await step(`${name}, the lease taken by another process`, () =>
      changingNothing(server, async () => {
        await using leases = await takeLeases(GOODS);
        assertEquals(await endOfWait(server.url, send, () => leases.askedFor()), expected);
      }));
  }
  await step("cancelled over gRPC, waiting for a row", () =>
    changingNothing(server, async () => {
      await using row = await lockRow(server.databaseOwnerUrl, GOODS);
      await cancel(server, await waitingFor(server, row, () => startSell(server.url)));
      await row.waitedFor(0);
    }));
  await step("cancelled over gRPC, waiting for a lease", () =>
    changingNothing(server, async () => {
      await using leases = await takeLeases(GOODS);
      const call = startSell(server.url);
      await leases.askedFor();
      await cancel(server, call);
    }));
  await step("connection closed over HTTP/1.1, waiting for a row", () =>
    changingNothing(server, async () => {
      await using row = await lockRow(server.databaseOwnerUrl, GOODS);
      const call = await waitingFor(server, row, () => startSellOverHttp1(server.url));
      await cancel(server, call);
      await row.waitedFor(0);
      assertEquals(await call.answer, undefined);
    }));
});

/** A call whose statement has been seen to wait. The next where the machine stalled for as long as it did. */
async function waitingFor<Call extends { cancel(): void }>(
  server: TestServer,
  row: LockedRow,
  start: () => Call,
): Promise<Call> {
  for (const waitMs of DEADLINES_MS) {
    const call = start();
    if (await row.waitedFor(1, waitMs).then(() => true, () => false)) return call;
    await cancel(server, call);
    await row.waitedFor(0);
  }
  throw new Error(`No sale came to wait for the row within ${DEADLINES_MS.at(-1)} ms`);
}

/** Resolves when the server knows: else what it waits for could be free before that, and the goods sold. */
async function cancel({ output }: TestServer, call: { cancel(): void }): Promise<void> {
  const { length } = output.stderr;
  call.cancel();
  await eventually(() => output.stderr.slice(length).includes(`"code":"Canceled"`), "the server knows");
}

/** What the sale comes to that has been seen to wait. */
async function endOfWait(url: string, send: Impatient, waits: () => Promise<void>): Promise<string> {
  for (const deadlineMs of DEADLINES_MS) {
    const answer = send(url, deadlineMs);
    const seen = waits().then(() => true, () => false);
    if (await Promise.race([seen, answer.then(() => false)])) return await answer;
  }
  throw new Error(`No sale came to wait before its deadline, of ${DEADLINES_MS.at(-1)} ms at most`);
}

serverTest("a call without a deadline ends with the server's limit", {
  env: { REQUEST_TIMEOUT_MS_MAX: "400", LOCK_WAIT_MS_MAX: "30000" },
}, async (server) => {
  await stock(server);
  await changingNothing(server, async () => {
    await using leases = await takeLeases(GOODS);
    // On a busy machine the limit of the first may pass before it has asked for anything.
    await eventually(async () => {
      const answer = await callJson(server.url, "Sell", JSON.stringify(SELL));
      assertEquals(answer, { code: "DEADLINE_EXCEEDED", details: [] });
      return leases.isAskedFor();
    }, "a sale came to wait for its goods");
  });
});

serverTest("goods that are taken for too long are said to be busy, and when to come again", {
  env: { LOCK_WAIT_MS_MAX: "2500" },
}, async (server, step) => {
  await stock(server);
  const busy = {
    code: "ABORTED",
    details: [
      {
        "@type": "google.rpc.ErrorInfo",
        reason: "GOODS_BUSY",
        domain: "inventory.v1",
        metadata: { order_id: SELL.orderId },
      },
      { "@type": "google.rpc.RetryInfo", retryDelay: "0.100s" },
    ],
  };
  const sell = () => callJson(server.url, "Sell", JSON.stringify(SELL));
  await step("the row locked by another session", () =>
    changingNothing(server, async () => {
      await using _row = await lockRow(server.databaseOwnerUrl, GOODS);
      assertEquals(await sell(), busy);
    }));
  await step("the lease taken by another process", () =>
    changingNothing(server, async () => {
      await using _leases = await takeLeases(GOODS);
      assertEquals(await sell(), busy);
    }));
});

async function stock(server: TestServer): Promise<void> {
  await callJson(server.url, "SetInv", JSON.stringify({ goodsId: GOODS, num: STOCK }));
}

/**
 * Runs and then, with nothing taken any more, has the server set the same goods to where it stands: whatever was still
 * in progress would come first, and would show.
 */
async function changingNothing(server: TestServer, run: () => Promise<void>): Promise<void> {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  try {
    const before = await allRows(owner);
    await run();
    await eventually(async () => {
      const [row] = await owner<{ active: number }[]>`
        select count(*)::int as active from pg_stat_activity
        where datname = current_database() and application_name = 'holdfast' and state <> 'idle'`;
      return row!.active === 0;
    }, "the program's statements have ended");
    assertEquals(await allRows(owner), before);
    const probe = await callJson(server.url, "SetInv", JSON.stringify({ goodsId: GOODS, num: STOCK }));
    assertEquals("answer" in probe && probe.answer.num, STOCK);
    assertEquals(await allRows(owner), before);
  } finally {
    await owner.end();
  }
}

function startSell(url: string): grpc.ClientUnaryCall {
  const service = connect(url);
  return service.Sell!(SELL, {}, () => service.close());
}

/** `answer`: undefined where it was cancelled. */
function startSellOverHttp1(url: string): { cancel(): void; readonly answer: Promise<Response | undefined> } {
  const controller = new AbortController();
  const answer = fetch(url + v1Path("Sell"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(SELL),
    signal: controller.signal,
  }).catch(() => undefined);
  return { cancel: () => controller.abort(), answer };
}

function connect(url: string) {
  return grpcJsService(url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService");
}
