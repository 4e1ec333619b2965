/** The pool when PostgreSQL goes away under it: killed connections, a server that is frozen, stopped or not there. */
import { assert, assertEquals, assertGreater, assertInstanceOf, assertRejects } from "@std/assert";
import type { PrivatePostgres } from "../../tools/stack/postgres.ts";
import { DatabaseUnavailableError, OutcomeUnknownError, StoreError } from "../../src/store/errors.ts";
import { Pool, type PoolOptions } from "../../src/store/postgres/pool.ts";
import { errorFields } from "../../src/telemetry/log.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { startCopiedPostgres } from "../support/own_postgres.ts";
import {
  NEVER,
  passLatch,
  type PoolProbe,
  probePool,
  TEST_LIMITS,
  watchUncaught,
  within,
} from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("a connection that was killed between statements is not noticed by the next one", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  for (let round = 0; round < 10; round++) {
    await within(passLatch(probe.pool), `the statement of round ${round}`);
    await probe.terminateAll();
    await eventually(() => probe.pool.counts.free === 0, "the pool has dropped the dead connection");
  }
});

Deno.test("a connection that is killed under a statement leaves its outcome unknown, and the next one works", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  for (let round = 0; round < 10; round++) {
    const latch = await probe.closeLatch();
    const killed = passLatch(probe.pool).catch((error) => error);
    await eventually(async () => await probe.atLatch() === 1, "the statement runs");
    const next = passLatch(probe.pool);
    await probe.terminateAll();
    assertInstanceOf(await within(killed, "the killed statement"), OutcomeUnknownError);
    await latch.open();
    await within(next, "the statement behind it");
  }
});

Deno.test("storms of killed connections: nothing twice, nothing acknowledged lost, the full size comes back", async () => {
  const max = 8;
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max });
  using uncaught = watchUncaught();
  await probe.owner`create table written (id integer)`;
  await probe.owner`grant insert on written to holdfast_server`;

  const storm = new Storm(probe);
  const workers = Array.from({ length: 16 }, () => storm.work());
  for (let round = 0; round < 20; round++) {
    const target = storm.acknowledged.size + 50;
    await eventually(() => storm.acknowledged.size >= target, `work went on in round ${round}`);
    await probe.terminateAll();
  }
  storm.over = true;
  await within(Promise.all(workers), "the workers");

  assertEquals(storm.faults, []);
  assertEquals(uncaught.errors, []);
  const rows = await probe.owner<{ id: number }[]>`select id from written`;
  const written = new Set(rows.map((row) => row.id));
  assertEquals(rows.length, written.size, "something was written twice");
  assertEquals([...storm.acknowledged].filter((id) => !written.has(id)), [], "acknowledged, but not there");
  assertEquals([...storm.refused].filter((id) => written.has(id)), [], "said not to be written, but there");
  assertGreater(storm.unknown, 0, "no statement was hit: the storm proves nothing");
  await probe.assertFullSize(max);
});

Deno.test("a frozen PostgreSQL: statements end within their limits, and afterwards the full size comes back", async () => {
  await using server = await startServer();
  const { url } = server;
  // In which a busy machine makes a connection, and has three statements stand at the latch.
  const limits = { max: 3, connectTimeoutMs: 2500, statementTimeoutMs: 2500 };
  await using probe = probePool(url, url, limits);
  using uncaught = watchUncaught();
  await probe.assertFullSize(3);
  const pids = [server.postgres.pid, ...await probe.backends()];
  await signalAll("SIGSTOP", pids);
  try {
    const established = Array.from({ length: 3 }, () => passLatch(probe.pool).catch((error) => error));
    for (const error of await within(Promise.all(established), "statements on frozen connections")) {
      assertInstanceOf(error, OutcomeUnknownError);
    }
    await assertRejects(() => within(passLatch(probe.pool), "a statement on a new one"), DatabaseUnavailableError);
    const controller = new AbortController();
    const leaver = passLatch(probe.pool, controller.signal).catch((error) => error);
    // By then the connection is being made.
    await new Promise((resolve) => setTimeout(resolve));
    controller.abort();
    assertInstanceOf(await within(leaver, "a caller that leaves"), StoreError);
  } finally {
    await signalAll("SIGCONT", pids);
  }
  await eventually(async () => await passLatch(probe.pool).then(() => true, () => false), "statements work again");
  await probe.assertFullSize(3);
  assertEquals(uncaught.errors, []);
});

Deno.test("a stopped PostgreSQL is unavailable, and is used again once it is there", async () => {
  await using server = await startServer();
  await using probe = probePool(server.url, server.url, { max: 2 });
  using uncaught = watchUncaught();
  await probe.assertFullSize(2);
  await server.postgres.stop("fast");
  await eventually(() => probe.pool.counts.free === 0, "the pool has dropped the dead connections");
  for (let attempt = 1; attempt <= 3; attempt++) {
    await assertRejects(() => within(passLatch(probe.pool), "the statement"), DatabaseUnavailableError);
  }
  await server.postgres.start();
  await eventually(async () => await passLatch(probe.pool).then(() => true, () => false), "statements work again");
  await probe.assertFullSize(2);
  assertEquals(uncaught.errors, []);
});

