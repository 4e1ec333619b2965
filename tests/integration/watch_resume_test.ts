/** Where streams go on: after outages, from tokens of elsewhere and of a past that is gone, and for slow clients. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { hasSeen } from "../../src/store/transaction_snapshot.ts";
import { EVENT_BYTES_MAX, ResumeFaultError } from "../../src/watch/movement_stream.ts";
import { PLACES_MAX } from "../../src/watch/pending_changes.ts";
import { DatabaseSetBackError } from "../../src/watch/tail_reader.ts";
import { createTestDatabase } from "../support/database.ts";
import { writeByHand } from "../support/ledger_writers.ts";
import { InvClient, MovementClient, watchProcess } from "../support/watched.ts";

/** The last version of the few goods that move often. */
const LAST = 1500;

/** One more version of each of so many goods, in one transaction. */
async function moveMany(sql: postgres.Sql, goods: number, version: number): Promise<void> {
  await sql`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                                   reserved_after, at)
            select id, 0, ${version}, 'adjust', 1, 0, ${version}, 0, clock_timestamp()
              from generate_series(1, ${goods}::int) as id`;
  if (version > 1) await sql`update levels set on_hand = ${version}, version = ${version}`;
  else {
    await sql`insert into levels (goods_id, location_id, on_hand, version)
              select id, 0, 1, 1 from generate_series(1, ${goods}::int) as id`;
  }
}

