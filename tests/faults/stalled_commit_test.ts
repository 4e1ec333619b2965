/**
 * A commit that stands still for longer than anybody waits for it, as with a standby that does not answer or a disk that
 * does not write, while one caller of the batch leaves. What the others are told stays true when it goes on.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { startPostgres } from "../../src/dev/postgres.ts";
import { until } from "../../src/dev/wait.ts";
import { migrate } from "../../src/migrate.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { sell, set } from "../support/apply.ts";
import { ownerOf, type TestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

const CALLER_MS_MAX = 1000;
const HEAL_MS_MAX = 20_000;

Deno.test("what is told beside a commit that stands still is true when it has gone on", async () => {
  const log = createLog("error", "pretty");
  const dir = await Deno.makeTempDir();
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const server = await startPostgres({ dir: join(dir, "postgres"), binDir: testEnvironment().postgresBin, log });
  try {
    await server.createDatabase("stalled");
    const [ownerUrl, serverUrl] = [server.ownerUrl("stalled"), server.serverUrl("stalled")];
    await migrate({
      owner: parsePostgresAddress(ownerUrl),
      server: parsePostgresAddress(serverUrl),
      direction: "up",
      log,
    });
    const drop = () => Promise.resolve();
    const database: TestDatabase = { name: "stalled", ownerUrl, serverUrl, drop, [Symbol.asyncDispose]: drop };
    await using on = await lanesBench(database);
    await using owner = ownerOf(ownerUrl);
    const lanes = on.lanes();
    for (let round = 0; round < 2; round++) {
      const goodsId = 10 + round;
      assertEquals((await lanes.apply(set(`none-${round}`, goodsId, 0), NEVER)).ok, true);
      await owner.sql`alter system set synchronous_standby_names = 'nobody'`;
      await owner.sql`select pg_reload_conf()`;
      // The reload has reached whoever starts to wait from now on.
      assert(await until(async () => await standbyNames(ownerUrl) === "nobody", HEAL_MS_MAX));
      const leaving = lanes.apply(set(`five-${round}`, goodsId, 5), AbortSignal.timeout(CALLER_MS_MAX))
        .then(({ ok }) => ok, () => "unknown");
      const told = await lanes.apply(sell(`b-${round}`, [goodsId, 5]), NEVER).then(({ ok }) => ok, () => "unknown");
      assertEquals(await leaving, "unknown", "the commit did not stand still");
      await owner.sql`alter system reset synchronous_standby_names`;
      await owner.sql`select pg_reload_conf()`;
      assert(
        await until(async () => {
          const [row] = await owner.sql<{ count: number }[]>`
            select count(*)::int as count from pg_stat_activity
             where application_name = 'holdfast' and wait_event = 'SyncRep'`;
          return row!.count === 0;
        }, HEAL_MS_MAX),
      );
      const onRecord = async () =>
        (await owner.sql`select 1 from orders where order_id = ${`b-${round}`} and state = 'sold'`).length === 1;
      console.log(`told ${told}; on record ${await onRecord()}`);
      if (told !== "unknown") assertEquals(await onRecord(), told, "what was told and what is on record");
      // The retry of an order of unknown outcome comes to what is true as well.
      assertEquals((await lanes.apply(sell(`b-${round}`, [goodsId, 5]), NEVER)).ok, true);
      assertEquals(await onRecord(), true);
      assertEquals(await on.onHand(goodsId), 0);
    }
    assertEquals(await checkLedger(ownerUrl), []);
  } finally {
    await server.stop("immediate");
    await Deno.remove(dir, { recursive: true });
  }
});

async function standbyNames(ownerUrl: string): Promise<string | undefined> {
  await using session = ownerOf(ownerUrl);
  const [row] = await session.sql<{ synchronous_standby_names: string }[]>`show synchronous_standby_names`;
  return row?.synchronous_standby_names;
}
