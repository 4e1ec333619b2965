/** Streams of changes over a ledger in memory: what ends them at a bad moment, and what a page of many goods takes. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ListedLevel } from "../../src/inventory/queries.ts";
import { settled, until } from "../../src/base/bounded_wait.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { tailKeyOf, type TailLevel, type TailRead, type TailRow } from "../../src/store/statements/tail_rows.ts";
import { hasSeen } from "../../src/store/transaction_snapshot.ts";
import type { VersionRange } from "../../src/store/statements/tail_versions.ts";
import type { PastReads } from "../../src/watch/catch_up.ts";
import type { InvEvent, MovementEvent } from "../../src/watch/events.ts";
import { inOrder } from "../../src/watch/ordering.ts";
import type { InvReads } from "../../src/watch/inv_stream.ts";
import type { LivePosition, Position } from "../../src/watch/position.ts";
import { TailReader } from "../../src/watch/tail_reader.ts";
import type { TailerParts } from "../../src/watch/tailer.ts";
import { VersionSequence } from "../../src/watch/version_sequence.ts";
import { Watching, type WatchingParts } from "../../src/watch/watching.ts";

/** Unit tests may write nothing. */
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const NEVER = new AbortController().signal;
const WAIT_MS = 20_000;
/** Of a stream that should have ended long since. */
const BEATS_MAX = 200;
/** Movements that a stream looks through to go on. */
const LOOKED_THROUGH_MAX = 200_000;

function row(goodsId: number, version: number, xid: number): TailRow {
  const numbers = { onHandDelta: 1, reservedDelta: 0, onHandAfter: version, reservedAfter: 0 };
  const ids = { orderId: undefined, operationId: undefined };
  return { goodsId, locationId: 0, version, kind: "adjust", ...ids, ...numbers, atMs: xid, atUs: xid * 1000, xid };
}

/** The first transaction. */
const FIRST = 100;

/** A database of one table, in which each transaction has one row, and whose clock is their ids. */
class Ledger {
  readonly rows: TailRow[] = [];
  /** Its tailer can't read. */
  isAway = false;
  /** What its tailer's reads wait for. */
  held: PromiseWithResolvers<void> | undefined;
  #next = FIRST;
  readonly #versions = new Map<number, number>();

