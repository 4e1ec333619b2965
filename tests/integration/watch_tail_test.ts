/**
 * Streams of changes while others write as they like: in transactions that hang, end in another sequence than they
 * began, go under savepoints, are rolled back or killed.
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { settledWithin, until } from "../../src/base/bounded_wait.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { vanishByHand, writeByHand } from "../support/ledger_writers.ts";
import { seededRandom } from "../support/rude_http2.ts";
import { InvClient, type MovementClient, watchProcess } from "../support/watched.ts";

/** So late are rows here, so that many transactions hang for longer than what is read with all others. */
const LATE_US = 1_500_000;
const AGO_MS_MAX = 300;
/** The same where one hangs for long at once. */
const IDLE_LATE_US = 150_000;
/** Several times as long as that, in s. */
const HANGS_S = 0.6;
/** Reads of a tailer in which transactions hang for a third of that. */
const READS = 10;

/** What has not come by then never will. */
const MISSED_MS = 20_000;

/** Reads by what a sequence or a time says alone, as a tailer would that looks at neither snapshots nor versions. */
class NaiveTail {
  readonly seen = new Set<string>();
  #at = new Date(0);
  readonly #sql: postgres.Sql;

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  /** What is newer than the newest that it saw. */
  async read(): Promise<void> {
    const rows = await this.#sql<{ goods_id: number; version: string; at: Date }[]>`
      select goods_id, version, at from movements where at > ${this.#at} order by at`;
    for (const { goods_id, version, at } of rows) {
      this.seen.add(`${goods_id}:${version}`);
      this.#at = at;
    }
  }
}

Deno.test("what hangs delays nobody, and comes once it is committed; one who reads by time misses it", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const sql = postgres(database.ownerUrl, { max: 4, onnotice: () => {} });
  await using process = watchProcess(database, LATE_US);
  const naive = new NaiveTail(owner.sql);
  const all = process.inv({ changesOnly: true });
  const ledger = process.movements();
  await all.until(() => all.events.length > 0);
  await ledger.until(() => ledger.events.length > 0);
  const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hang = (goodsIds: number[], savepoints: boolean) =>
    writeByHand(sql, {
      goodsIds,
      savepoints,
      before: async () => {
        begun.resolve();
        await release.promise;
      },
    });
  const hanging = [hang([1, 2], false), hang([3, 4], true)];
  await begun.promise;
  await writeByHand(sql, { goodsIds: [5] });
  await all.until(() => all.versions.get(5) === 1);
  await naive.read();
  assertEquals([...all.versions.keys()], [5]);
  const midway = { livePosition: all.livePosition, versions: all.versionsAtPosition };
  const { reads } = process.watching.view;
  assert(await until(() => process.watching.view.reads >= reads + READS, MISSED_MS));
  release.resolve();
  await Promise.all(hanging);
  await writeByHand(sql, { goodsIds: [5] });
  for (const stream of [all, ledger]) {
    await stream.until(() => stream.versions.size === 5 && stream.versions.get(5) === 2);
  }

  const resumed = process.inv({ from: midway.livePosition });
  for (const [goodsId, version] of midway.versions) resumed.versions.set(goodsId, version);
  await resumed.until(() => resumed.versions.has(1) && resumed.versions.has(2));
  assert(resumed.events[0]?.kind === "started" && resumed.events[0].start === "resumed");
  await naive.read();
  assert(naive.seen.has("5:2") && !naive.seen.has("1:1"), "the control arm must miss what hung");
  for (const stream of [all, ledger, resumed]) await stream.leave();
  await sql.end();
});

