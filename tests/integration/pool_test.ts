/** The pool on a PostgreSQL that is well: waiting, giving up, time limits, closing. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  DatabaseUnavailableError,
  OutcomeUnknownError,
  PoolQueueFullError,
  RowLockedError,
  StatementTimeoutError,
} from "../../src/store/errors.ts";
import { createTestDatabase } from "../support/database.ts";
import { NEVER, passLatch, probePool, watchUncaught, within } from "../support/pool_probe.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("callers beyond the connections wait and are served; beyond the queue they are refused at once", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 2, waitersMax: 3 });
  const latch = await probe.closeLatch();
  const callers = Array.from({ length: 5 }, () => passLatch(probe.pool));
  await eventually(async () => await probe.atLatch() === 2, "two statements run");
  assertEquals(probe.pool.counts, { lent: 2, free: 0, waiting: 3 });

  await assertRejects(() => passLatch(probe.pool), PoolQueueFullError);
  assertEquals(probe.pool.counts.waiting, 3);

  await latch.open();
  const pids = await within(Promise.all(callers), "the waiting callers");
  assertEquals(new Set(pids).size, 2, "more connections were made than allowed");
  assertEquals(probe.pool.counts, { lent: 0, free: 2, waiting: 0 });
});

Deno.test("a waiting caller whose signal aborts leaves the queue, and its statement never runs", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1, waitersMax: 2 });
  const latch = await probe.closeLatch();
  const first = passLatch(probe.pool);
  const controller = new AbortController();
  let built = false;
  const leaver = probe.pool.run((sql) => {
    built = true;
    return sql`select 1`;
  }, controller.signal);
  const stayer = passLatch(probe.pool);
  assertEquals(probe.pool.counts.waiting, 2);

  const reason = new Error("the caller went away");
  controller.abort(reason);
  assertEquals(await leaver.catch((error) => error), reason);
  assertEquals(probe.pool.counts.waiting, 1);
  assertEquals(await passLatch(probe.pool, AbortSignal.abort(reason)).catch((error) => error), reason);

  await latch.open();
  await within(Promise.all([first, stayer]), "the callers that stayed");
  assert(!built, "the statement of the caller that left was sent");
});

Deno.test("a caller that leaves before its statement is sent sends nothing", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  await passLatch(probe.pool);
  const controller = new AbortController();
  let built = false;
  const leaver = probe.pool.run((sql) => {
    built = true;
    return sql`select 1`;
  }, controller.signal);
  const reason = new Error("the caller went away");
  controller.abort(reason);
  assertEquals(await leaver.catch((error) => error), reason);
  assert(!built, "the statement was sent");
  assertEquals(probe.pool.counts, { lent: 0, free: 1, waiting: 0 });
});

Deno.test("a statement whose signal aborts is cancelled in PostgreSQL, and its place is usable again", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 2 });
  const latch = await probe.closeLatch();
  const controller = new AbortController();
  const given = [1, 2].map(() => passLatch(probe.pool, controller.signal).catch((error) => error));
  await eventually(async () => await probe.atLatch() === 2, "both statements run");

  controller.abort();
  for (const error of await within(Promise.all(given), "the aborted statements")) {
    assertInstanceOf(error, StatementTimeoutError);
  }
  await eventually(async () => await probe.atLatch() === 0, "PostgreSQL has ended the statements");
  await latch.open();
  await probe.assertFullSize(2);
});

Deno.test("a caller that leaves while its connection is being made does not break it for the next", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  // Later and later between the first byte and the answer; each time on a connection of its own.
  for (let step = 0; step < 12; step++) {
    const controller = new AbortController();
    const left = passLatch(probe.pool, controller.signal).catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, step));
    controller.abort();
    await within(left, "the caller that left");
    await within(passLatch(probe.pool), `the next caller, after an abort at step ${step}`);
    await probe.terminateAll();
    await eventually(() => probe.pool.counts.free === 0, "the terminated connection is gone");
  }
});

Deno.test("a cancellation that comes late does not hit the next caller's statement", async () => {
  await using database = await createTestDatabase();
  const cancellation = Promise.withResolvers<void>();
  await using proxy = startProxy(Number(new URL(database.serverUrl).port), {
    admit: (connection) => connection === 1 ? cancellation.promise : Promise.resolve(),
  });
  await using probe = probePool(through(proxy.port, database.serverUrl), database.ownerUrl, { max: 1 });
  const firstLatch = await probe.closeLatch();
  const controller = new AbortController();
  const first = passLatch(probe.pool, controller.signal);
  await eventually(async () => await probe.atLatch() === 1, "the first statement runs");
  controller.abort();
  await eventually(() => proxy.opened === 2, "the cancellation is being sent");
  await firstLatch.open();
  await within(first, "the first statement, which ended by itself before the cancellation came");

  const secondLatch = await probe.closeLatch();
  const second = passLatch(probe.pool);
  await eventually(async () => await probe.atLatch() === 1, "the second statement runs");
  cancellation.resolve();
  // PostgreSQL closes a cancellation's connection only after it was carried out.
  await within(proxy.closed(1), "the cancellation");
  await secondLatch.open();
  await within(second, "the second statement");
});

Deno.test("a cancellation that can't be delivered ends in an error for its caller only", async () => {
  await using database = await createTestDatabase();
  await using proxy = startProxy(Number(new URL(database.serverUrl).port));
  await using probe = probePool(through(proxy.port, database.serverUrl), database.ownerUrl, { max: 1 });
  using uncaught = watchUncaught();
  const latch = await probe.closeLatch();
  const controller = new AbortController();
  const given = passLatch(probe.pool, controller.signal).catch((error) => error);
  await eventually(async () => await probe.atLatch() === 1, "the statement runs");
  proxy.refuse();
  controller.abort();
  assertInstanceOf(await within(given, "the aborted statement"), OutcomeUnknownError);
  await latch.open();
  assertEquals(uncaught.errors, []);
});

Deno.test("a statement over its time limit, and one that waits too long for a row, have errors of their own", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, {
    statementTimeoutMs: 2000,
    lockTimeoutMs: 100,
  });
  await assertRejects(() => probe.pool.run((sql) => sql`select pg_sleep(30)`, NEVER), StatementTimeoutError);

  await probe.owner`insert into levels (goods_id, on_hand, version) values (1, 5, 1)`;
  await probe.owner.begin(async (foreign) => {
    await foreign`select 1 from levels where goods_id = 1 for update`;
    const change = () => probe.pool.run((sql) => sql`update levels set on_hand = 4 where goods_id = 1`, NEVER);
    await assertRejects(change, RowLockedError);
  });
});

Deno.test("close waits for the statement under way, refuses those that wait and those that come", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  const latch = await probe.closeLatch();
  const running = passLatch(probe.pool);
  await eventually(async () => await probe.atLatch() === 1, "the statement runs");
  const waiting = passLatch(probe.pool).catch((error) => error);
  let closed = false;
  const closing = probe.pool.close().then(() => closed = true);

  assertInstanceOf(await within(waiting, "the waiting caller"), DatabaseUnavailableError);
  await assertRejects(() => passLatch(probe.pool), DatabaseUnavailableError);
  assert(!closed, "close did not wait for the statement under way");
  await latch.open();
  await within(running, "the statement under way");
  await within(closing, "close");
  await eventually(async () => (await probe.backends()).length === 0, "all connections are closed");
});

/** The same address behind a proxy. */
function through(port: number, url: string): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}
