/**
 * docs/backup.md: its blocks of shell, run as they stand there on a PostgreSQL of the test's own, while orders are
 * sold. Replaced are paths and who somebody is; what stops and starts PostgreSQL is the test.
 */
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkLedger } from "../support/ledger_check.ts";
import { ownerOf } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { type OwnPostgres, startOwnPostgres } from "../support/own_postgres.ts";
import { stepsOf, walk } from "../support/page_walk.ts";
import { post, startServer, type TestServer } from "../support/server.ts";
import { sourceText } from "../support/source_files.ts";
import { grpcJsSource, StreamError, type StreamMessage, type StreamMethod } from "../support/stream_sources.ts";

const RUN_MS_MAX = 60_000;
const CALLERS = 4;
/** Orders of each caller before the moment and after it. */
const ORDERS = 10;
const STOCK = 1_000_000;
const GOODS_ID = 7;
const OWNER_ROLE = "holdfast_owner";

/** When an order was begun and answered, by one clock. */
interface Acknowledged {
  readonly orderId: string;
  readonly begunMs: number;
  readonly answeredMs: number;
}

Deno.test("docs/backup.md leads back to a moment, and says what is missing then; a dump leads to its own", async (t) => {
  await using postgres = await startOwnPostgres();
  const database = await postgres.database("holdfast");
  const dir = await Deno.makeTempDir();
  await Deno.chmod(dir, 0o755);
  const steps = stepsOf(sourceText("docs/backup.md"));
  assertEquals(steps.length, 6, "blocks of shell of docs/backup.md");
  const run = shellOf(postgres, dir);
  const options = { database, env: { CONCURRENCY: "optimistic" } };
  const acknowledged: Acknowledged[] = [];
  const [archive, base, restore, doctor, dump, fromDump] = steps;
  const tokens = new Map<StreamMethod, string>();
  let moment = { text: "", askedMs: 0, answeredMs: 0 };

  await t.step("sales go on beside the base backup, and after the moment", async () => {
    await run([archive!]);
    await postgres.server.restart("fast");
    await using server = await startServer(options);
    await call(server, "SetInv", { goodsId: GOODS_ID, num: STOCK });
    await Promise.all([sellMany(server, "early", acknowledged), run([base!])]);
    await assertArchivesOnce(postgres, dir);
    [moment] = await Promise.all([momentOf(database.ownerUrl), sellMany(server, "late", acknowledged)]);
    // All of those may have been begun before it, where its session was slow to begin.
    await sellMany(server, "after", acknowledged);
    for (const method of ["WatchInv", "WatchMovements"] as const) {
      tokens.set(method, await tokenOf(server, method, acknowledged));
    }
    await server.stop();
  });

  await t.step("the database comes back as it was at the moment", async () => {
    await postgres.server.stop("fast");
    await run([restore!], { moment: moment.text });
    await postgres.server.start();
    assertEquals(await checkLedger(database.ownerUrl), []);
  });

  let missing: string[] = [];
  await t.step("the doctor says which acknowledged orders are missing: those of after the moment", async () => {
    await Deno.writeTextFile(join(dir, "backups/holdfast/acknowledged"), acknowledged.map((a) => a.orderId).join("\n"));
    await run([doctor!], { DATABASE_OWNER_URL: database.ownerUrl });
    const lines = (await Deno.readTextFile(join(dir, "backups/holdfast/missing"))).split("\n");
    missing = lines.filter((line) => line !== "");
    const isMissing = (order: Acknowledged) => missing.includes(order.orderId);
    assertEquals(acknowledged.filter(({ answeredMs }) => answeredMs < moment.askedMs).filter(isMissing), []);
    const after = acknowledged.filter(({ begunMs }) => begunMs > moment.answeredMs);
    assertEquals(after.filter((order) => !isMissing(order)), []);
    assertGreater(after.length, 0);
  });

  await t.step("what is sent again is sold again, once; streams of before begin anew", async () => {
    await using server = await startServer(options);
    for (const orderId of missing) assertEquals((await sell(server, orderId)).replayed, false, orderId);
    for (const orderId of [acknowledged[0]!.orderId, missing[0]!]) {
      assertEquals((await sell(server, orderId)).replayed, true, orderId);
    }
    await assertStreamsBeginAnew(server, tokens);
    const { onHand } = await call(server, "InvDetail", { goodsId: GOODS_ID });
    assertEquals(onHand, STOCK - acknowledged.length);
    await server.stop();
    assertEquals(await checkLedger(database.ownerUrl), []);
  });

  await t.step("a dump comes back whole into another database", async () => {
    await run([dump!, fromDump!]);
    const restored = postgres.server.ownerUrl("holdfast_restored");
    assertEquals(await checkLedger(restored), []);
    await run([{ shell: "cd /opt/holdfast; deno task doctor", answers: ANSWERS_OF_WHOLE }], {
      DATABASE_OWNER_URL: restored,
    });
  });
  await Deno.remove(dir, { recursive: true });
});

const ANSWERS_OF_WHOLE = "looked at 1 goods …\nit adds up\n";