Deno.test("lost connections leave no gap, and a past that is not the same any more ends streams", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await using process = watchProcess(database);
  const all = process.inv();
  const ledger = process.movements({ from: { fromUs: 0 } });
  await all.until(() => all.isComplete);
  await writeByHand(sql, { goodsIds: [4] });
  await ledger.until(() => ledger.versions.has(4));
  for (let version = 1; version <= 3; version++) {
    await writeByHand(sql, { goodsIds: [1, 2] });
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and application_name = 'holdfast'`;
    await writeByHand(sql, { goodsIds: [3] });
    for (const stream of [all, ledger]) {
      await stream.until(() => stream.versions.get(2) === version && stream.versions.get(3) === version);
    }
  }
  // What was written while connections were lost may have been looked for: no position is known by that.
  await writeByHand(sql, { goodsIds: [5] });
  await all.until(() => all.livePosition?.witness?.goodsId === 5);

  const { livePosition } = all;
  assert(livePosition?.witness !== undefined);
  const { goodsId, version, atUs } = livePosition.witness;
  // After a restore another transaction may have its id, and be of the same version; not of the same time.
  const { isThere } = process.store.tail.past;
  for (const [us, isIt] of [[atUs, true], [atUs + 1, false]] as const) {
    assertEquals(await isThere({ ...livePosition.witness, atUs: us }, new AbortController().signal), isIt);
  }
  // Nor are ids that no movement has taken as seen, by whoever begins now: they are given out once more.
  const unused: number[] = [];
  for (let i = 0; i < 3; i++) {
    const [row] = await sql<{ xid: string }[]>`select pg_current_xact_id() as xid`;
    unused.push(Number(row!.xid));
  }
  await using later = watchProcess(database);
  const quiet = later.inv({ changesOnly: true });
  await quiet.until(() => quiet.livePosition !== undefined);
  const { witness, seen } = quiet.livePosition!;
  assertEquals(witness, livePosition.witness);
  assertEquals(unused.filter((xid) => hasSeen(seen, xid)), []);
  await quiet.leave();
  await sql`delete from movements where goods_id = ${goodsId} and version = ${version}`;
  for (const stream of [all, ledger]) await assertRejects(() => stream.until(() => false), DatabaseSetBackError);
  const anew = process.inv({ from: livePosition });
  await anew.until(() => anew.isComplete);
  assert(anew.events[0]?.kind === "started" && anew.events[0].start === "past_gone");
  const refused = process.movements({ from: livePosition });
  const gone = await assertRejects(() => refused.until(() => false), ResumeFaultError);
  assertEquals(gone.fault, "past_gone");

  await using other = await createTestDatabase();
  await using elsewhere = watchProcess(other);
  const foreign = elsewhere.inv({ from: livePosition });
  await foreign.until(() => foreign.isComplete);
  assert(foreign.events[0]?.kind === "started" && foreign.events[0].start === "other_database");
  const turnedAway = elsewhere.movements({ from: livePosition });
  const fault = await assertRejects(() => turnedAway.until(() => false), ResumeFaultError);
  assertEquals(fault.fault, "other_database");
  for (const stream of [anew, foreign]) await stream.leave();
  await sql.end();
});

Deno.test("who reads too slowly gets all changes of few goods folded, and of many goes on from a token", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await using process = watchProcess(database);
  const quick = process.inv({ filter: { goodsIds: [1] }, changesOnly: true });
  const [slow, few, ledger] = [
    process.inv({ changesOnly: true }),
    process.inv({ filter: { goodsIds: [1, 2, 3] }, changesOnly: true }),
    process.movements(),
  ];
  for (const stream of [quick, slow, few, ledger]) await stream.until(() => stream.events.length > 0);
  for (const stream of [slow, few, ledger]) stream.stop();
  const goods = PLACES_MAX + 1;
  await moveMany(sql, goods, 1);
  await moveMany(sql, goods, 2);
  await sql`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                                   reserved_after, at)
            select id, 0, version, 'adjust', 1, 0, 1, 0, clock_timestamp()
              from generate_series(1, 3) as id, generate_series(3, ${LAST}::int) as version`;
  await sql`update levels set version = ${LAST}, on_hand = 1 where goods_id <= 3`;
  await quick.until(() => quick.versions.get(1) === LAST);
  for (const stream of [slow, few, ledger]) stream.go();
  await few.until(() => few.versions.get(3) === LAST);
  const folded = few.events.flatMap((event) => event.kind === "changes" ? event.changes : []);
  assert(folded.some((change) => change.folded > 0) && folded.length < 3 * LAST, `${folded.length} changes`);
  await slow.until(() => slow.events.at(-1)?.kind === "ended");
  const last = slow.events.at(-1);
  assert(last?.kind === "ended" && last.end === "behind");
  const resumed = InvClient.after(slow, process.inv);
  await resumed.until(() => resumed.versions.size === goods && resumed.versions.get(1) === LAST);
  assert(resumed.events[0]?.kind === "started" && resumed.events[0].start === "resumed");
  // It has read all again where its first rows came with a position; where not, it has ended.
  const hasAll = ({ versions }: MovementClient) => versions.size === goods && versions.get(3) === LAST;
  await ledger.until(() => hasAll(ledger) || ledger.events.at(-1)?.kind === "ended");
  const whole = hasAll(ledger) ? ledger : MovementClient.after(ledger, process.movements);
  await whole.until(() => hasAll(whole));
  assertEquals([whole.versions.get(goods), resumed.versions.get(goods)], [2, 2]);
  for (const stream of [quick, slow, few, ledger, whole, resumed]) await stream.leave();
  await sql.end();
});

Deno.test("the past comes by version where clocks ran back, and a walk goes on in its middle", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await using process = watchProcess(database);
  for (const agoMs of [0, 60_000, 120_000, 30_000]) await writeByHand(sql, { goodsIds: [1, 2], agoMs });
  await moveMany(sql, 1, 5).catch(() => {});
  await sql`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                                   reserved_after, at)
            select 7, 0, version, 'adjust', 1, 0, 1, 0, now() - interval '1 hour' + version * interval '1 ms'
              from generate_series(1, 12000) as version`;
  // Each of these takes a part of a message that must not be more than it may.
  await sql`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                                   reserved_after, document_uri)
            select 8, 0, version, 'adjust', 1, 0, 1, 0, repeat('ä', 2000) from generate_series(1, 200) as version`;
  const whole = process.movements({ from: { fromUs: 0 } });
  await whole.until(() =>
    whole.versions.get(7) === 12_000 && whole.versions.get(1)! >= 4 && whole.versions.get(2) === 4
  );
  await whole.until(() => whole.versions.get(8) === 200);
  const sizes = whole.events.flatMap((event) =>
    event.kind === "movements"
      ? [event.rows.reduce((sum, { documentUri = "" }) => sum + 2 * documentUri.length, 0)]
      : []
  );
  assert(Math.max(...sizes) > 100_000 && Math.max(...sizes) <= EVENT_BYTES_MAX, `${Math.max(...sizes)} bytes`);
  const midway = whole.events.find((event) => event.position !== undefined && "past" in event.position);
  assert(midway?.position !== undefined);
  const rest = process.movements({ from: midway.position });
  await rest.until(() => rest.versions.get(7) === 12_000 && rest.versions.get(2) === 4);
  assert(rest.events.flatMap((event) => event.kind === "movements" ? event.rows : []).length < 12_000);
  const kinds = process.movements({ from: { fromUs: 0 }, filter: { goodsIds: [2], kinds: ["adjust"] } });
  await kinds.until(() => kinds.versions.get(2) === 4);
  assertEquals([...kinds.versions], [[2, 4]]);
  for (const stream of [whole, rest, kinds]) await stream.leave();
  await sql.end();
});
