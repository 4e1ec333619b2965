/**
 * A server that answers what no PostgreSQL would: the statement ends with an error, nothing reaches the process, the
 * connection is thrown away, and the next statement runs on another one.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { Reread } from "../../src/base/reread.ts";
import { NO_CERTIFICATES } from "../../src/config/tls_files.ts";
import { DatabaseUnavailableError, OutcomeUnknownError } from "../../src/store/errors.ts";
import { Pool } from "../../src/store/postgres/pool.ts";
import { PrimarySearch } from "../../src/store/postgres/primary.ts";
import { REPLY_BYTES_MAX } from "../../src/store/postgres/reply_guard.ts";
import { createTestDatabase } from "../support/database.ts";
import { NEVER, TEST_LIMITS, watchUncaught, within } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { rejectionOf } from "../support/rejection_of.ts";

const encoder = new TextEncoder();

/** One message: its type, its length, its content. */
function message(type: string, ...content: (string | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = content.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part);
  return new Uint8Array([type.charCodeAt(0), ...int32(bytes.length + 4), ...bytes]);
}

function int32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >> shift) & 255);
}

const AUTHENTICATED = message("R", int32(0));
const READY = message("Z", "I");
const GREETING = [AUTHENTICATED, message("S", "a\0b\0"), message("K", int32(1), int32(1)), READY];
const SASL = message("R", int32(10), "SCRAM-SHA-256\0\0");
/** One column named `n` of type int4. */
const COLUMNS = message("T", [0, 1], "n\0", int32(0), [0, 0], int32(23), [0, 4], int32(-1), [0, 0]);
const PARSED = [message("1"), message("t", [0, 0])];

/** What a server says when the statement has come, instead of an answer. */
const REPLIES: Record<string, readonly Uint8Array[]> = {
  "CopyInResponse": [message("G", [0, 0, 0])],
  "CopyInResponse, and the end": [message("G", [0, 0, 0]), READY],
  "CopyOutResponse": [message("H", [0, 0, 0]), message("d", "rows")],
  "CopyBothResponse": [message("W", [0, 0, 0])],
  "a message of no known type": [message("~", "x")],
  "FunctionCallResponse": [message("V", int32(-1))],
  "PortalSuspended": [...PARSED, COLUMNS, message("2"), message("s")],
  "a negative length": [new Uint8Array([0x54, 255, 255, 255, 255])],
  "a length of nothing": [new Uint8Array([0x54, 0, 0, 0, 0])],
  "a column without the end of its name": [...PARSED, message("T", [0, 1], "name without end")],
  "more columns than there are": [...PARSED, message("T", [255, 255], "n\0", int32(0))],
  "columns of no length": [...PARSED, message("T")],
  "a row before its columns": [message("D", [0, 1], int32(1), "7"), READY],
  "a row that ends too early": [...PARSED, COLUMNS, message("2"), message("D", [0, 1]), READY],
  "parameters that end too early": [message("1"), message("t", [255, 255]), READY],
  "a log-in once more": [AUTHENTICATED, SASL, message("R", int32(11), "x")],
};

for (const [what, reply] of Object.entries(REPLIES)) {
  Deno.test(`${what}: the statement ends, the connection is replaced, the process hears nothing`, async () => {
    await using database = await createTestDatabase();
    await using server = oddServer(database.serverUrl, async ({ read, write }) => {
      await read();
      for (const part of GREETING) await write(part);
      await read();
      for (const part of reply) await write(part);
      // Not closed: who waits for that waits for ever.
      await server.over;
    });
    using uncaught = watchUncaught();
    const pool = new Pool({ ...QUICK, address: parsePostgresAddress(server.url) });
    assertInstanceOf(await within(rejectionOf(selectOne(pool)), "the statement"), OutcomeUnknownError);
    assertEquals(await within(selectOne(pool), "the next statement"), [{ n: 1 }]);
    assertEquals(server.taken, 2);
    await pool.close();
    await settled();
    assertEquals(uncaught.errors, []);
  });
}