for (const fate of ["says nothing", "closes at once"] as const) {
  Deno.test(`a port that takes connections and ${fate} is an unavailable database, not a hang`, async () => {
    await using hole = blackHole(fate);
    const pool = poolOn(`postgres://user:secret@127.0.0.1:${hole.port}/none`, { max: 2, connectTimeoutMs: 300 });
    const callers = Array.from({ length: 6 }, () => passLatch(pool).catch((error) => error));
    for (const error of await within(Promise.all(callers), "the callers")) {
      assertInstanceOf(error, DatabaseUnavailableError);
    }
    assertEquals(pool.counts.lent, 0);
    // Three rounds of two callers; a driver that redials as fast as it can would be there hundreds of times.
    assert(hole.taken <= 24, `the port was dialled ${hole.taken} times for 6 statements`);
    await within(pool.close(), "close");
  });
}

Deno.test("a server that dies at the first statement leaves its outcome unknown, and no loose end", async () => {
  await using hole = blackHole("dies at the first statement");
  using uncaught = watchUncaught();
  const pool = poolOn(`postgres://user:secret@127.0.0.1:${hole.port}/none`, { max: 1 });
  const error = await within(passLatch(pool).catch((error) => error), "the statement");
  assertInstanceOf(error, OutcomeUnknownError);
  await pool.close();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(uncaught.errors, []);
});

Deno.test("a wrong password is an unavailable database, and no log line can contain it", async () => {
  const url = new URL(testEnvironment().databaseServerUrl);
  url.password = "not%20the%2Fright-one";
  const pool = poolOn(url.href, { max: 1 });
  const error = await within(passLatch(pool).catch((error) => error), "the statement");
  assertInstanceOf(error, DatabaseUnavailableError);
  const logged = JSON.stringify(errorFields(error));
  assert(logged.includes("28P01"), `it does not say why: ${logged}`);
  assert(!/right-one/.test(logged), logged);
  await pool.close();
});

/** Workers that write one id a statement, each id once. */
class Storm {
  over = false;
  unknown = 0;
  readonly acknowledged = new Set<number>();
  readonly refused = new Set<number>();
  readonly faults: unknown[] = [];
  readonly #probe: PoolProbe;
  #lastId = 0;

  constructor(probe: PoolProbe) {
    this.#probe = probe;
  }

  async work(): Promise<void> {
    while (!this.over) {
      const id = ++this.#lastId;
      try {
        await this.#probe.pool.run((sql) => sql`insert into written values (${id}::int)`, NEVER);
        this.acknowledged.add(id);
      } catch (error) {
        if (error instanceof OutcomeUnknownError) this.unknown++;
        else if (error instanceof DatabaseUnavailableError) this.refused.add(id);
        else this.faults.push(error);
      }
    }
  }
}

function poolOn(url: string, limits: Partial<PoolOptions>): Pool {
  return new Pool({ ...TEST_LIMITS, address: parsePostgresAddress(url), ...limits });
}

/** A PostgreSQL of the test's own, to be treated badly. */
async function startServer(): Promise<{ postgres: PrivatePostgres; url: string } & AsyncDisposable> {
  const dir = await Deno.makeTempDir({ prefix: "pool-" });
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const postgres = await startCopiedPostgres(dir);
  return {
    postgres,
    url: postgres.ownerUrl("postgres"),
    [Symbol.asyncDispose]: () => postgres.stop("immediate"),
  };
}

/** Signals processes that are not our children, for which Deno asks more permissions than tests have. */
async function signalAll(signal: Deno.Signal, pids: readonly number[]): Promise<void> {
  const line = `kill -s ${signal.replace("SIG", "")} ${pids.join(" ")}`;
  const { success } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assert(success, `${signal} could not be sent to ${pids}`);
}

/** What becomes of a connection behind which nobody really is. */
type Fate = "says nothing" | "closes at once" | "dies at the first statement";

/** AuthenticationOk, one ParameterStatus, BackendKeyData and ReadyForQuery, as PostgreSQL begins with a client. */
const GREETING = new Uint8Array([
  ...[0x52, 0, 0, 0, 8, 0, 0, 0, 0],
  ...[0x53, 0, 0, 0, 8, 0x61, 0, 0x62, 0],
  ...[0x4b, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1],
  ...[0x5a, 0, 0, 0, 5, 0x49],
]);

/** A port behind which there is no database. */
function blackHole(fate: Fate) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Deno.TcpConn[] = [];
  let taken = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      taken++;
      if (fate === "says nothing") open.push(connection);
      else if (fate === "closes at once") connection.close();
      else letInAndDie(connection).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    get taken() {
      return taken;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await serving;
    },
  };
}

async function letInAndDie(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  await connection.read(buffer);
  await connection.write(GREETING);
  await connection.read(buffer);
  connection.close();
}
