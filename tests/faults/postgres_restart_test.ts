/**
 * PostgreSQL is restarted and killed under load: callers get success or an error that says to retry, never a wrong
 * answer, and what was acknowledged is there.
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { type ModeName, MODES } from "../../src/config/mode_names.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { type Answer, call, callUntilDecided, health, tally } from "../support/callers.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { type OwnPostgres, startOwnPostgres } from "../support/own_postgres.ts";
import { startServer } from "../support/server.ts";

const CALLERS = 16;
const STOCK = 1_000_000;
/** Sales that must have been acknowledged between two outages, so that each one meets a service under load. */
const SALES_BETWEEN = 100;
const HEAL_MS_MAX = 60_000;
/** Of a caller between its orders: it is outages that are tried here, and not how much a process can do. */
const PAUSE_MS = 20;

Deno.test("PostgreSQL restarts under load: every acknowledged order is in the ledger once", async (t) => {
  await using own = await startOwnPostgres({ fsync: false });
  for (const mode of MODES) await t.step(mode, () => restartsUnderLoad(own, mode));
});

async function restartsUnderLoad(own: OwnPostgres, mode: ModeName): Promise<void> {
  const { server } = own;
  const database = await own.database(`restarted_${mode}`);
  await using program = await startServer({ database, env: { CONCURRENCY: mode } });
  await call(program.url, "SetInv", { goodsId: 1, num: STOCK });

  const answers: Answer[] = [];
  const acknowledged = new Set<string>();
  const unclear: { orderId: string; goodsInfo: unknown }[] = [];
  let reached: (() => void) | undefined;
  let outageMet: (() => void) | undefined;
  let target = Infinity;
  let running = true;
  const loads = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; running; i++) {
      const order = { orderId: `${caller}-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] };
      const answer = await call(program.url, "Sell", order);
      answers.push(answer);
      if (answer.code === "ok") acknowledged.add(order.orderId);
      else unclear.push(order);
      if (answer.code === "unavailable") outageMet?.();
      if (acknowledged.size >= target) reached?.();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  const moreSales = () =>
    new Promise<void>((resolve) => {
      target = acknowledged.size + SALES_BETWEEN;
      reached = resolve;
    });

  await moreSales();
  for (const outage of ["fast", "immediate", "kill"] as const) {
    const met = new Promise<void>((resolve) => outageMet = resolve);
    if (outage === "kill") await server.kill();
    else await server.stop(outage);
    await met;
    await server.start();
    await moreSales();
  }
  // Back at once: it may be that nobody meets it.
  await server.restart("fast");
  await moreSales();
  running = false;
  await Promise.all(loads);
  await server.stop("fast");
  assert(await until(async () => (await health(program.url)) === "NOT_SERVING", HEAL_MS_MAX));
  assertEquals((await call(program.url, "InvDetail", { goodsId: 1 })).code, "unavailable");
  await server.start();
  assert(await until(async () => (await health(program.url)) === "SERVING", HEAL_MS_MAX));

  const codes = tally(answers.map((answer) => answer.code));
  console.log(`answers under restarts: ${JSON.stringify(codes)}`);
  const wrong = answers.filter(({ code }) => !["ok", "unavailable", "aborted", "deadline_exceeded"].includes(code));
  assertEquals(wrong, []);

  for (const order of unclear) {
    assertEquals((await callUntilDecided(program.url, "Sell", order)).code, "ok");
    acknowledged.add(order.orderId);
  }
  const sql = postgres(database.ownerUrl, { max: 1 });
  const rows = await sql`select order_id from movements where kind = 'sell'`;
  await sql.end();
  assertEquals(rows.map((row) => row.order_id).sort(), [...acknowledged].sort());
  assertEquals((await call(program.url, "InvDetail", { goodsId: 1 })).body.num, STOCK - acknowledged.size);
  assertEquals(await checkLedger(database.ownerUrl), []);
}