/** Runs blocks of the page as they stand there, on that PostgreSQL, with the page's paths in `dir`. */
function shellOf({ server }: OwnPostgres, dir: string) {
  const owner = new URL(server.ownerUrl("postgres"));
  const isRoot = Deno.uid() === 0;
  const replaced: readonly (readonly [string | RegExp, string])[] = [
    [/^pg_ctlcluster .*$/gm, ":"],
    [/^export DATABASE_OWNER_URL_FILE=.*$/gm, ":"],
    ["/usr/lib/postgresql/15/bin", testEnvironment().postgresBin],
    ["/var/lib/postgresql/15/main", join(server.dir, "data")],
    ["/var/backups", join(dir, "backups")],
    ["/opt/holdfast", fileURLToPath(new URL("../..", import.meta.url))],
    ["stock_owner", OWNER_ROLE],
    // Who is not root is one user, and so is his PostgreSQL.
    ...isRoot ? [] : [[/runuser -u \w+ -- |-o postgres -g postgres /g, ""], [/^chown .*$/gm, ":"]] as const,
  ];
  return async (steps: Parameters<typeof walk>[0], env: Readonly<Record<string, string>> = {}) =>
    await walk(steps, {
      change: (shell) => replaced.reduce((text, [from, to]) => text.replaceAll(from, () => to), shell),
      env: {
        PATH: [dirname(Deno.execPath()), testEnvironment().postgresBin, Deno.env.get("PATH")].join(":"),
        PGHOST: owner.hostname,
        PGPORT: owner.port,
        PGUSER: owner.username,
        PGPASSWORD: owner.password,
        PGDATABASE: "postgres",
        ...env,
      },
      msMax: RUN_MS_MAX,
    });
}

/** The command takes a piece that is there already for kept, and none with other content in its place. */
async function assertArchivesOnce({ server }: OwnPostgres, dir: string): Promise<void> {
  await using owner = ownerOf(server.ownerUrl("postgres"));
  const [row] = await owner.sql<{ archive_command: string }[]>`show archive_command`;
  const piece = join(dir, "piece");
  const name = "00000001000000FF000000FF";
  const archive = async (content: string) => {
    await Deno.writeTextFile(piece, content);
    await Deno.chmod(piece, 0o644);
    const shell = row!.archive_command.replaceAll("%p", piece).replaceAll("%f", name);
    return (await new Deno.Command("sh", { args: ["-c", shell] }).output()).success;
  };
  assertEquals([await archive("one"), await archive("one"), await archive("two")], [true, true, false]);
  const kept = join(dir, "backups/holdfast/wal", name);
  assertEquals(await Deno.readTextFile(kept), "one");
  await Deno.remove(kept);
}

async function call(server: TestServer, method: string, message: unknown): Promise<Record<string, unknown>> {
  const { status, body } = await post(`${server.url}/inventory.v1.InventoryService/${method}`, message);
  assertEquals(status, 200, JSON.stringify(body));
  return body;
}

async function sell(server: TestServer, orderId: string): Promise<Record<string, unknown>> {
  return await call(server, "Sell", { orderId, goodsInfo: [{ goodsId: GOODS_ID, num: 1 }] });
}

/** Several callers, one order after the other each. */
async function sellMany(server: TestServer, name: string, acknowledged: Acknowledged[]): Promise<void> {
  await Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
    for (let n = 0; n < ORDERS; n++) {
      await sellOne(server, `${name}-${caller}-${n}`, acknowledged);
    }
  }));
}

async function sellOne(server: TestServer, orderId: string, acknowledged: Acknowledged[]): Promise<void> {
  const begunMs = performance.now();
  await sell(server, orderId);
  acknowledged.push({ orderId, begunMs, answeredMs: performance.now() });
}

/** The database's time, and between which times of this process it was asked for. */
async function momentOf(ownerUrl: string): Promise<{ text: string; askedMs: number; answeredMs: number }> {
  await using owner = ownerOf(ownerUrl);
  await owner.sql`select 1`;
  const askedMs = performance.now();
  const [row] = await owner.sql<{ text: string }[]>`select clock_timestamp()::text as text`;
  return { text: row!.text, askedMs, answeredMs: performance.now() };
}

/** Where a stream stands that has taken in a sale. */
async function tokenOf(server: TestServer, method: StreamMethod, acknowledged: Acknowledged[]): Promise<string> {
  const source = grpcJsSource(server.url);
  const leaving = new AbortController();
  try {
    for await (const { token, event } of source.open(method, {}, leaving.signal)) {
      const isLive = method === "WatchInv" ? event.case === "snapshot" && event.complete : event.case === "started";
      if (isLive) await sellOne(server, `watched-by-${method}`, acknowledged);
      if (event.case === "changes" && token !== "") return token;
    }
    throw new Error("the stream ended without a token");
  } finally {
    leaving.abort();
    source.close();
  }
}

/** By a token of a time that was undone `WatchInv` begins with a snapshot, and says why; the other stream refuses. */
async function assertStreamsBeginAnew(server: TestServer, tokens: ReadonlyMap<StreamMethod, string>): Promise<void> {
  const source = grpcJsSource(server.url);
  const leaving = new AbortController();
  const first = async (method: StreamMethod): Promise<StreamMessage> => {
    for await (const message of source.open(method, { resumeToken: tokens.get(method) }, leaving.signal)) {
      return message;
    }
    throw new Error("the stream ended at once");
  };
  try {
    const { event } = await first("WatchInv");
    assert(event.case === "started", event.case);
    assertEquals(event.start, "WATCH_START_PAST_GONE");
    const { code, message } = await assertRejects(() => first("WatchMovements"), StreamError);
    assertEquals([code, message.includes("what came after it is gone")], ["FAILED_PRECONDITION", true], message);
  } finally {
    leaving.abort();
    source.close();
  }
}
