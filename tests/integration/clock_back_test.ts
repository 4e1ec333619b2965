/**
 * PostgreSQL's clock goes back under the service: the times of a place do not, so that whoever looks for a moment of it
 * by halving its versions leaves nothing out.
 */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { momentKey } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { MovementQuery, Page, PageOf } from "../../src/inventory/queries.ts";
import type { Turnover } from "../../src/inventory/stats.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import type { Lists } from "../../src/inventory/lists.ts";
import { MOVED_MS_MAX } from "../../src/lanes/kept_levels.ts";
import { CLOCK_BACK_MS_MAX } from "../../src/store/statements/read_snapshot.ts";
import type { Store } from "../../src/store/store.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { clockedDatabase } from "../support/clocked_database.ts";
import { counted, STANDING } from "../support/counted_lanes.ts";
import { ownerOf } from "../support/database.ts";
import { confirm, extend, holdViolations, release, reserve, wordOf } from "../support/holds.ts";
import { HOUR_MS, levelOf } from "../support/hold_bench.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { watchProcess } from "../support/watched.ts";

const BACK_MS = 3_000;
/** Rounds of {@link round} before the clock goes back, while it is back, and once it has caught up. */
const ROUNDS = [20, 20, 10] as const;

interface Row {
  readonly goodsId: number;
  readonly locationId: number;
  readonly version: number;
  readonly atUs: number;
  readonly onHand: number;
  readonly orderId: string | null;
  readonly kind: string;
}

/** What moves places of two goods, by whatever is decided on kept levels, and on levels that were read. */
function round(i: number): Operation[] {
  return [
    sell(`a-${i}`, [1, 1]),
    sell(`b-${i}`, [2, 2], [1, 1]),
    { kind: "transfer", operationId: `t-${i}`, toLocationId: 7, lines: [{ goodsId: 1, locationId: 0, num: 1 }] },
    sell(`c-${i}`, [1, 1]),
    reserve(`h-${i}`, [[2, 1], [1, 1, 7]]),
    confirm(`h-${i}`),
    rollback(`b-${i}`, undefined, [2, 1]),
    { kind: "adjust", operationId: `j-${i}`, lines: [{ goodsId: 1, locationId: 7, num: 2 }] },
  ];
}

/** One after the other; each must be allowed. */
async function applied(lanes: Lanes, operations: readonly Operation[]): Promise<void> {
  for (const operation of operations) {
    const verdict = await lanes.apply(operation, NEVER);
    assert(verdict.ok, JSON.stringify([operation, verdict]));
  }
}

/** The ledger, in the sequence of lists. */
async function ledgerOf(owner: postgres.Sql): Promise<Row[]> {
  const rows = await owner<Row[]>`
    select goods_id as "goodsId", location_id as "locationId", version::int,
           (extract(epoch from at) * 1000000)::float8 as "atUs", on_hand_after as "onHand", order_id as "orderId", kind
      from movements order by at, goods_id, location_id, version`;
  return [...rows];
}

/** Places whose times go back from one version to the next, and how often. */
async function sinking(owner: postgres.Sql): Promise<string[]> {
  const rows = await owner`
    select goods_id, location_id, count(*)::int as times
      from (select *, lag(at) over (partition by goods_id, location_id order by version) as before from movements) as m
     where at < before group by 1, 2`;
  return rows.map((row) => `${row.goods_id}@${row.location_id}: ${row.times}`);
}

/** A key of whatever list. */
type Key = readonly (string | number)[];

async function walked<R>(list: (page: PageOf<Key>) => Promise<Page<R, Key>>, size: number): Promise<R[]> {
  const all: R[] = [];
  let after: Key | undefined;
  do {
    const { rows, next } = await list(after === undefined ? { size } : { size, after });
    all.push(...rows);
    after = next;
  } while (after !== undefined);
  return all;
}

/** Some of the times at which there are movements, by how many of these come before. */
function momentsOf(ledger: readonly Row[], parts: readonly number[]): number[] {
  const times = [...new Set(ledger.map(({ atUs }) => atUs))];
  return parts.map((part) => times[Math.floor(part * times.length)]!);
}

/** Both by which a list of movements can be bounded, and the direction, of one goods and of one place of it. */
async function checkMovements(lists: Lists, ledger: readonly Row[]): Promise<void> {
  const nameOf = ({ goodsId, locationId, version }: Pick<Row, "goodsId" | "locationId" | "version">) =>
    `${goodsId}@${locationId} ${version}`;
  const moments = momentsOf(ledger, [0, 0.2, 0.5, 0.6, 0.7, 0.9]);
  for (const place of [{ goodsId: 1 }, { goodsId: 1, locationId: 0 }, { goodsId: 2 }]) {
    for (const newestFirst of [true, false]) {
      const expected = (since: number, until: number) => {
        const names = ledger.filter(({ goodsId, locationId, atUs }) =>
          goodsId === place.goodsId && locationId === (place.locationId ?? locationId) && atUs >= since && atUs < until
        ).map(nameOf);
        return newestFirst ? names.reverse() : names;
      };
      const names = async (query: MovementQuery, size: number) =>
        (await walked((page) => lists.movements(query, page, NEVER), size)).map(nameOf);
      for (const size of [3, 7, 60]) {
        assertEquals(await names({ ...place, newestFirst }, size), expected(0, Infinity), `pages of ${size}`);
      }
      for (const sinceUs of moments) {
        for (const untilUs of moments.filter((us) => us > sinceUs)) {
          assertEquals(await names({ ...place, sinceUs, untilUs, newestFirst }, 50), expected(sinceUs, untilUs));
        }
      }
    }
  }
}