  write(goodsId: number): void {
    const version = (this.#versions.get(goodsId) ?? 0) + 1;
    this.#versions.set(goodsId, version);
    this.rows.push(row(goodsId, version, this.#next++));
  }

  #read(rows: readonly TailRow[], limit = Infinity): TailRead {
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? tailKeyOf(page.at(-1)!) : undefined;
    return { snapshot: { xmax: this.#next, xip: [] }, nowUs: this.#next * 1000, rows: page, levels: [], next };
  }

  readonly past = {
    scan: ({ after, upTo, key, limit }: Parameters<TailerParts["source"]["scan"]>[0]) => {
      const rows: TailRow[] = [];
      for (
        let i = key === undefined ? 0 : key[0] / 1000 - FIRST + 1;
        i < this.rows.length && rows.length <= limit;
        i++
      ) {
        const { xid } = this.rows[i]!;
        if ((after === undefined || !hasSeen(after, xid)) && (upTo === undefined || hasSeen(upTo, xid))) {
          rows.push(this.rows[i]!);
        }
      }
      return Promise.resolve(this.#read(rows, limit));
    },
    versions: () => Promise.resolve(this.#read([])),
    isThere: () => Promise.resolve(true),
  };

  readonly source: TailerParts["source"] = {
    ...this.past,
    identify: () => Promise.resolve("1-1"),
    xids: ({ from }) => {
      const { snapshot, nowUs } = this.#read([]);
      const xids = this.rows.map(({ xid }) => xid).filter((xid) => xid >= from);
      return Promise.resolve({ snapshot, nowUs, xids, newest: this.rows.at(-1) });
    },
    writers: () => Promise.resolve({ nowUs: this.#next * 1000, xids: [] }),
    read: async ({ after }) => {
      if (this.isAway) throw new DatabaseUnavailableError("away");
      await this.held?.promise;
      const page = this.#read(this.rows.filter(({ xid }) => !hasSeen(after, xid)));
      return { ...page, isPastThere: true };
    },
    onCommitted: () => {},
  };

  open(
    caughtUpRowsMax?: number,
    times: Partial<Pick<WatchingParts, "ageMsMax" | "snapshotMsMax">> = {},
  ): Watching {
    const rest = { random: () => 0, ageMsMax: 600_000, heartbeatMs: 100, ...times };
    return new Watching({ source: this.source, log: QUIET, caughtUpRowsMax, ...rest });
  }
}

/** A stream of all levels, without a snapshot. */
function invOf(watching: Watching, ledger: Ledger, from?: LivePosition, filter = {}): AsyncGenerator<InvEvent> {
  const reads = { ...ledger.past, levels: () => Promise.reject(new Error("no snapshot was asked for")) };
  return watching.inv({ filter, from, changesOnly: true }, reads, NEVER);
}

async function next<E>(events: AsyncGenerator<E>): Promise<E> {
  const answer = events.next();
  assert(await settled(answer, WAIT_MS), "the stream says nothing");
  const { value, done } = await answer;
  assert(!done, "the stream ended");
  return value;
}

const goodsOf = (event: InvEvent) =>
  event.kind === "changes" ? event.changes.map(({ change }) => change.level.goodsId) : [];

/** Where a stream stands that has seen everything. */
async function positionOf(watching: Watching, ledger: Ledger): Promise<LivePosition> {
  const events = invOf(watching, ledger);
  const { position } = await next(events);
  await events.return(undefined);
  assert(position !== undefined);
  return position;
}

Deno.test("a stream that ends while it catches up gives no position behind what its client did not get", async () => {
  const ledger = new Ledger();
  const [before, watching] = [ledger.open(), ledger.open()];
  const from = await positionOf(before, ledger);
  await before.stop();
  for (let goodsId = 1; goodsId <= 1200; goodsId++) ledger.write(goodsId);
  const events = invOf(watching, ledger, from);
  const said = [await next(events), await next(events)];
  const { rows } = watching.view;
  ledger.write(5000);
  assert(await until(() => watching.view.rows > rows, WAIT_MS), "the tailer brings what came meanwhile");
  watching.drain();
  for await (const event of events) said.push(event);
  assertEquals(said.at(-1)?.kind, "ended");
  await watching.stop();

  const last = said.findLast(({ position }) => position !== undefined)!;
  const had = said.slice(0, said.indexOf(last) + 1).flatMap(goodsOf);
  const again = ledger.open();
  const resumed = invOf(again, ledger, last.position as LivePosition);
  while (!had.includes(5000)) had.push(...goodsOf(await next(resumed)));
  assertEquals(new Set(had).size, 1201);
  await resumed.return(undefined);
  await again.stop();
});

Deno.test("what all streams catch up on is bounded: one more begins anew, unless it wants little of it", async () => {
  const [ROWS, FIT] = [3000, 3];
  const ledger = new Ledger();
  const [before, watching] = [ledger.open(), ledger.open(ROWS * FIT)];
  const from = await positionOf(before, ledger);
  await before.stop();
  for (let i = 0; i < ROWS; i++) ledger.write(1 + i % 1000);
  const opened: AsyncGenerator<InvEvent>[] = [];
  const startOf = async (filter = {}) => {
    const events = invOf(watching, ledger, from, filter);
    opened.push(events);
    const event = await next(events);
    return event.kind === "started" && event.start;
  };
  for (let i = 0; i < FIT; i++) assertEquals(await startOf(), "resumed");
  assertEquals([await startOf(), await startOf()], ["past_gone", "past_gone"]);
  await opened[0]!.return(undefined);
  assertEquals([await startOf(), await startOf()], ["resumed", "past_gone"]);
  assertEquals(await startOf({ goodsIds: [7] }), "past_gone");
  // Who has taken all of it leaves its part to others.
  for (let had = 0; had < ROWS;) had += goodsOf(await next(opened[1]!)).length;
  const last = opened[1]!.next();
  assertEquals([await startOf({ goodsIds: [7] }), await startOf({ goodsIds: [7] })], ["resumed", "resumed"]);
  await opened[1]!.return(undefined);
  await last;
  for (const events of opened) await events.return(undefined);
  await watching.stop();
});

Deno.test("a stream of movements that nothing came of ends where it stands, and goes on behind that", async () => {
  const ledger = new Ledger();
  for (let i = 0; i < 5; i++) ledger.write(1);
  const watching = ledger.open();
  const filter = { goodsIds: [2] };
  const events = watching.movements({ filter, from: { fromUs: 0 } }, ledger.past, NEVER);
  assertEquals((await next(events)).position, undefined);
  assertEquals((await next(events)).kind, "heartbeat");
  const said = next(events);
  watching.drain();
  let { kind, position } = await said;
  // On a busy machine one more was due.
  while (kind === "heartbeat") ({ kind, position } = await next(events));
  assert(kind === "ended" && position !== undefined && !("past" in position));
  assert(ledger.rows.every(({ xid }) => hasSeen(position.seen, xid)));
  await watching.stop();
});

Deno.test("who would have to look through too much for the little that it wants begins anew", async () => {
  const ledger = new Ledger();
  const [before, watching] = [ledger.open(), ledger.open()];
  const from = await positionOf(before, ledger);
  await before.stop();
  for (let i = 0; i < LOOKED_THROUGH_MAX; i++) ledger.write(1 + i % 1000);
  const startOf = async () => {
    const events = invOf(watching, ledger, from, { goodsIds: [2000] });
    const event = await next(events);
    await events.return(undefined);
    return event.kind === "started" && event.start;
  };
  assertEquals(await startOf(), "resumed");
  ledger.write(1);
  // The tailer that the stream before had does not stand there yet.
  assert(await until(async () => await startOf() === "past_gone", WAIT_MS));
  await watching.stop();
});

Deno.test("a walk that ends where a token of its middle led to stands there, and not in the middle again", async () => {
  const ledger = new Ledger();
  const watching = ledger.open();
  for (let i = 0; i < 5000; i++) ledger.write(1);
  const take = async (from: Position | { readonly fromUs: number }, isEnough: (all: MovementEvent[]) => boolean) => {
    const events = watching.movements({ filter: {}, from }, ledger.past, NEVER);
    const all: MovementEvent[] = [];
    while (!isEnough(all)) all.push(await next(events));
    await events.return(undefined);
    return all;
  };
  const isMidway = ({ position }: MovementEvent) => position !== undefined && "past" in position;
  const midway = (await take({ fromUs: 0 }, (all) => all.some(isMidway))).findLast(isMidway)!;
  const count = (all: MovementEvent[]) =>
    all.reduce((sum, event) => sum + (event.kind === "movements" ? event.rows.length : 0), 0);
  const rest = await take(midway.position!, (all) => count(all) === 3000);
  const end = rest.at(-1)!;
  assert(end.position !== undefined && !isMidway(end));
  await watching.stop();
});

Deno.test("a tailer that can't read does not say that the past is gone", async () => {
  const ledger = new Ledger();
  const [ahead, behind] = [ledger.open(), ledger.open()];
  const open = invOf(behind, ledger);
  await next(open);
  ledger.isAway = true;
  const { failures } = behind.view;
  assert(await until(() => behind.view.failures > failures, WAIT_MS));
  ledger.write(1);
  const from = await positionOf(ahead, ledger);
  const movements = behind.movements({ filter: {}, from }, ledger.past, NEVER);
  await assertRejects(() => movements.next(), DatabaseUnavailableError);
  ledger.isAway = false;
  const resumed = behind.movements({ filter: {}, from }, ledger.past, NEVER);
  assertEquals((await next(resumed)).kind, "started");
  for (const stream of [open, resumed]) await stream.return(undefined);
  for (const watching of [ahead, behind]) await watching.stop();
});

Deno.test("a stream says that it is alive while a page of its snapshot is waited for, and nothing gets lost", async () => {
  const ledger = new Ledger();
  ledger.write(1);
  const watching = ledger.open();
  const held = Promise.withResolvers<void>();
  const level = { ...row(1, 1, FIRST), num: 1, onHand: 1, reserved: 0 } as unknown as ListedLevel;
  const levels = () => held.promise.then(() => ({ rows: [level], next: undefined }));
  const events = watching.inv({ filter: {}, changesOnly: false }, { ...ledger.past, levels }, NEVER);
  assertEquals((await next(events)).kind, "started");
  for (let beats = 0; beats < 3; beats++) assertEquals(await next(events), { kind: "heartbeat", position: undefined });
  const { rows } = watching.view;
  ledger.write(1);
  assert(await until(() => watching.view.rows > rows, WAIT_MS), "the tailer brings what came meanwhile");
  held.resolve();
  const said: InvEvent[] = [];
  while (said.flatMap(goodsOf).length === 0) said.push(await next(events));
  assertEquals(said.filter(({ kind }) => kind !== "heartbeat").map(({ kind }) => kind), ["snapshot", "changes"]);
  await events.return(undefined);
  await watching.stop();
});

Deno.test("a stream gets old behind its snapshot, which has a bound of its own", async () => {
  for (const [snapshotMsMax, isGivenUp] of [[undefined, false], [150, true]] as const) {
    const ledger = new Ledger();
    for (const goodsId of [1, 2, 3]) ledger.write(goodsId);
    const watching = ledger.open(undefined, { ageMsMax: 150, snapshotMsMax });
    const held = Promise.withResolvers<void>();
    // One goods a page, and the second one comes when the stream is older than streams get.
    const levels: InvReads["levels"] = async (_query, { after }) => {
      const goodsId = 1 + ((after?.[0] as number | undefined) ?? 0);
      if (goodsId === 2) await held.promise;
      const level = { goodsId, locationId: 0, version: 1 } as unknown as ListedLevel;
      return { rows: [level], next: goodsId === 3 ? undefined : [goodsId, 0] };
    };
    const events = watching.inv({ filter: {}, changesOnly: false }, { ...ledger.past, levels }, NEVER);
    const said: InvEvent[] = [];
    const beats = () => said.filter(({ kind }) => kind === "heartbeat").length;
    while (beats() < 5) said.push(await next(events));
    held.resolve();
    while (said.at(-1)?.kind !== "ended" && beats() < BEATS_MAX) said.push(await next(events));
    const parts = said.flatMap((event) => event.kind === "snapshot" ? [event.isComplete] : []);
    assertEquals(parts, isGivenUp ? [false, false] : [false, false, true]);
    const last = said.at(-1)!;
    assert(last.kind === "ended" && last.end === "age");
    assertEquals(said.some(({ position }) => position !== undefined), !isGivenUp);
    await events.return(undefined);
    await watching.stop();
  }
});

Deno.test("who leaves while a page is waited for hears nothing of its end", async () => {
  const ledger = new Ledger();
  const watching = ledger.open();
  const held = Promise.withResolvers<never>();
  const reads = { ...ledger.past, levels: () => held.promise };
  const events = watching.inv({ filter: {}, changesOnly: false }, reads, NEVER);
  for (const kind of ["started", "heartbeat"]) assertEquals((await next(events)).kind, kind);
  await events.return(undefined);
  held.reject(new DatabaseUnavailableError("away"));
  const others = watching.inv({ filter: {}, changesOnly: false }, reads, NEVER);
  assertEquals((await next(others)).kind, "started");
  await assertRejects(() => others.next(), DatabaseUnavailableError, "away");
  await watching.stop();
});

Deno.test("a walk says that it is alive, and how far it got, while a read of the past is waited for", async () => {
  const ledger = new Ledger();
  for (let i = 0; i < 5000; i++) ledger.write(1);
  const watching = ledger.open();
  const held = Promise.withResolvers<void>();
  let reads = 0;
  const past: PastReads = {
    ...ledger.past,
    async scan(query) {
      if (++reads === 2) await held.promise;
      return await ledger.past.scan(query);
    },
  };
  const events = watching.movements({ filter: { goodsIds: [2] }, from: { fromUs: 0 } }, past, NEVER);
  assertEquals((await next(events)).kind, "started");
  for (let beats = 0; beats < 3; beats++) {
    const { kind, position } = await next(events);
    assert(kind === "heartbeat" && position !== undefined && "past" in position);
  }
  held.resolve();
  let { position } = await next(events);
  while (position === undefined || "past" in position) ({ position } = await next(events));
  await events.return(undefined);
  await watching.stop();
});

Deno.test("a read of the tailer that hangs silences no stream", async () => {
  const ledger = new Ledger();
  const watching = ledger.open();
  const streams = [invOf(watching, ledger), watching.movements({ filter: {} }, ledger.past, NEVER)] as const;
  for (const stream of streams) assertEquals((await next<InvEvent | MovementEvent>(stream)).kind, "started");
  ledger.held = Promise.withResolvers<void>();
  const { reads } = watching.view;
  assert(await until(() => watching.view.reads > reads, WAIT_MS));
  for (const stream of streams) {
    for (let beats = 0; beats < 3; beats++) {
      assertEquals((await next<InvEvent | MovementEvent>(stream)).kind, "heartbeat");
    }
  }
  ledger.write(1);
  ledger.held.resolve();
  const events = streams[0];
  while (goodsOf(await next(events)).length === 0);
  for (const stream of streams) await stream.return(undefined);
  await watching.stop();
});

/** Of `version` and those before it, so many of each place, as the database would answer them. */
function versionsOf(late: (range: VersionRange, version: number) => number) {
  let reads = 0;
  const versions = (ranges: readonly VersionRange[], limit: number): Promise<TailRead> => {
    reads++;
    const rows = ranges.flatMap((range) =>
      Array.from({ length: range.to - range.from + 1 }, (_, i) => {
        const version = range.to - i;
        return row(range.goodsId, version, late(range, version));
      })
    ).slice(0, limit);
    return Promise.resolve({ snapshot: { xmax: 1000, xip: [] }, nowUs: 0, rows, levels: [], next: undefined });
  };
  return { versions, reads: () => reads };
}

Deno.test("a page of as many goods as it has rows is looked at once, and the last one's late rows come too", async () => {
  const [SEEN, UNSEEN] = [10, 900];
  const isDue = ({ xid }: TailRow) => xid === UNSEEN;
  for (const [goods, each] of [[2000, 1], [1000, 2]] as const) {
    const rows = Array.from(
      { length: goods * each },
      (_, i) => row(1 + i % goods, 500 + Math.floor(i / goods), UNSEEN),
    );
    const none = versionsOf(() => SEEN);
    const page = { rows, levels: [] };
    const plain = await inOrder(page, { sequence: new VersionSequence(), versions: none.versions, isDue }, NEVER);
    assertEquals([plain.rows.length, none.reads()], [2000, 1]);
    const some = versionsOf(({ goodsId }, version) => goodsId === goods && version > 350 ? UNSEEN : SEEN);
    const full = await inOrder(page, { sequence: new VersionSequence(), versions: some.versions, isDue }, NEVER);
    const last = full.rows.filter(({ goodsId }) => goodsId === goods).map(({ version }) => version);
    assertEquals(last, Array.from({ length: 149 + each }, (_, i) => 351 + i));
    assertEquals(full.rows.length, 2149);
  }
});

Deno.test("what is missing is read later, and a page has levels of its own moment all the same", async () => {
  const level = (version: number, deletedAtMs?: number): TailLevel => ({
    ...{ goodsId: 1, locationId: 0, version, sku: undefined, safetyStock: 0, backorderMax: 0, isLow: false },
    ...{ lowStockAt: undefined, lowStockUntil: undefined, deletedAtMs },
  });
  const earlier = versionsOf(() => 10);
  const versions = async (ranges: readonly VersionRange[], limit: number) => ({
    ...await earlier.versions(ranges, limit),
    levels: [level(4, 1)],
  });
  const page = { rows: [row(1, 3, 900)], levels: [level(3)] };
  const ordered = await inOrder(page, { sequence: new VersionSequence(), versions, isDue: () => false }, NEVER);
  assertEquals([earlier.reads(), ordered.levels], [1, [level(3)]]);
});

Deno.test("a tailer that starts among sales looks for what they wrote where it reads anyway, and gives positions", async () => {
  const SECOND_US = 1_000_000;
  for (
    const [xip, scans] of [[[[50], [50, 60], [60, 61], [61]], 0], [[[50], ...Array(6).fill([50]), []], 1]] as const
  ) {
    const answers = [...xip];
    let [nowUs, scanned] = [10_000 * SECOND_US, 0];
    const answer = () => {
      nowUs += SECOND_US / 10;
      return { snapshot: { xmax: 100, xip: answers.shift() ?? [] }, nowUs, rows: [], levels: [], next: undefined };
    };
    const reader = new TailReader({
      identify: () => Promise.resolve("1-1"),
      xids: () => Promise.resolve({ ...answer(), xids: [], newest: undefined }),
      writers: () => Promise.resolve({ nowUs, xids: [50] }),
      read: () => Promise.resolve({ ...answer(), isPastThere: true }),
      versions: () => Promise.resolve(answer()),
      scan: () => Promise.resolve({ ...answer(), scanned: scanned++ }),
    }, () => nowUs / 1000);
    const started = await reader.start(NEVER);
    assertEquals(nowUs - started.sinceUs > 10 * SECOND_US, scans > 0);
    let isAfterScan = false;
    for (let read = 0; read < 3; read++) {
      await reader.read(({ position }) => isAfterScan ||= position === undefined, NEVER);
    }
    assertEquals([scanned, isAfterScan], [scans, scans > 0]);
  }
});