Deno.test("who is under way for long and writes nothing has nobody look back for long, and its late rows come", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 4, onnotice: () => {} });
  await using process = watchProcess(database, IDLE_LATE_US);
  const stream = process.inv({ changesOnly: true });
  await stream.until(() => stream.livePosition !== undefined);
  const [idle, writer] = [await sql.reserve(), await sql.reserve()];
  await idle`begin`;
  const [begun] = await idle<{ us: string }[]>`select pg_current_xact_id(),
                                                      (extract(epoch from clock_timestamp()) * 1000000)::bigint as us`;
  const isLaterThan = (us: number) => (stream.livePosition?.sinceUs ?? 0) > us;
  const moves = async (isEnough: () => boolean) => {
    assert(
      await until(async () => {
        await writeByHand(sql, { goodsIds: [5] });
        return isEnough();
      }, MISSED_MS),
    );
  };
  await moves(() => isLaterThan(Number(begun!.us)));
  const insert = (connection: postgres.ReservedSql, goodsId: number) =>
    connection`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta,
                                      on_hand_after, reserved_after, at)
               values (${goodsId}, 0, 1, 'adjust', 1, 0, 1, 0, clock_timestamp())`;
  await writer`begin`;
  // Its id comes before its row's time: on a busy machine an insert may take longer from one to the other than a tailer
  // looks back here.
  await writer`select pg_current_xact_id()`;
  await insert(writer, 1);
  // Longer than whatever is looked at for all others, and many looks.
  const { reads } = process.watching.view;
  await moves(() => process.watching.view.reads > reads + READS);
  assert(!stream.versions.has(1));
  await writer`commit`;
  assert(await settledWithin(stream.until(() => stream.versions.get(1) === 1), MISSED_MS), "what hung is missed");
  await insert(idle, 2);
  await moves(() => process.watching.view.reads > reads + 2 * READS);
  await idle`commit`;
  assert(await settledWithin(stream.until(() => stream.versions.get(2) === 1), MISSED_MS), "what came late is missed");
  for (const connection of [idle, writer]) connection.release();
  await stream.leave();
  await sql.end();
});

Deno.test("a row with a time of long ago is found by the next version of its goods", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await using process = watchProcess(database);
  await writeByHand(sql, { goodsIds: [1] });
  const stream = process.inv();
  await stream.until(() => stream.livePosition !== undefined);
  await writeByHand(sql, { goodsIds: [1, 2], agoMs: 86_400_000 });
  await writeByHand(sql, { goodsIds: [3] });
  await stream.until(() => stream.versions.has(3));
  await writeByHand(sql, { goodsIds: [1, 2] });
  await stream.until(() => stream.versions.get(1) === 3 && stream.versions.get(2) === 2);
  await stream.leave();
  await sql.end();
});

Deno.test("what hangs comes also where nothing that began later is over, so that no snapshot has it", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await using one = watchProcess(database, IDLE_LATE_US);
  await using other = watchProcess(database, IDLE_LATE_US);
  const streams: { readonly versions: ReadonlyMap<number, number>; leave(): Promise<void> }[] = [];
  const join = async (process: typeof one) => {
    for (const stream of [process.movements(), process.inv()]) {
      await stream.until(() => stream.position !== undefined);
      streams.push(stream);
    }
  };
  await join(one);
  await writeByHand(sql, {
    goodsIds: [1],
    before: async () => {
      await sql`select pg_sleep(${HANGS_S})`;
      await join(other);
      await sql`select pg_sleep(${HANGS_S})`;
    },
  });
  const haveAll = () => Promise.resolve(streams.every(({ versions }) => versions.get(1) === 1));
  assert(await until(haveAll, MISSED_MS), "what hung is missed");
  for (const stream of streams) await stream.leave();
  await sql.end();
});

/** Whoever goes on from a token knows nothing of savepoints that were open then; these goods have none. */
const WITHOUT_SAVEPOINTS = 20;

