/** Streams of changes over a ledger in memory: what they say while a read is waited for, and how old they get. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { until } from "../../src/base/bounded_wait.ts";
import type { ListedLevel } from "../../src/inventory/queries.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import type { PastReads } from "../../src/watch/catch_up.ts";
import type { InvEvent, MovementEvent } from "../../src/watch/events.ts";
import type { InvReads } from "../../src/watch/inv_stream.ts";
import { FIRST, goodsOf, invOf, Ledger, NEVER, next, positionOf, row, WAIT_MS } from "../support/ledger_in_memory.ts";

/** Of a stream that should have ended long since. */
const BEATS_MAX = 200;

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

Deno.test("a stream whose connection is left ends behind its snapshot, which it stays for, with its position", async () => {
  const ledger = new Ledger();
  for (const goodsId of [1, 2, 3]) ledger.write(goodsId);
  const watching = ledger.open();
  const left = new AbortController();
  let stays = 0;
  const stay = () => {
    stays++;
    return () => void stays--;
  };
  const seen: number[] = [];
  const levels: InvReads["levels"] = (_query, { after }) => {
    left.abort();
    seen.push(stays);
    const goodsId = 1 + ((after?.[0] as number | undefined) ?? 0);
    const level = { goodsId, locationId: 0, version: 1 } as unknown as ListedLevel;
    return Promise.resolve({ rows: [level], next: goodsId === 3 ? undefined : [goodsId, 0] });
  };
  const connection = { signal: left.signal, stay };
  const reads = { ...ledger.past, levels };
  const events = watching.inv({ filter: {}, changesOnly: false }, reads, NEVER, connection);
  const said: InvEvent[] = [];
  while (said.at(-1)?.kind !== "ended") said.push(await next(events));
  const parts = said.flatMap((event) => event.kind === "snapshot" ? [event.isComplete] : []);
  assertEquals([parts, seen, stays], [[false, false, true], [1, 1, 1], 0]);
  const last = said.at(-1)!;
  assert(last.kind === "ended" && last.end === "age");
  assert(said.some(({ position }) => position !== undefined), "there is nothing to go on from");
  // Its client leaves in the middle of one.
  const others = watching.inv({ filter: {}, changesOnly: false }, reads, NEVER, connection);
  while ((await next(others)).kind !== "snapshot");
  assertEquals(stays, 1);
  await others.return(undefined);
  assertEquals(stays, 0);
  await watching.stop();
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

Deno.test("a stream whose past is not read in time begins with a snapshot, or its client tries elsewhere", async () => {
  const ledger = new Ledger();
  ledger.write(1);
  const watching = ledger.open(undefined, { startMsMax: 200 });
  const from = await positionOf(watching, ledger);
  ledger.write(1);
  const level = { ...row(1, 2, FIRST), num: 2, onHand: 2, reserved: 0 } as unknown as ListedLevel;
  const levels = () => Promise.resolve({ rows: [level], next: undefined });
  const waits = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  let given = 0;
  const held: Partial<PastReads>[] = [
    { scan: (_query, signal) => waits(signal).finally(() => given++) },
    { isThere: (_witness, signal) => waits(signal).finally(() => given++) },
  ];
  for (const silent of held) {
    const past: PastReads = { ...ledger.past, ...silent };
    const events = watching.inv({ filter: {}, from, changesOnly: false }, { ...past, levels }, NEVER);
    const started = await next(events);
    assert(started.kind === "started" && started.start === "past_gone");
    const snapshot = await next(events);
    assert(snapshot.kind === "snapshot" && snapshot.isComplete);
    await events.return(undefined);
  }
  assert(await until(() => given === 2, WAIT_MS), "what is given up is read no further");
  const silent: PastReads = { ...ledger.past, isThere: () => new Promise<never>(() => {}) };
  const movements = watching.movements({ filter: {}, from }, silent, NEVER);
  await assertRejects(() => next(movements), DatabaseUnavailableError, "in time");
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
