/** How several processes behind one port end: asked to, asked twice, and when their supervisor is killed. */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { call, inParallel } from "../support/callers.ts";
import { takeLeases, type TakenLeases } from "../support/contention.ts";
import { rawJson } from "../support/raw_call.ts";
import { runServer, serverTest, type TestServer } from "../support/server.ts";
import { allGone, pidOf, said, signal as kill } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const EXIT_FAILED = 1;
const EXIT_KILLED = 137;
const WORKERS = [1, 2];
/** One connection each: that all of them come to the same of two workers happens once in 2^31 runs. */
const CALLS = 32;
/** Calls wait for their lease for as long as the test wants. */
const PATIENT = { workers: WORKERS.length, env: { LOCK_WAIT_MS_MAX: "30000", LOG_LEVEL: "debug" } };

/** Calls under way on all workers: each waits for the lease of goods of its own. */
interface UnderWay extends AsyncDisposable {
  readonly leases: TakenLeases;
  readonly ended: Promise<string[]>;
  readonly pids: readonly number[];
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  serverTest(`${signal}: every worker finishes its calls, exit 0`, PATIENT, async (server) => {
    await using calls = await startCalls(server);
    server.signal(signal);
    await askedToStop(server);
    // To the worker this is a second signal, as where every process of a service is signalled. It goes on draining.
    await kill(pidOf(server, 1), "SIGINT");
    await eventually(async () => (await call(server.url, "InvDetail", {})).code === "unreachable", "nobody listens");
    await calls.leases.release();
    assertEquals(await calls.ended, Array(CALLS).fill("200"));
    assertEquals(await server.exited, 0);
    for (const worker of WORKERS) {
      assert(answersAfterStop(server, worker) > 0, `worker ${worker} had no call to finish`);
    }
    assertEquals(await soldOrders(server), CALLS);
    assertEquals(await calls.leases.count(), 0);
    await allGone(calls.pids);
  });
}

Deno.test("a request to stop that comes before the first worker ends the start, exit 0", async () => {
  const options = { workers: WORKERS.length, env: { ADMIN_PORT: "0" }, endsAfter: '"msg":"Holdfast starts"' };
  const { code, stdout, stderr } = await runServer(options);
  assertEquals([code, stdout], [0, ""], stderr);
});

serverTest("a second signal ends all at once", PATIENT, async (server) => {
  await using calls = await startCalls(server);
  server.signal("SIGTERM");
  await askedToStop(server);
  server.signal("SIGINT");
  assertEquals(await server.exited, EXIT_FAILED);
  await allGone(calls.pids);
  assertEquals(await calls.ended, Array(CALLS).fill("cut"));
  assertEquals(await soldOrders(server), 0);
});

serverTest(
  "when the supervisor is killed the workers finish their calls and leave by themselves",
  PATIENT,
  async (server) => {
    await using calls = await startCalls(server);
    server.signal("SIGKILL");
    await askedToStop(server);
    await calls.leases.release();
    assertEquals(await calls.ended, Array(CALLS).fill("200"));
    await allGone(calls.pids);
    assertEquals(await server.exited, EXIT_KILLED);
    assertEquals(await soldOrders(server), CALLS);
  },
);

async function startCalls(server: TestServer): Promise<UnderWay> {
  const goodsIds = Array.from({ length: CALLS }, (_, i) => i + 1);
  await inParallel(CALLS, 8, (i) => call(server.url, "SetInv", { goodsId: goodsIds[i], num: 1 }));
  const leases = await takeLeases(...goodsIds);
  const order = (goodsId: number) => ({ orderId: `order-${goodsId}`, goodsInfo: [{ goodsId, num: 1 }] });
  const ended = Promise.all(goodsIds.map((goodsId) => rawJson(server.url, "Sell", JSON.stringify(order(goodsId)))));
  await leases.askedFor();
  const pids = WORKERS.map((worker) => pidOf(server, worker));
  return { leases, ended, pids, [Symbol.asyncDispose]: () => leases[Symbol.asyncDispose]() };
}

async function askedToStop(server: TestServer): Promise<void> {
  await eventually(() => {
    return WORKERS.every((worker) => said(server, "shutting down", worker).length > 0);
  }, "every worker is asked to stop");
}

function answersAfterStop(server: TestServer, worker: number): number {
  const [stop] = said(server, "shutting down", worker);
  return said(server, "call answered", worker).filter(({ time }) => time >= stop!.time).length;
}

async function soldOrders(server: TestServer): Promise<number> {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  const [row] = await owner<{ count: number }[]>`select count(*)::int from orders where state = 'sold'`;
  await owner.end();
  return row!.count;
}
