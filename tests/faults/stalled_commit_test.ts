/**
 * A commit that stands still for longer than anybody waits for it, as with a standby that does not answer or a disk
 * that does not write, while one caller of the batch leaves. What the others are answered stays true when it goes on.
 */
import { assertEquals } from "@std/assert";
import { sell, set } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startOwnPostgres } from "../support/own_postgres.ts";
import { NEVER } from "../support/pool_probe.ts";
import { stallCommits } from "../support/stalled_commits.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { eventually } from "../support/eventually.ts";

const CALLER_MS_MAX = 1000;
/** Until then a write that was lost is tried again. */
const LOCK_WAIT_MS_MAX = 2000;

inEveryMode("what is answered beside a commit that stands still is true when it has gone on", async () => {
  await using postgres = await startOwnPostgres();
  const database = await postgres.database("stalled");
  const { ownerUrl } = database;
  await using on = await lanesBench(database);
  await using owner = ownerOf(ownerUrl);
  const lanes = on.lanes({ limits: { lockWaitMsMax: LOCK_WAIT_MS_MAX } });
  for (let round = 0; round < 2; round++) {
    const goodsId = 10 + round;
    assertEquals((await lanes.apply(set(`none-${round}`, goodsId, 0), NEVER)).ok, true);
    const stalled = await stallCommits(ownerUrl);
    const leaving = lanes.apply(set(`five-${round}`, goodsId, 5), AbortSignal.timeout(CALLER_MS_MAX))
      .then(({ ok }) => ok, () => "unknown");
    const answered = await lanes.apply(sell(`b-${round}`, [goodsId, 5]), NEVER).then(({ ok }) => ok, () => "unknown");
    assertEquals(await leaving, "unknown", "the commit did not stand still");
    await stalled.heal();
    const onRecord = async () =>
      (await owner.sql`select 1 from orders where order_id = ${`b-${round}`} and state = 'sold'`).length === 1;
    console.log(`answered ${answered}; on record ${await onRecord()}`);
    if (answered !== "unknown") assertEquals(await onRecord(), answered, "what was answered and what is on record");
    // The retry of an order of unknown outcome comes to what is true as well. Right behind a search that found nobody
    // who takes writes it is refused by what that found.
    const retry = () => lanes.apply(sell(`b-${round}`, [goodsId, 5]), NEVER).then(({ ok }) => ok, () => undefined);
    let retried: boolean | undefined;
    await eventually(async () => (retried = await retry()) !== undefined, "the retry is decided");
    assertEquals(retried, true);
    assertEquals(await onRecord(), true);
    assertEquals(await on.onHand(goodsId), 0);
  }
  assertEquals(await checkLedger(ownerUrl), []);
});