/** Writes at random, several transactions at a time, no two of one goods. */
async function writeAtRandom(sql: postgres.Sql, ownerUrl: string, random: () => number): Promise<void> {
  const [TRANSACTIONS, WRITERS] = [150, 6];
  const taken = new Set<number>();
  let left = TRANSACTIONS;
  const pick = (max: number) => Math.floor(random() * max);
  const writer = async () => {
    while (left-- > 0) {
      const first = pick(2) * WITHOUT_SAVEPOINTS;
      const goodsIds = [...new Set(Array.from({ length: 1 + pick(4) }, () => first + 1 + pick(WITHOUT_SAVEPOINTS)))]
        .filter((goodsId) => !taken.has(goodsId));
      if (goodsIds.length === 0) continue;
      for (const goodsId of goodsIds) taken.add(goodsId);
      const vanishes = random() < 0.05;
      const hangMs = random() < 0.3 ? pick(random() < 0.2 ? 1000 : 100) : 0;
      const write = {
        goodsIds,
        savepoints: goodsIds.every((goodsId) => goodsId > WITHOUT_SAVEPOINTS) && random() < 0.5,
        agoMs: pick(AGO_MS_MAX),
        rollback: random() < 0.15,
        before: async () => {
          if (hangMs > 0) await new Promise((resolve) => setTimeout(resolve, hangMs));
        },
      };
      await (vanishes ? vanishByHand(ownerUrl, write) : writeByHand(sql, write));
      for (const goodsId of goodsIds) taken.delete(goodsId);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

/** The versions that there are. */
async function versionsOf(sql: postgres.Sql): Promise<Record<number, number>> {
  const rows = await sql<
    { goods_id: number; version: string }[]
  >`select goods_id, version from levels order by goods_id`;
  return Object.fromEntries(rows.map(({ goods_id, version }) => [goods_id, Number(version)]));
}

const LAST = 1000;

Deno.test("whoever writes how ever, every stream of every process has each change once, also across breaks", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const random = seededRandom(seed);
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const sql = postgres(database.ownerUrl, { max: 8, onnotice: () => {} });
  await using one = watchProcess(database, LATE_US);
  await using other = watchProcess(database, LATE_US);
  await writeAtRandom(sql, database.ownerUrl, random);
  const streams: { inv: InvClient[]; movements: MovementClient[] } = {
    inv: [one.inv(), other.inv(), one.inv({ filter: { goodsIds: [3, 5, 7, LAST] } })],
    movements: [one.movements({ from: { fromUs: 0 } }), other.movements({ from: { fromUs: 0 } })],
  };
  let isWriting = true;
  const writing = writeAtRandom(sql, database.ownerUrl, random).finally(() => isWriting = false);
  /** One client that goes on in the other process, again and again. */
  const wandering = (async () => {
    const filter = { goodsIds: [...Array(WITHOUT_SAVEPOINTS).keys()].map((i) => i + 1).concat(LAST) };
    let stream = one.inv({ filter });
    let places = [other, one];
    await stream.until(() => stream.livePosition !== undefined);
    while (isWriting) {
      const seen = stream.events.length;
      await Promise.race([stream.until(() => stream.events.length > seen), writing]);
      await stream.leave();
      const next = InvClient.after(stream, places[0]!.inv, { filter });
      places = places.toReversed();
      stream = next;
      await stream.until(() => stream.events.length > 0);
      assert(stream.events[0]?.kind === "started" && stream.events[0].start === "resumed");
    }
    return stream;
  })();
  await writing;
  await writeByHand(sql, { goodsIds: [LAST] });
  const wanderer = await wandering;
  const expected = await versionsOf(owner.sql);
  const few = streams.inv[2]!;
  const isIn = new Map<unknown, (goodsId: number) => boolean>([
    [few, (goodsId) => [3, 5, 7, LAST].includes(goodsId)],
    [wanderer, (goodsId) => goodsId <= WITHOUT_SAVEPOINTS || goodsId === LAST],
  ]);
  for (const stream of [...streams.inv, ...streams.movements, wanderer]) {
    const wanted = Object.fromEntries(
      Object.entries(expected).filter(([goodsId]) => isIn.get(stream)?.(Number(goodsId)) ?? true),
    );
    const isAll = () => Object.entries(wanted).every(([id, version]) => stream.versions.get(Number(id)) === version);
    await settledWithin(stream.until(isAll), MISSED_MS);
    assertEquals(Object.fromEntries([...stream.versions].sort(([a], [b]) => a - b)), wanted);
    await stream.leave();
  }
  await sql.end();
});
