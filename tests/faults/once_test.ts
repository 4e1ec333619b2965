/**
 * Once: the same order and the same rollback, many times at once through two processes.
 */
import { assertEquals } from "@std/assert";
import { call, callUntilDecided, firstOrRepeated, inParallel } from "../support/callers.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";
import type { Protection } from "./suite/protections/names.ts";
import { startSuiteServer } from "./suite/suite_server.ts";
import { inEveryMode } from "../support/test_mode.ts";

const TIMES = 50;

for (const without of [undefined, ["lease"]] satisfies (Protection[] | undefined)[]) {
  const how = without === undefined ? "with the lease" : "by the fence alone";
  inEveryMode(`an order sent ${TIMES} times at once is sold once and answered the same, ${how}`, async () => {
    await using database = await createTestDatabase();
    const start = () => without === undefined ? startServer({ database }) : startSuiteServer({ database, without });
    await using first = await start();
    await using second = await start();
    const urls = [first.url, second.url];
    await call(first.url, "SetInv", { goodsId: 1, num: 100 });
    await call(first.url, "SetInv", { goodsId: 2, num: 100 });
    const everywhere = (method: string, body: unknown) =>
      inParallel(TIMES, TIMES, async (i) => firstOrRepeated(await callUntilDecided(urls[i % 2]!, method, body)));
    const num = async (goodsId: number) => (await call(first.url, "InvDetail", { goodsId })).body.num;

    const lines = [{ goodsId: 2, num: 5 }, { goodsId: 1, num: 7 }];
    const sold = await everywhere("Sell", { orderId: "one", goodsInfo: lines });
    assertEquals(sold, Array(TIMES).fill(sold[0]));
    assertEquals(sold[0]?.code, "ok");
    assertEquals([await num(1), await num(2)], [93, 95]);

    const part = await everywhere("Rollback", { orderId: "one", goodsInfo: [{ goodsId: 1, num: 3 }] });
    assertEquals(part, Array(TIMES).fill(part[0]));
    assertEquals([await num(1), await num(2)], [96, 95]);

    const whole = await everywhere("Rollback", { orderId: "one" });
    assertEquals(whole, Array(TIMES).fill(whole[0]));
    assertEquals(whole[0]?.body.goodsInfo, [
      { goodsId: 1, num: 4, locationId: 0, sku: "" },
      { goodsId: 2, num: 5, locationId: 0, sku: "" },
    ]);
    assertEquals([await num(1), await num(2)], [100, 100]);

    const barred = await everywhere("Rollback", { orderId: "never-sold" });
    assertEquals(barred, Array(TIMES).fill(barred[0]));
    const late = await call(first.url, "Sell", { orderId: "never-sold", goodsInfo: lines });
    assertEquals(late.code, "failed_precondition");
    assertEquals(await checkLedger(database.ownerUrl), []);
  });
}

inEveryMode("a sell and the rollback that overtakes it end in nothing sold, whichever comes first", async () => {
  await using server = await startServer();
  await call(server.url, "SetInv", { goodsId: 1, num: 100 });
  await inParallel(40, 40, async (i) => {
    const order = { orderId: `raced-${i}` };
    const [sell] = await Promise.all([
      callUntilDecided(server.url, "Sell", { ...order, goodsInfo: [{ goodsId: 1, num: 1 }] }),
      callUntilDecided(server.url, "Rollback", order),
    ]);
    assertEquals(["ok", "failed_precondition"].includes(sell.code), true, JSON.stringify(sell));
  });
  assertEquals((await call(server.url, "InvDetail", { goodsId: 1 })).body.num, 100);
  assertEquals(await checkLedger(server.databaseOwnerUrl), []);
});
