/**
 * Never oversold, by two server processes on one goods: with the lease, without it, and, to show that the test can
 * see the difference, with neither lease nor fence.
 */
import { assert, assertEquals } from "@std/assert";
import { call, callUntilDecided, inParallel, tally } from "../support/callers.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";
import type { Protection } from "./suite/protections/names.ts";
import { startSuiteServer } from "./suite/suite_server.ts";

const CALLERS = 64;
const STOCK = 1000;
const ORDERS = 1200;
const GOODS = 1;

/** Sells one unit in each of {@link ORDERS} orders through two processes; answers how the orders ended. */
async function sellOut(
  without?: readonly Protection[],
): Promise<{ ended: Record<string, number>; violations: string[]; left: unknown }> {
  await using database = await createTestDatabase();
  // The lease can be switched off only where there is one.
  const start = () =>
    without === undefined
      ? startServer({ database })
      : startSuiteServer({ database, without, env: { CONCURRENCY: "redlock" } });
  await using first = await start();
  await using second = await start();
  assertEquals((await call(first.url, "SetInv", { goodsId: GOODS, num: STOCK })).code, "ok");
  const repeated: string[] = [];
  const answers = await inParallel(ORDERS, CALLERS, (i) =>
    callUntilDecided(
      i % 2 === 0 ? first.url : second.url,
      "Sell",
      { orderId: `order-${i}`, goodsInfo: [{ goodsId: GOODS, num: 1 }] },
      (answer) => repeated.push(answer.code),
    ));
  console.log(`answers before the last: ${JSON.stringify(tally(repeated))}`);
  const detail = await call(first.url, "InvDetail", { goodsId: GOODS });
  return {
    ended: tally(answers.map((answer) => answer.code)),
    violations: await checkLedger(database.ownerUrl),
    left: detail.body.num,
  };
}

inEveryMode("64 callers on two processes sell exactly what there is", async () => {
  assertEquals(await sellOut(), {
    ended: { ok: STOCK, failed_precondition: ORDERS - STOCK },
    violations: [],
    left: 0,
  });
});

Deno.test("with the lease switched off the fence alone keeps the promise", async () => {
  assertEquals(await sellOut(["lease"]), {
    ended: { ok: STOCK, failed_precondition: ORDERS - STOCK },
    violations: [],
    left: 0,
  });
});

Deno.test("orders of several goods that cross, with the lease switched off, all come to a verdict", async () => {
  await using database = await createTestDatabase();
  const env = { CONCURRENCY: "redlock" };
  await using first = await startSuiteServer({ database, without: ["lease"], env });
  await using second = await startSuiteServer({ database, without: ["lease"], env });
  const stock = 300;
  for (let goodsId = 1; goodsId <= 5; goodsId++) await call(first.url, "SetInv", { goodsId, num: stock });
  const answers = await inParallel(600, 32, (i) => {
    // Three of five goods in turn, written in changing order.
    const goods = [i % 5, (i + 1) % 5, (i + 3) % 5].map((index) => index + 1);
    if (i % 2 === 0) goods.reverse();
    const goodsInfo = goods.map((goodsId) => ({ goodsId, num: 1 }));
    return callUntilDecided(i % 3 === 0 ? first.url : second.url, "Sell", { orderId: `crossing-${i}`, goodsInfo });
  });
  const ended = tally(answers.map((answer) => answer.code));
  assertEquals(Object.keys(ended).sort(), ["failed_precondition", "ok"]);
  assertEquals(await checkLedger(database.ownerUrl), []);
  const left = await Promise.all(
    [1, 2, 3, 4, 5].map(async (goodsId) => Number((await call(first.url, "InvDetail", { goodsId })).body.num)),
  );
  assertEquals(left.reduce((sum, num) => sum + num), 5 * stock - 3 * (ended.ok ?? 0));
});

Deno.test("control: with neither lease nor fence the same callers oversell", async () => {
  const { ended, violations } = await sellOut(["lease", "fence"]);
  assert(
    (ended.ok ?? 0) > STOCK,
    `sold ${ended.ok} of ${STOCK}: the test can't distinguish a guarded server from this one`,
  );
  assert(violations.length > 0, "the ledger check sees nothing wrong with an oversold goods");
});
