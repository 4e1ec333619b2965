/** A worker that dies: the others serve on, it comes back, and no promise is broken. */
import { assert, assertEquals } from "@std/assert";
import { callUntilDecided, inParallel, tally } from "../support/callers.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { rawJson } from "../support/raw_call.ts";
import { serverTest, startServer, type TestServer } from "../support/server.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { logLines, pidOf, said, signal } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

/** Some starts of a process, on a machine that is busy with other things. */
const START_MS_MAX = 60_000;
const STOCK = 100_000;
const CALLERS = 16;
/** Of each caller between its orders: it is deaths that are tried here, and not how much two workers can do. */
const PAUSE_MS = 20;
const DEATHS = 2;
const TLS_FILES = new URL("../support/tls/", import.meta.url).pathname;

serverTest("a worker killed under calls, again and again: the other serves on, and every sale is counted once", {
  workers: 2,
  env: { LOG_LEVEL: "debug" },
}, async (server) => {
  await callUntilDecided(server.url, "SetInv", { goodsId: 1, num: STOCK });
  const other = pidOf(server, 1);
  let selling = true;
  let orders = 0;
  const codes: string[] = [];
  const sellers = inParallel(CALLERS, CALLERS, async () => {
    while (selling) {
      const order = { orderId: `order-${orders++}`, goodsInfo: [{ goodsId: 1, num: 1 }] };
      codes.push((await callUntilDecided(server.url, "Sell", order)).code);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  for (let death = 1; death <= DEATHS; death++) {
    await answersMore(server, 2);
    const answered = said(server, "call answered", 1).length;
    await signal(pidOf(server, 2), "SIGKILL");
    await eventually(() => said(server, "worker ended", 2).length === death, "the death is seen");
    await eventually(() => said(server, "call answered", 1).length > answered + CALLERS, "the other serves on");
    await eventually(() => said(server, "worker listens", 2).length === death + 1, "it is back", START_MS_MAX);
  }
  await answersMore(server, 2);
  selling = false;
  await sellers;

  assertEquals(tally(codes), { ok: codes.length });
  const { body } = await callUntilDecided(server.url, "InvDetail", { goodsId: 1 });
  assertEquals(body.num, STOCK - codes.length);
  assertEquals(await checkLedger(server.databaseOwnerUrl), []);
  assertEquals([pidOf(server, 1), said(server, "worker ended", 1).length], [other, 0]);
  assertEquals(await server.stop(), 0);
}, inEveryMode);

Deno.test("a worker that can't start again is tried after longer and longer waits, until it can", async () => {
  const dir = await Deno.makeTempDir();
  const [cert, key] = [`${dir}/certificate.pem`, `${dir}/key.pem`];
  const ca = await Deno.readTextFile(`${TLS_FILES}certificate.pem`);
  await Deno.writeTextFile(cert, ca);
  await Deno.copyFile(`${TLS_FILES}key.pem`, key);
  await using server = await startServer({ workers: 2, ca, env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } });

  await Deno.remove(cert);
  await signal(pidOf(server, 2), "SIGKILL");
  const waitsOf = () => logLines(server).filter(({ worker, delayMs }) => worker === 2 && delayMs !== undefined);
  await eventually(() => waitsOf().length >= 4, "it fails to start, time and again", START_MS_MAX);
  await Deno.writeTextFile(cert, ca);
  await eventually(() => said(server, "worker listens", 2).length === 2, "it listens again", START_MS_MAX);

  const waits = waitsOf();
  const starts = said(server, "worker started", 2).slice(1);
  assertEquals(waits.length, starts.length);
  const delays = waits.map(({ delayMs }) => delayMs ?? 0);
  assert(delays.length >= 4 && delays[0]! >= 100, `${delays}`);
  assertEquals(delays, delays.toSorted((a, b) => a - b));
  assert(delays.at(-1)! >= 4 * delays[0]!, `${delays}`);
  waits.forEach(({ time, delayMs }, i) => {
    const waitedMs = Date.parse(starts[i]!.time) - Date.parse(time);
    // Logged in whole milliseconds, by a clock that is not the timer's.
    assert(waitedMs >= 0.9 * delayMs!, `started ${waitedMs} ms after a wait of ${delayMs} ms began`);
  });
  assertEquals(said(server, "worker ended", 1), []);
});

/** Asks over connections of their own until the worker has answered once more than now. */
async function answersMore(server: TestServer, worker: number): Promise<void> {
  const before = said(server, "call answered", worker).length;
  await eventually(async () => {
    await rawJson(server.url, "InvDetail", `{"goodsId":1}`);
    return said(server, "call answered", worker).length > before;
  }, `worker ${worker} answers`);
}
