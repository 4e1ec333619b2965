/**
 * Positions that streams give: whoever goes on from the latest one gets everything once, whatever batches the tailer
 * brings with or without one, and whenever the stream ends.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { until } from "../../src/base/bounded_wait.ts";
import { NEVER_LEFT } from "../../src/base/leaving.ts";
import type { TailRow } from "../../src/store/statements/tail_rows.ts";
import { hasSeen } from "../../src/store/transaction_snapshot.ts";
import { changesOf } from "../../src/watch/changes.ts";
import type { InvEvent, MovementEvent } from "../../src/watch/events.ts";
import { invEvents, type InvReads, type StreamParts } from "../../src/watch/inv_stream.ts";
import { movementEvents } from "../../src/watch/movement_stream.ts";
import type { LivePosition } from "../../src/watch/position.ts";
import { RowBudget } from "../../src/watch/row_budget.ts";
import { DatabaseSetBackError } from "../../src/watch/tail_reader.ts";
import type { WatchedTailer, Watcher } from "../../src/watch/tailer.ts";

/** The first transaction; each has one row. */
const FIRST = 100;
const WAIT_MS_MAX = 20_000;
const NOBODY = new AbortController().signal;
const STREAMS = ["levels", "movements"] as const;

type StreamKind = (typeof STREAMS)[number];

/** A tailer whose batches come when they are given, and the ledger that it reads. */
class GivenTailer implements WatchedTailer {
  readonly clock = 1;
  readonly wholeClock = 0;
  readonly rows: TailRow[] = [];
  position = at(FIRST);
  watcher: Watcher = () => {};

  /** The next rows, all of one goods, as one batch; with a position or none. */
  give(count: number, hasPosition: boolean): void {
    const rows = Array.from({ length: count }, () => {
      const written = row(this.rows.length + 1);
      this.rows.push(written);
      return written;
    });
    const position = hasPosition ? at(FIRST + this.rows.length) : undefined;
    this.position = position ?? this.position;
    this.#bring(rows, position);
  }

  /** Of rows that were written, again by another tailer. */
  bring(rows: readonly TailRow[], position: LivePosition): void {
    this.position = position;
    this.#bring(rows, position);
  }

  #bring(rows: readonly TailRow[], position: LivePosition | undefined): void {
    const changes = changesOf(rows, []);
    this.watcher({
      begun: 2,
      rows,
      changes,
      byGoods: Map.groupBy(changes, ({ level }) => level.goodsId),
      position,
    });
  }

  join(watcher: Watcher) {
    this.watcher = watcher;
    return { origin: Promise.resolve(this.position), leave: () => this.watcher = () => {} };
  }

  wake() {}
}

function row(version: number): TailRow {
  const xid = FIRST + version - 1;
  const numbers = { onHandDelta: 1, reservedDelta: 0, onHandAfter: version, reservedAfter: 0 };
  const ids = { orderId: undefined, operationId: undefined };
  return {
    goodsId: 1,
    locationId: 0,
    version,
    kind: "adjust",
    ...ids,
    ...numbers,
    atMs: xid,
    atUs: xid * 1000,
    xid,
  };
}

/** Where one stands who has every transaction below this one. */
function at(xmax: number): LivePosition {
  return { databaseId: "1-1", seen: { xmax, xip: [], from: xmax, above: [] }, sinceUs: 0, witness: undefined };
}

/** A stream of all, without a snapshot. */
function open(
  kind: StreamKind,
  tailer: GivenTailer,
  from: LivePosition | undefined,
  draining: AbortSignal = NOBODY,
): AsyncGenerator<InvEvent | MovementEvent> {
  const page = { snapshot: { xmax: FIRST, xip: [] }, nowUs: 0, levels: [], next: undefined };
  const parts: StreamParts<InvReads> = {
    tailer,
    reads: {
      scan: ({ after, upTo }) =>
        Promise.resolve({
          ...page,
          rows: tailer.rows.filter(({ xid }) =>
            !(after !== undefined && hasSeen(after, xid)) && (upTo === undefined || hasSeen(upTo, xid))
          ),
        }),
      versions: () => Promise.resolve({ ...page, rows: [] }),
      isThere: () => Promise.resolve(true),
      levels: () => Promise.reject(new Error("no snapshot is wanted")),
    },
    signal: NOBODY,
    draining,
    leaving: NEVER_LEFT,
    ageMsMax: 600_000,
    caughtUp: new RowBudget(10_000),
    heartbeatMs: 600_000,
    random: () => 0,
  };
  return kind === "levels"
    ? invEvents({ filter: {}, from, changesOnly: from === undefined }, parts)
    : movementEvents({ filter: {}, from }, parts);
}

function versionsOf(event: InvEvent | MovementEvent): number[] {
  if (event.kind === "movements") return event.rows.map(({ version }) => version);
  return event.kind === "changes" ? event.changes.map(({ change }) => change.movement.version) : [];
}

/** A client that keeps the latest position, and goes on from there. */
class Client {
  readonly got: number[] = [];
  /** Whatever it got that came no later than the position. */
  #kept = 0;
  #position: LivePosition | undefined;