Deno.test("an error that ends the session leaves the outcome unknown, also by a code of what was undone", async () => {
  await using database = await createTestDatabase();
  await using server = oddServer(database.serverUrl, async ({ read, write, close }) => {
    await read();
    for (const part of GREETING) await write(part);
    await read();
    // As by a full disk under the write-ahead log: the commit may have got there before.
    await write(message("E", "SPANIC\0VPANIC\0C53100\0MNo space left on device\0", [0]));
    close();
  });
  const pool = new Pool({ ...QUICK, address: parsePostgresAddress(server.url) });
  assertInstanceOf(await within(rejectionOf(selectOne(pool)), "the statement"), OutcomeUnknownError);
  await pool.close();
});

/** What a server asks for at log-in, and what is said of it. */
const LOG_INS: Record<string, { steps: readonly Uint8Array[]; said: RegExp }> = {
  "the password in clear": { steps: [message("R", int32(3))], said: /in clear/ },
  "a ticket": { steps: [message("R", int32(7))], said: /number 7/ },
  "200,000,000 iterations": {
    steps: [SASL, message("R", int32(11), "r=abc,s=c2FsdA==,i=200000000")],
    said: /200000000 iterations/,
  },
  "a step of SCRAM without salt": { steps: [SASL, message("R", int32(11), "r=abc,i=4096")], said: /can't be read/ },
  "CopyInResponse": { steps: [message("G", [0, 0, 0])], said: /not asked for/ },
};

for (const [what, { steps, said }] of Object.entries(LOG_INS)) {
  Deno.test(`a log-in that asks for ${what} is refused, and the password is not sent`, async () => {
    await using database = await createTestDatabase();
    const heard: string[] = [];
    await using server = oddServer(database.serverUrl, async ({ read, write }) => {
      await read();
      for (const step of steps) {
        await write(step);
        heard.push(await read());
      }
    });
    using uncaught = watchUncaught();
    const pool = new Pool({ ...QUICK, address: parsePostgresAddress(server.url) });
    const error = await within(rejectionOf(selectOne(pool)), "the statement") as Error;
    assertInstanceOf(error, DatabaseUnavailableError);
    const why = `${error.message} ${(error.cause as Error)?.message} ${
      ((error.cause as Error)?.cause as Error)?.message
    }`;
    assert(said.test(why), why);
    const { password } = new URL(server.url);
    assert(!heard.some((text) => text.includes(decodeURIComponent(password))), "the password was sent");
    assertEquals(await within(selectOne(pool), "the next statement"), [{ n: 1 }]);
    await pool.close();
    await settled();
    assertEquals(uncaught.errors, []);
  });
}

Deno.test("a log-in that comes to its end after its statement was given up has nothing sent", async () => {
  await using database = await createTestDatabase();
  const givenUp = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<string>();
  await using server = oddServer(database.serverUrl, async ({ read, write }) => {
    let said = "";
    try {
      await read();
      await givenUp.promise;
      for (const part of GREETING) await write(part);
      said = await read();
    } finally {
      heard.resolve(said);
    }
  });
  const address = parsePostgresAddress(server.url);
  const connectTimeoutMs = 1000;
  // So long that the statement is given up before the driver gives up the log-in, whose time begins behind it.
  const primary = new PrimarySearch({ hosts: ["one"], look: () => delay(700), nowMs: () => performance.now() });
  const first = { address, certificates: NO_CERTIFICATES };
  const access = new Reread({
    first,
    read: async () => {
      givenUp.resolve();
      await heard.promise;
      return first;
    },
    renewed: () => {},
    failed: () => {},
    nowMs: () => performance.now(),
  });
  const pool = new Pool({ ...QUICK, connectTimeoutMs, address, primary, access });
  assertInstanceOf(await within(rejectionOf(selectOne(pool)), "the statement"), DatabaseUnavailableError);
  assertEquals(await within(heard.promise, "the server's look"), "");
  await pool.close();
});

const MIB = 1024 * 1024;

/** Replies without an end, and how often what stands there is sent. */
const ENDLESS: Record<string, { head: readonly Uint8Array[]; piece: Uint8Array; times: number }> = {
  "one row of 2 GB": {
    head: [
      ...PARSED,
      COLUMNS,
      message("2"),
      new Uint8Array([0x44, ...int32(2_000_000_000), 0, 1, ...int32(1_999_999_000)]),
    ],
    piece: new Uint8Array(MIB),
    times: 2000,
  },
  "rows without an end": {
    head: [...PARSED, COLUMNS, message("2")],
    piece: message("D", [0, 1], int32(MIB), "7".repeat(1024), Array(MIB - 1024).fill(0x37)),
    times: 2000,
  },
  "notices without an end": { head: [], piece: message("N", "M", "n".repeat(MIB), [0, 0]), times: 2000 },
};

for (const [what, { head, piece, times }] of Object.entries(ENDLESS)) {
  Deno.test(`${what}: no more than a bounded part of it is taken`, async () => {
    await using database = await createTestDatabase();
    let sent = 0;
    await using server = oddServer(database.serverUrl, async ({ read, write }) => {
      await read();
      for (const part of GREETING) await write(part);
      await read();
      for (const part of head) await write(part);
      for (let i = 0; i < times; i++) {
        await write(piece);
        sent += piece.length;
      }
    });
    const pool = new Pool({ ...QUICK, statementTimeoutMs: 20_000, address: parsePostgresAddress(server.url) });
    await assertRejects(() => within(selectOne(pool), "the statement"), OutcomeUnknownError);
    await within(server.firstIsClosed, "the connection's end");
    // What was sent when it was closed lies in the buffers of both sides.
    assert(sent < REPLY_BYTES_MAX + 32 * MIB, `${Math.round(sent / MIB)} MiB were taken`);
    assertEquals(await within(selectOne(pool), "the next statement"), [{ n: 1 }]);
    await pool.close();
  });
}

const QUICK = { ...TEST_LIMITS, max: 1, statementTimeoutMs: 4000, connectTimeoutMs: 4000, log: silent() };

function silent() {
  const log = { ...TEST_LIMITS.log };
  return { ...log, error: () => {}, warn: () => {} };
}

async function selectOne(pool: Pool): Promise<{ n: number }[]> {
  return [...await pool.run<{ n: number }[]>((sql) => sql`select 1 as n`, NEVER)].map((row) => ({ ...row }));
}

/** Lets timers of the driver run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The server's side of its first connection. */
interface OddConnection {
  /** What the client says next; empty when it has gone. */
  read(): Promise<string>;
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** A server whose first connection is led by `odd`; all others reach the PostgreSQL of `url`. */
function oddServer(url: string, odd: (connection: OddConnection) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const { promise: firstIsClosed, resolve: firstClosed } = Promise.withResolvers<void>();
  const working: Promise<unknown>[] = [];
  let taken = 0;
  const real = Number(new URL(url).port);
  const serving = (async () => {
    for await (const client of listener) {
      open.add(client);
      if (taken++ === 0) working.push(odd(connectionOf(client)).catch(() => {}).finally(firstClosed));
      else {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: real });
        open.add(server);
        working.push(client.readable.pipeTo(server.writable).catch(() => {}));
        working.push(server.readable.pipeTo(client.writable).catch(() => {}));
      }
    }
  })();
  const through = new URL(url);
  through.port = String(listener.addr.port);
  return {
    url: through.href,
    /** Settles when the server goes. */
    over,
    firstIsClosed,
    get taken() {
      return taken;
    },
    async [Symbol.asyncDispose]() {
      end();
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // Closed by its server, or by what was piped through it.
        }
      }
      await serving;
      await Promise.all(working);
    },
  };
}

function connectionOf(client: Deno.TcpConn): OddConnection {
  const buffer = new Uint8Array(16_384);
  return {
    async read() {
      const size = await client.read(buffer) ?? 0;
      return new TextDecoder().decode(buffer.subarray(0, size));
    },
    close: () => client.close(),
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await client.write(bytes.subarray(at));
    },
  };
}
