/**
 * Two server processes on the same goods: never oversold, sold and given back once, and no buyer over a policy's cap.
 * With the lease, without it, and, to show that the tests can see the difference, with neither lease nor fence.
 */
import { assert, assertEquals } from "@std/assert";
import { call, callUntilDecided, firstOrRepeated, inParallel, tally } from "../support/callers.ts";
import { createTestDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { inEveryMode } from "../support/test_mode.ts";
import type { Protection } from "./suite/protections/names.ts";
import { startSuiteServer } from "./suite/suite_server.ts";

/** Orders of one unit each, so many at a time, of a goods that has fewer units. */
const CALLERS = 64;
const STOCK = 200;
const ORDERS = 260;
/** The same call, so often at once. */
const TIMES = 30;
/** Units that a buyer may have, and tries of each buyer: by turns a sale and a hold that is confirmed. */
const CAP = 3;
const BUYERS = 6;
const TRIES = 16;

/** Goods of each step: all are of one database. */
const SOLD_OUT = 1;
const CROSSING = [11, 12, 13, 14, 15];
const ONCE = [21, 22] as const;
const CAPPED = 31;
const RACED = 41;

/** Two processes on one database. */
interface Processes {
  readonly urls: readonly [string, string];
  readonly ownerUrl: string;
}

inEveryMode("with the lease two processes keep every promise", async (t) => {
  await withTwo(startServer, async (two) => {
    await t.step("64 callers sell exactly what there is", () => isSoldOut(two));
    await t.step(`an order sent ${TIMES} times at once is sold once and answered the same`, () => isOnce(two));
    await t.step("a rollback that overtakes its sell ends in nothing sold, whichever comes first", () => isRaced(two));
    await t.step(`of ${TRIES} tries no buyer has a fourth unit`, () => isCapped(two));
  });
});

Deno.test("with the lease switched off the fence alone keeps every promise", async (t) => {
  await withTwo(without(["lease"], "redlock"), async (two) => {
    await t.step("64 callers sell exactly what there is", () => isSoldOut(two));
    await t.step("orders of several goods that cross all come to a verdict", () => areCrossed(two));
    await t.step(`an order sent ${TIMES} times at once is sold once and answered the same`, () => isOnce(two));
    await t.step(`of ${TRIES} tries no buyer has a fourth unit`, () => isCapped(two));
  });
});

// In the third mode nothing but the fence excludes anybody: it is the same with and without this.
Deno.test("and so it does with rows that are not locked", async (t) => {
  await withTwo(without(["lease"], "row"), async (two) => {
    await t.step(`an order sent ${TIMES} times at once is sold once and answered the same`, () => isOnce(two));
    await t.step(`of ${TRIES} tries no buyer has a fourth unit`, () => isCapped(two));
  });
});

Deno.test("control: with neither lease nor fence the same callers oversell", async () => {
  await withTwo(without(["lease", "fence"], "redlock"), async (two) => {
    const { ok = 0 } = await sellOut(two);
    assert(ok > STOCK, `sold ${ok} of ${STOCK}: the test can't distinguish a guarded server from this one`);
    assert((await checkLedger(two.ownerUrl)).length > 0, "the ledger check sees nothing wrong with an oversold goods");
  }, { isWhole: false });
});

/** Starts a process on a database. */
type Start = (options: { readonly database: TestDatabase }) => Promise<TestServer>;

function without(protections: readonly Protection[], mode: string): Start {
  return ({ database }) => startSuiteServer({ database, without: protections, env: { CONCURRENCY: mode } });
}

/** Starts two on a database of their own; `isWhole`: afterwards its ledger is. */
async function withTwo(
  start: Start,
  run: (two: Processes) => Promise<void>,
  { isWhole = true } = {},
): Promise<void> {
  await using database = await createTestDatabase();
  await using first = await start({ database });
  await using second = await start({ database });
  await run({ urls: [first.url, second.url], ownerUrl: database.ownerUrl });
  if (isWhole) assertEquals(await checkLedger(database.ownerUrl), []);
}

/** How the orders ended. */
async function sellOut({ urls }: Processes): Promise<Record<string, number>> {
  assertEquals((await call(urls[0], "SetInv", { goodsId: SOLD_OUT, num: STOCK })).code, "ok");
  const repeated: string[] = [];
  const answers = await inParallel(ORDERS, CALLERS, (i) =>
    callUntilDecided(
      urls[i % 2]!,
      "Sell",
      { orderId: `order-${i}`, goodsInfo: [{ goodsId: SOLD_OUT, num: 1 }] },
      (answer) => repeated.push(answer.code),
    ));
  console.log(`answers before the last: ${JSON.stringify(tally(repeated))}`);
  return tally(answers.map((answer) => answer.code));
}

async function isSoldOut(two: Processes): Promise<void> {
  assertEquals(await sellOut(two), { ok: STOCK, failed_precondition: ORDERS - STOCK });
  assertEquals(await available(two, SOLD_OUT), 0);
}

async function areCrossed(two: Processes): Promise<void> {
  const stock = 150;
  for (const goodsId of CROSSING) await call(two.urls[0], "SetInv", { goodsId, num: stock });
  const answers = await inParallel(300, 32, (i) => {
    // Three of five goods in turn, written in changing order.
    const goods = [0, 1, 3].map((step) => CROSSING[(i + step) % CROSSING.length]!);
    if (i % 2 === 0) goods.reverse();
    const goodsInfo = goods.map((goodsId) => ({ goodsId, num: 1 }));
    return callUntilDecided(two.urls[i % 3 === 0 ? 0 : 1], "Sell", { orderId: `crossing-${i}`, goodsInfo });
  });
  const ended = tally(answers.map((answer) => answer.code));
  assertEquals(Object.keys(ended).sort(), ["failed_precondition", "ok"]);
  const left = await Promise.all(CROSSING.map((goodsId) => available(two, goodsId)));
  assertEquals(left.reduce((sum, num) => sum + num), CROSSING.length * stock - 3 * (ended.ok ?? 0));
}

async function isOnce(two: Processes): Promise<void> {
  const { urls: [url] } = two;
  for (const goodsId of ONCE) await call(url, "SetInv", { goodsId, num: 100 });
  const everywhere = (method: string, body: unknown) =>
    inParallel(TIMES, TIMES, async (i) => firstOrRepeated(await callUntilDecided(two.urls[i % 2]!, method, body)));
  const left = () => Promise.all(ONCE.map((goodsId) => available(two, goodsId)));

  const lines = [{ goodsId: ONCE[1], num: 5 }, { goodsId: ONCE[0], num: 7 }];
  const sold = await everywhere("Sell", { orderId: "one", goodsInfo: lines });
  assertEquals(sold, Array(TIMES).fill(sold[0]));
  assertEquals(sold[0]?.code, "ok");
  assertEquals(await left(), [93, 95]);

  const part = await everywhere("Rollback", { orderId: "one", goodsInfo: [{ goodsId: ONCE[0], num: 3 }] });
  assertEquals(part, Array(TIMES).fill(part[0]));
  assertEquals(await left(), [96, 95]);

  const whole = await everywhere("Rollback", { orderId: "one" });
  assertEquals(whole, Array(TIMES).fill(whole[0]));
  assertEquals(whole[0]?.body.goodsInfo, [
    { goodsId: ONCE[0], num: 4, locationId: 0, sku: "" },
    { goodsId: ONCE[1], num: 5, locationId: 0, sku: "" },
  ]);
  assertEquals(await left(), [100, 100]);

  const barred = await everywhere("Rollback", { orderId: "never-sold" });
  assertEquals(barred, Array(TIMES).fill(barred[0]));
  const late = await call(url, "Sell", { orderId: "never-sold", goodsInfo: lines });
  assertEquals(late.code, "failed_precondition");
}

async function isRaced(two: Processes): Promise<void> {
  const { urls: [url] } = two;
  await call(url, "SetInv", { goodsId: RACED, num: 100 });
  await inParallel(40, 40, async (i) => {
    const order = { orderId: `raced-${i}` };
    const [sell] = await Promise.all([
      callUntilDecided(url, "Sell", { ...order, goodsInfo: [{ goodsId: RACED, num: 1 }] }),
      callUntilDecided(url, "Rollback", order),
    ]);
    assertEquals(["ok", "failed_precondition"].includes(sell.code), true, JSON.stringify(sell));
  });
  assertEquals(await available(two, RACED), 100);
}

async function isCapped(two: Processes): Promise<void> {
  const { urls } = two;
  assertEquals((await callUntilDecided(urls[0], "SetInv", { goodsId: CAPPED, num: 1000 })).code, "ok");
  const policy = { goodsId: CAPPED, policy: { buyerNumMax: CAP } };
  assertEquals((await callUntilDecided(urls[0], "StockService/SetPolicy", policy)).code, "ok");

  const codes = await inParallel(BUYERS * TRIES, CALLERS, async (i) => {
    // Tries of one buyer follow each other, so that they are under way together, by both processes.
    const [buyer, url] = [Math.floor(i / TRIES), urls[i % 2]!];
    const request = { orderId: `capped-${i}`, buyerId: `buyer-${buyer}`, goodsInfo: [{ goodsId: CAPPED, num: 1 }] };
    if (i % 4 < 2) return (await callUntilDecided(url, "Sell", request)).code;
    const { code } = await callUntilDecided(url, "HoldService/Reserve", request);
    if (code !== "ok") return code;
    return (await callUntilDecided(urls[(i + 1) % 2]!, "HoldService/ConfirmHold", { orderId: request.orderId })).code;
  });
  assertEquals(tally(codes), { ok: BUYERS * CAP, failed_precondition: BUYERS * (TRIES - CAP) });

  await using owner = ownerOf(two.ownerUrl);
  const units = await owner.sql<{ units: number }[]>`
    select sum(nums[1])::int as units from orders where state = 'sold' and buyer_id is not null group by buyer_id`;
  assertEquals(units.map((row) => row.units), Array(BUYERS).fill(CAP));
  assertEquals(await available(two, CAPPED), 1000 - BUYERS * CAP);
}

async function available({ urls: [url] }: Processes, goodsId: number): Promise<number> {
  return Number((await call(url, "InvDetail", { goodsId })).body.num);
}