/** Orders by what took the goods first. */
async function checkOrders(lists: Lists, ledger: readonly Row[]): Promise<void> {
  const taken = ledger.filter(({ goodsId, locationId, kind }) =>
    goodsId === 1 && locationId === 0 && (kind === "sell" || kind === "reserve")
  ).map(({ orderId }) => orderId);
  for (const newestFirst of [true, false]) {
    const query = { goodsId: 1, locationId: 0, newestFirst };
    const orders = await walked((page) => lists.orders(query, page, NEVER), 5);
    assertEquals(orders.map(({ orderId }) => orderId), newestFirst ? taken.toReversed() : taken);
  }
}

/** What goods turned over that are named, and so are read place by place, is what all turned over, read by time. */
async function checkTurnover(lists: Lists, ledger: readonly Row[]): Promise<void> {
  const page = { size: 100, afterGoodsId: 0 };
  const sorted = (rows: readonly Turnover[]) => rows.toSorted((a, b) => a.day - b.day || a.goodsId - b.goodsId);
  for (const begin of [0.1, 0.3, 0.5, 0.7]) {
    const startsUs = momentsOf(ledger, [begin, begin + 0.05, begin + 0.2]);
    const query = { isByGoods: true, startsUs };
    const all = await lists.turnover(query, page, NEVER);
    assertEquals(sorted((await lists.turnover({ ...query, goodsIds: [1, 2] }, page, NEVER)).rows), sorted(all.rows));
    assert(all.rows.length >= 2);
  }
}

/** What was on hand at a moment, as a count of that moment finds it, is what the ledger says by its times. */
async function checkMoments(store: Store, ledger: readonly Row[]): Promise<void> {
  const ofPlace = ledger.filter(({ goodsId, locationId }) => goodsId === 2 && locationId === 0);
  const moments = [...new Set(ofPlace.map(({ atUs }) => atUs / 1000))].map((atMs) => ({
    goodsId: 2,
    locationId: 0,
    atMs,
  }));
  const snapshot = await store.readSnapshot({ stockKeys: [2], orderIds: [], operationIds: [], moments }, NEVER);
  for (const { atMs } of moments) {
    const last = ofPlace.findLast(({ atUs }) => atUs <= atMs * 1000);
    assertEquals(snapshot.moments?.get(momentKey(2, atMs)), last?.onHand, `at ${atMs}`);
  }
}

inEveryMode(
  "where PostgreSQL's clock goes back, the times of a place do not, and no reader leaves anything out",
  async (t) => {
    const database = await clockedDatabase();
    await using on = await lanesBench(database);
    await using owner = ownerOf(on.ownerUrl);
    await using watching = watchProcess(database);
    // Of two processes: the first keeps what it has written, and finds it moved by the other in the end.
    const lanes = [on.lanes({ clocks: STANDING }), on.lanes()] as const;
    await applied(lanes[0], [
      set("1", 1, 1000),
      set("2", 2, 1000),
      { kind: "set", operationId: "7", goodsId: 1, locationId: 7, num: 100 },
    ]);
    const stream = watching.movements({ filter: { locationIds: [0] } });
    await stream.until(() => stream.events.length > 0);
    let rounds = 0;
    for (const [part, count] of ROUNDS.entries()) {
      await database.setBack(part === 1 ? BACK_MS : 0);
      for (let i = 0; i < count; i++) await applied(lanes[part === 2 ? i % 2 : 0]!, round(rounds++));
    }
    const ledger = await ledgerOf(owner.sql);
    await t.step("times", async () => {
      assertEquals(await sinking(owner.sql), []);
      assertEquals(await checkLedger(on.ownerUrl), []);
      assertEquals(await holdViolations(owner.sql), []);
    });
    await t.step("lists of movements", () => checkMovements(on.store.lists, ledger));
    await t.step("lists of orders", () => checkOrders(on.store.lists, ledger));
    await t.step("turnover", () => checkTurnover(on.store.lists, ledger));
    await t.step("late counts", () => checkMoments(on.store, ledger));
    await t.step("streams", async () => {
      await stream.until(() => [1, 2].every((goodsId) => stream.versions.get(goodsId) === lastOf(ledger, goodsId)));
      await stream.leave();
    });
  },
);