  async read(kind: StreamKind, tailer: GivenTailer, draining: AbortSignal, joined: () => void): Promise<void> {
    this.got.length = this.#kept;
    for await (const event of open(kind, tailer, this.#position, draining)) {
      if (event.kind === "started") joined();
      this.got.push(...versionsOf(event));
      if (event.position === undefined) continue;
      this.#position = event.position;
      this.#kept = this.got.length;
    }
  }
}

const BATCH = fc.record({ rows: fc.integer({ min: 0, max: 3 }), hasPosition: fc.boolean() });
const BATCHES = fc.array(BATCH, { maxLength: 4 });

for (const kind of STREAMS) {
  Deno.test(`who goes on from the latest position gets everything once, however often a stream of ${kind} ends`, async () => {
    // Of each stream, what comes while it runs, and then what comes while it is to end.
    const lives = fc.array(fc.tuple(BATCHES, BATCHES), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lives, async (streams) => {
        const tailer = new GivenTailer();
        const client = new Client();
        for (const [running, ending] of streams) {
          const draining = new AbortController();
          const { promise: joined, resolve } = Promise.withResolvers<void>();
          const reading = client.read(kind, tailer, draining.signal, resolve);
          await joined;
          for (const { rows, hasPosition } of running) tailer.give(rows, hasPosition);
          assert(await until(() => Promise.resolve(client.got.length === tailer.rows.length), WAIT_MS_MAX));
          draining.abort();
          for (const { rows, hasPosition } of ending) tailer.give(rows, hasPosition);
          tailer.give(0, true);
          await reading;
        }
        const last = new AbortController();
        const reading = client.read(kind, tailer, last.signal, () => {});
        assert(await until(() => Promise.resolve(client.got.length >= tailer.rows.length), WAIT_MS_MAX));
        last.abort();
        await reading;
        assertEquals(client.got, tailer.rows.map(({ version }) => version));
      }),
      { numRuns: 50 },
    );
  });

  Deno.test(`a stream of ${kind} that is to end waits for a position behind what its client has`, async () => {
    const tailer = new GivenTailer();
    const draining = new AbortController();
    const events = open(kind, tailer, undefined, draining.signal);
    assertEquals((await events.next()).value?.kind, "started");
    tailer.give(1, false);
    const changed = (await events.next()).value;
    assert(versionsOf(changed).length === 1 && changed.position === undefined);
    draining.abort();
    const ended = events.next();
    await Promise.resolve();
    tailer.give(0, true);
    assertEquals((await ended).value, { kind: "ended", end: "draining", position: at(FIRST + 1) });
  });

  Deno.test(`who comes for ${kind} with a token of a process that was ahead gets nothing again that it has`, async () => {
    const tailer = new GivenTailer();
    tailer.rows.push(row(1), row(2), row(3));
    tailer.position = at(FIRST + 1);
    // The client has two, this process has seen one.
    tailer.wake = () => {
      if (tailer.position.seen.xmax < FIRST + 3) tailer.bring(tailer.rows.slice(1), at(FIRST + 3));
    };
    const events = open(kind, tailer, at(FIRST + 2));
    const started = (await events.next()).value;
    assert(started.kind === "started" && started.start === "resumed");
    const changed = (await events.next()).value;
    assertEquals([versionsOf(changed), changed.position], [[3], at(FIRST + 3)]);
    await events.return(undefined);
  });

  Deno.test(`who is ahead of this process gets no position of ${kind} before what it has, with what it had missed`, async () => {
    const tailer = new GivenTailer();
    tailer.rows.push(row(1), row(2), row(3));
    tailer.position = at(FIRST + 2);
    tailer.wake = () => {
      if (tailer.position.seen.xmax < FIRST + 3) tailer.bring(tailer.rows.slice(2), at(FIRST + 3));
    };
    // The client has the last two; the first was under way when it left.
    const events = open(kind, tailer, {
      ...at(0),
      seen: { xmax: FIRST + 3, xip: [FIRST], from: FIRST + 3, above: [] },
    });
    assertEquals((await events.next()).value?.kind, "started");
    const missed = (await events.next()).value;
    assertEquals([versionsOf(missed), missed.position], [[1], undefined]);
    tailer.give(1, true);
    const changed = (await events.next()).value;
    assertEquals([versionsOf(changed), changed.position], [[4], at(FIRST + 4)]);
    await events.return(undefined);
  });
}

Deno.test("a stream of movements of which more waits than may, behind no position, ends and keeps its client's token", async () => {
  const tailer = new GivenTailer();
  const events = open("movements", tailer, undefined);
  assertEquals((await events.next()).value?.kind, "started");
  tailer.give(1, false);
  assertEquals(versionsOf((await events.next()).value), [1]);
  const ended = events.next();
  tailer.give(5_000, false);
  assertEquals((await ended).value, { kind: "ended", end: "behind", position: undefined });
});

Deno.test("a stream of movements does not go on in a database that took over, however much waited when it did", async () => {
  const tailer = new GivenTailer();
  const events = open("movements", tailer, undefined);
  assertEquals((await events.next()).value?.kind, "started");
  tailer.give(1, true);
  assertEquals(versionsOf((await events.next()).value), [1]);
  tailer.give(5_000, true);
  tailer.watcher(undefined);
  tailer.position = { ...at(FIRST + 5_001), databaseId: "2-2" };
  await assertRejects(() => events.next(), DatabaseSetBackError);
});
