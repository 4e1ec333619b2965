/**
 * No buyer gets more than a policy allows, by two server processes on one goods: with the lease and without it.
 */
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { callUntilDecided, inParallel, tally } from "../support/callers.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";
import { inEveryMode } from "../support/test_mode.ts";
import type { Protection } from "./suite/protections/names.ts";
import { startSuiteServer } from "./suite/suite_server.ts";

const CALLERS = 64;
const CAP = 3;
const BUYERS = 12;
/** Tries of each buyer, by turns a sale and a hold that is confirmed. */
const TRIES = 16;

for (const without of [undefined, ["lease"]] satisfies (Protection[] | undefined)[]) {
  const how = without === undefined ? "with the lease" : "by the fence alone";
  inEveryMode(`of ${TRIES} tries no buyer has a fourth unit, ${how}`, async () => {
    await using database = await createTestDatabase();
    const start = () => without === undefined ? startServer({ database }) : startSuiteServer({ database, without });
    await using first = await start();
    await using second = await start();
    const urls = [first.url, second.url];
    assertEquals((await callUntilDecided(first.url, "SetInv", { goodsId: 1, num: 1000 })).code, "ok");
    const policy = { goodsId: 1, policy: { buyerNumMax: CAP } };
    assertEquals((await callUntilDecided(first.url, "StockService/SetPolicy", policy)).code, "ok");

    const codes = await inParallel(BUYERS * TRIES, CALLERS, async (i) => {
      // Tries of one buyer follow each other, so that they are under way together, by both processes.
      const [buyer, url] = [Math.floor(i / TRIES), urls[i % 2]!];
      const request = { orderId: `order-${i}`, buyerId: `buyer-${buyer}`, goodsInfo: [{ goodsId: 1, num: 1 }] };
      if (i % 4 < 2) return (await callUntilDecided(url, "Sell", request)).code;
      const { code } = await callUntilDecided(url, "HoldService/Reserve", request);
      if (code !== "ok") return code;
      return (await callUntilDecided(urls[(i + 1) % 2]!, "HoldService/ConfirmHold", { orderId: request.orderId })).code;
    });
    assertEquals(tally(codes), { ok: BUYERS * CAP, failed_precondition: BUYERS * (TRIES - CAP) });

    const owner = postgres(database.ownerUrl, { max: 1 });
    const units = await owner<{ units: number }[]>`
      select sum(nums[1])::int as units from orders where state = 'sold' group by buyer_id`;
    await owner.end();
    assertEquals(units.map((row) => row.units), Array(BUYERS).fill(CAP));
    assertEquals((await callUntilDecided(first.url, "InvDetail", { goodsId: 1 })).body.num, 1000 - BUYERS * CAP);
    assertEquals(await checkLedger(database.ownerUrl), []);
  });
}