Deno.test("a sale on a kept level is read for where the clock is behind its last write, until it has caught up", async () => {
  const database = await clockedDatabase();
  await using on = await lanesBench(database);
  await using owner = ownerOf(on.ownerUrl);
  let nowMs = 0;
  const { lanes, ends } = await counted(on, undefined, { monotonicMs: () => nowMs, timeMs: Date.now });
  assertEquals(await ends(sell("before", [1, 1])), ["ok", 0, 1]);
  const beforeMs = performance.now();
  /** Further behind from one sale to the next, as otherwise it might catch up between them on a slow machine. */
  const endsBehind = async (orderId: string) => {
    await database.setBack(BACK_MS + performance.now() - beforeMs);
    return await ends(sell(orderId, [1, 1]));
  };
  assertEquals(await endsBehind("behind"), ["ok", 1, 2]);
  // As long as it is taken for moved by others, and then once more.
  assertEquals(await endsBehind("read for"), ["ok", 1, 1]);
  nowMs += 2 * MOVED_MS_MAX;
  assertEquals(await endsBehind("kept again"), ["ok", 1, 1]);
  assertEquals(await endsBehind("behind again"), ["ok", 1, 2]);
  assertEquals(lanes.tallies.unread.counts, { written: 1, lost: 2 });
  await database.setBack(0);
  nowMs += 2 * MOVED_MS_MAX;
  assertEquals(await ends(sell("caught up", [1, 1])), ["ok", 1, 1]);
  assertEquals(await ends(sell("after", [1, 1])), ["ok", 0, 1]);
  assertEquals(await sinking(owner.sql), []);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode(
  "a time that is too far ahead is followed so far as clocks may differ, and is right after that",
  async () => {
    const database = await clockedDatabase();
    await using on = await lanesBench(database);
    await using owner = ownerOf(on.ownerUrl);
    const lanes = on.lanes({ clocks: STANDING });
    const soldAtMs = async (orderId: string, ...lines: [goodsId: number, num: number][]) => {
      const verdict = await lanes.apply(sell(orderId, ...lines), NEVER);
      assert(verdict.ok && verdict.kind === "sell");
      return verdict.order.atMs;
    };
    // The clock is a year ahead for one write.
    await database.setBack(-365 * 24 * HOUR_MS);
    await applied(lanes, [set("wrong", 2, 100)]);
    await database.setBack(0);
    await applied(lanes, [set("right", 3, 100)]);
    const near = await soldAtMs("near", [3, 1]);
    const together = await soldAtMs("together", [2, 1], [3, 1]);
    const aheadMs = together - near - CLOCK_BACK_MS_MAX;
    assert(aheadMs >= 0 && aheadMs < HOUR_MS, `${aheadMs}`);
    assertEquals([await soldAtMs("2", [2, 1]), await soldAtMs("3", [3, 1])], [together, together], "it stands");
    await database.setBack(-CLOCK_BACK_MS_MAX);
    const after = await soldAtMs("after", [2, 1], [3, 1]);
    assert(after > together, "until the clock has caught up");
    assertEquals(await sinking(owner.sql), ["2@0: 1"]);
    await database.setBack(CLOCK_BACK_MS_MAX);
    assert(await soldAtMs("far", [3, 1]) < after, "a clock that was set back by more is followed");
    assertEquals(await checkLedger(on.ownerUrl), []);
  },
);

inEveryMode("what a hold had when its time was up stays free where the clock is set back behind that", async () => {
  const database = await clockedDatabase();
  await using on = await lanesBench(database);
  await using owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  for (const [i, again] of [confirm, release, (id: string) => extend(id, HOUR_MS)].entries()) {
    const goodsId = 2 + i;
    const id = `h${i}`;
    await applied(lanes, [set(`s${i}`, goodsId, 10), reserve(id, [[goodsId, 4]], { ttlMs: 1_000 })]);
    // A second later somebody finds it over, and takes it off.
    await database.setBack(-1_500);
    await applied(lanes, [sell(`quick${i}`, [goodsId, 8])]);
    await database.setBack(0);
    const verdict = await lanes.apply(again(id), NEVER);
    assertEquals(wordOf(verdict), ["shortfall", "released", "is expired"][i]);
    assertEquals(await levelOf(on, goodsId), [2, 0]);
  }
  // By the clock itself two of them are held until it has caught up.
  await database.setBack(-1_500);
  assertEquals(await holdViolations(owner.sql), []);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a shortfall that is resolved while the clock is behind it is nobody's matter any more", async () => {
  const database = await clockedDatabase();
  await using on = await lanesBench(database);
  const lanes = on.lanes();
  const open = async () => (await on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER)).length;
  await applied(lanes, [set("s", 1, 10), reserve("h", [[1, 4]], { ttlMs: 1_000 })]);
  await database.setBack(-1_500);
  await applied(lanes, [sell("quick", [1, 8])]);
  await database.setBack(0);
  const late = confirm("h", [], { recordsShortfall: true });
  await applied(lanes, [late]);
  assertEquals(await open(), 1);
  await on.store.resolveShortfall({ orderId: "h", resolution: "refunded" }, NEVER);
  // Who confirms once more would have it opened again, as one that was resolved while its hold still lived.
  await applied(lanes, [late]);
  assertEquals(await open(), 0);
});

/** The last version of a goods at location 0. */
function lastOf(ledger: readonly Row[], of: number): number {
  return Math.max(
    ...ledger.filter(({ goodsId, locationId }) => goodsId === of && locationId === 0).map(({ version }) => version),
  );
}
