/** Streams of changes over a ledger in memory: what ends them at a bad moment, and what they take to go on from it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { until } from "../../src/base/bounded_wait.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import type { ListedLevel } from "../../src/inventory/queries.ts";
import { hasSeen } from "../../src/store/transaction_snapshot.ts";
import type { InvEvent, MovementEvent } from "../../src/watch/events.ts";
import { PLACES_MAX } from "../../src/watch/pending_changes.ts";
import type { LivePosition, Position } from "../../src/watch/position.ts";
import { goodsOf, invOf, Ledger, NEVER, next, positionOf, WAIT_MS } from "../support/ledger_in_memory.ts";

/** Movements that a stream looks through to go on. */
const LOOKED_THROUGH_MAX = 200_000;

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

Deno.test("who is slow to take a page of a snapshot has only that kept for it which no later page has", async () => {
  const ledger = new Ledger();
  const [PAGES, OTHERS, LATE, LAST] = [3, 1_000, 9_998, 9_999];
  const changed = PLACES_MAX + 1;
  const watching = ledger.open();
  let pages = 0;
  /** Goods 1, 2 and 3 on a page each, and on the last one all that had come when it was read. */
  const levels = async () => {
    const place = (goodsId: number, version: number) => ({ goodsId, locationId: 0, version }) as ListedLevel;
    const page = ++pages;
    if (page < PAGES) return { rows: [place(page, 1)], next: [page, 0] as const };
    const rows = [place(page, 1), ...ledger.rows.map(({ goodsId, version }) => place(goodsId, version))];
    ledger.write(LATE);
    assert(await until(() => watching.view.rows > changed, WAIT_MS), "the tailer brings it while the page is read");
    return { rows, next: undefined };
  };
  const events = watching.inv({ filter: {}, changesOnly: false }, { ...ledger.past, levels }, NEVER);
  assertEquals((await next(events)).kind, "started");
  assertEquals((await next(events)).kind, "snapshot");
  for (let i = 0; i < changed; i++) ledger.write(OTHERS + i);
  assert(await until(() => watching.view.rows >= changed, WAIT_MS), "the tailer brings them");
  const had: number[] = [];
  for (let isComplete = false; !isComplete;) {
    const event = await next(events);
    assert(event.kind !== "ended", "more waited than may");
    had.push(...goodsOf(event));
    if (event.kind !== "snapshot") continue;
    had.push(...event.levels.map(({ goodsId }) => goodsId));
    isComplete = event.isComplete;
  }
  ledger.write(LAST);
  while (!had.includes(LAST)) had.push(...goodsOf(await next(events)));
  assert(had.includes(LATE));
  assertEquals(had.length, PAGES - 1 + changed + 2);
  assertEquals(new Set(had).size, had.length);
  await events.return(undefined);
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
