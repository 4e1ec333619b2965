/**
 * Keys: added, listed and revoked by the command as the owner, and what servers make of them. Two apps on one database
 * stand for two processes: they share nothing else.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { KeyTable, KNOWN_LATE_MS_MAX, KNOWN_MS_MAX } from "../../src/auth/keys/key_table.ts";
import { createStore } from "../../src/store/store.ts";
import { keyHash } from "../../src/auth/keys/key_text.ts";
import { UnauthenticatedError } from "../../src/auth/verifier.ts";
import { addTestKey } from "../support/api_keys.ts";
import { createTestDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { connectGrpc } from "../support/grpc_session.ts";
import { type KeyedApp, startKeyedApp } from "../support/keyed_app.ts";
import { runTask } from "../support/tasks.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { DATABASE_CONNECT_TIMEOUT_MS, ROW_LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from "../../src/config/config.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createLog } from "../../src/telemetry/create_log.ts";

const DETAIL = "inventory.v1.InventoryService/InvDetail";
const SELL = "inventory.v1.InventoryService/Sell";
const SET = "inventory.v1.InventoryService/SetInv";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const UNAUTHENTICATED = 16;
const WAIT_MS_MAX = 60_000;

const isOpenTo = async ({ post }: KeyedApp, headers: Record<string, string>) =>
  (await post(DETAIL, { goodsId: 1 }, headers)).status !== 401;

const storeOn = ({ serverUrl }: TestDatabase) =>
  createStore({
    address: parsePostgresAddress(serverUrl),
    max: 4,
    waitersMax: 100,
    connectTimeoutMs: DATABASE_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: ROW_LOCK_TIMEOUT_MS,
    log: createLog("error", "pretty"),
  });

/**
 * Calls until it is refused. A call that began more than a second after the change was committed must be, where the
 * process gets its CPU; the answer is how long after it the last one began that was not, in ms.
 */
async function openFor(app: KeyedApp, headers: Record<string, string>, changedAt: number): Promise<number> {
  let last = 0;
  for (;;) {
    const beganAt = performance.now() - changedAt;
    if (!await isOpenTo(app, headers)) return last;
    last = beganAt;
    assert(last <= KNOWN_LATE_MS_MAX, `open to a call that began ${last} ms after it was shut`);
  }
}

Deno.test("a key is added, shows in the list, sells under its name, and is revoked; the secret is nowhere", async (t) => {
  await using database = await createTestDatabase();
  const owner = { DATABASE_OWNER_URL: database.ownerUrl };
  const keys = (...args: string[]) => runTask("keys", args, owner);
  const added = await keys("add", "till 7", "--rights", "seller", "--expires", "90d");
  assertEquals(added.code, 0, added.stderr);
  assertMatch(added.stdout, /^hf_[a-z0-9]{12}_[0-9a-f]{64}\n$/);
  const key = added.stdout.trim();
  const [, id = "", secret = ""] = key.split("_");
  const stocker = (await keys("add", "till 7", "--rights", "stocker,reader")).stdout.trim();
  await using app = await startKeyedApp(database);
  await using other = await startKeyedApp(database);
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

  await t.step("what it does stands in the ledger under its name", async () => {
    assertEquals((await app.post(SET, { goodsId: 1, num: 5 }, bearer(stocker))).status, 200);
    const order = { orderId: "a", goodsInfo: [{ goodsId: 1, num: 1 }] };
    const mine = { ...bearer(key), "x-holdfast-actor": "till 7" };
    const another = await app.post(SELL, order, { ...bearer(key), "x-holdfast-actor": "till 8" });
    assertEquals([another.status, another.code], [403, "permission_denied"]);
    assertEquals((await app.post(SELL, order, mine)).status, 200);
    await using session = ownerOf(database.ownerUrl);
    const rows = await session.sql`select kind, actor from movements order by version`;
    assertEquals(rows.map(({ kind, actor }) => [kind, actor]), [["set", "till 7"], ["sell", "till 7"]]);
  });

  await t.step("the list has what is known of it, and no more", async () => {
    const { code, stdout } = await keys("list");
    assertEquals(code, 0);
    assertMatch(
      stdout,
      new RegExp(`^${id}  live     seller  expires 20\\S+Z  created 20\\S+Z  changed 20\\S+Z  till 7$`, "m"),
    );
    assertMatch(stdout, /live {5}stocker,reader {2}expires never {2}/);
    assertEquals(stdout.trim().split("\n").length, 2);
    await using session = ownerOf(database.ownerUrl);
    const kept = JSON.stringify(await session.sql`select encode(key_sha256, 'hex'), api_keys.* from api_keys`);
    for (const text of [stdout, added.stderr, kept]) assert(!text.includes(secret));
  });

  await t.step("revoked it opens nothing, in every process, of calls that begin a second later", async () => {
    const { code, stdout } = await keys("revoke", id);
    // The command has ended after the commit.
    const changedAt = performance.now();
    const open = await Promise.all([app, other].map((each) => openFor(each, bearer(key), changedAt)));
    console.log(`    open for ${open.map(Math.round).join(" and ")} ms, of ${KNOWN_MS_MAX}`);
    assertEquals([code, stdout.includes(`${id}  revoked  seller`)], [0, true], stdout);
    assertEquals((await keys("revoke", id)).stdout, stdout, "twice is as once");
    assertEquals(await isOpenTo(app, bearer(stocker)), true);
    const refused = app.warnings.filter(({ reason }) => reason === "revoked");
    assertEquals([...new Set(refused.map(({ who, message }) => `${message}: ${who}`))], [`a call was refused: ${id}`]);
    for (const text of [JSON.stringify(app.warnings), stdout]) assert(!text.includes(secret));
  });

  await t.step("what is not asked as it should be is refused, and changes nothing", async () => {
    const bad: [args: string[], said: string][] = [
      [["add", "till", "--rights", "king"], "--rights expects"],
      [["revoke", key], "revoke expects the id"],
    ];
    for (const [args, said] of bad) {
      const { code, stdout, stderr } = await keys(...args);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, said);
      assert(!stderr.includes(secret));
    }
    assertEquals((await keys("revoke", "aaaaaaaaaaaa")).code, 1);
    const asServer = await runTask("keys", ["add", "evil", "--rights", "operator"], {
      DATABASE_URL: database.serverUrl,
    });
    assertEquals([asServer.code, asServer.stdout], [1, ""]);
    assertStringIncludes(asServer.stderr, "set DATABASE_OWNER_URL to a role that may change api_keys");
    assertEquals((await keys("list")).stdout.trim().split("\n").length, 2);
  });
});

Deno.test("rows that are changed by hand count as well, a key expires, and streams end with theirs", async (t) => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const add = (name: string, right: string) => addTestKey(owner.sql, { name, rights: [right] });
  const [a, b, c, d] = [
    await add("a", "reader"),
    await add("b", "reader"),
    await add("c", "operator"),
    await add("d", "operator"),
  ];
  await using app = await startKeyedApp(database);
  await using session = connectGrpc(app.url);

  await t.step("a column that says when it was changed is not needed", async () => {
    assertEquals(await Promise.all([a, b].map(({ headers }) => isOpenTo(app, headers))), [true, true]);
    await owner.sql`update api_keys set rights = '{stocker}' where key_id = ${a.id}`;
    assert(
      await until(async () => (await app.post(SET, { goodsId: 1, num: 1 }, a.headers)).status === 200, WAIT_MS_MAX),
    );
    await owner.sql`delete from api_keys where key_id = ${b.id}`;
    await openFor(app, b.headers, performance.now());
  });

  await t.step("once it has expired by PostgreSQL's clock, no call is let in", async () => {
    await owner.sql`update api_keys set expires_at = now() + interval '700 ms' where key_id = ${a.id}`;
    assert(
      await until(async () => {
        const [row] = await owner.sql`select expires_at <= clock_timestamp() as is_over from api_keys
                                       where key_id = ${a.id}`;
        // It may be refused earlier by what the latest read of keys took, which a busy machine makes long.
        const isOpen = await isOpenTo(app, a.headers);
        if (row?.is_over === true) assert(!isOpen, "let in though it had expired before the call");
        return row?.is_over === true;
      }, WAIT_MS_MAX),
    );
  });

  await t.step("also where the process's own clock stood meanwhile, as that of a machine that slept", async () => {
    const store = storeOn(database);
    const table = new KeyTable({ read: store.readKeys, log: createLog("error", "pretty"), nowMs: () => 0 });
    const e = await addTestKey(owner.sql, { name: "e", rights: ["reader"] });
    const verify = async () => {
      try {
        return (await table.verify({ bearer: e.key, certificate: undefined, address: "" }))?.name;
      } catch (error) {
        return error instanceof UnauthenticatedError ? error.reason : error;
      }
    };
    try {
      // Known before its end is: on a starved machine that may be over when it is read.
      assert(await until(async () => await verify() === "e", WAIT_MS_MAX), String(await verify()));
      await owner.sql`update api_keys set expires_at = now() + interval '3 s' where key_id = ${e.id}`;
      assert(await until(async () => await verify() === "expired", WAIT_MS_MAX), String(await verify()));
    } finally {
      await table.close();
      await store.close();
    }
  });

  await t.step("a stream ends when its key is revoked, and another one goes on", async () => {
    const ending = session.open(REFLECTION, c.headers);
    const going = session.open(REFLECTION, d.headers);
    assertEquals(await Promise.all([ending.begun, going.begun]), ["answer", "answer"]);
    await owner.sql`update api_keys set revoked_at = now() where key_id = ${c.id}`;
    assertEquals((await ending.ended).code, UNAUTHENTICATED);
    assertEquals(app.warnings.map(({ reason, who }) => `${reason} ${who}`).filter((text) => text.includes("stream")), [
      "stream_ended c",
    ]);
    going.endRequests();
    assertEquals((await going.ended).code, 0);
    // Each has an id of its own, before and after one that another call's log lines have.
    const strangers = await Promise.all([{}, {}].map((headers) => session.open(REFLECTION, headers).ended));
    const ids = [await ending.ended, ...strangers].map(({ headers }) => headers["x-request-id"]);
    assertEquals(new Set(ids).size, ids.length, ids.join());
  });

  await t.step("one that ends never, or ended ever since, keeps nobody else out", async () => {
    for (const [row, expires] of [[a, "infinity"], [b, "-infinity"]] as const) {
      await owner.sql`
        insert into api_keys (key_id, key_sha256, name, rights, expires_at)
        values (${row.id}, ${keyHash(row.key)}, 'by hand', '{reader}', ${expires}::text::timestamptz)
        on conflict (key_id) do update set expires_at = excluded.expires_at`;
    }
    assert(await until(() => isOpenTo(app, a.headers), WAIT_MS_MAX));
    assertEquals((await app.post(DETAIL, { goodsId: 1 }, a.headers)).status, 200);
    assertEquals(await isOpenTo(app, b.headers), false);
    assertMatch((await runTask("keys", ["list"], { DATABASE_OWNER_URL: database.ownerUrl })).stdout, /by hand$/m);
  });
});

Deno.test("while keys can't be read every call is UNAVAILABLE, nothing is written, and health says why", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const { headers } = await addTestKey(owner.sql, { name: "till", rights: ["operator"] });
  const store = storeOn(database);
  let isAway = false;
  const readKeys: typeof store.readKeys = (known, signal) =>
    isAway ? Promise.reject(new Error("away")) : store.readKeys(known, signal);
  await using app = await startKeyedApp(database, {}, { store: { ...store, readKeys } });
  assertEquals((await app.post(SET, { goodsId: 1, num: 1 }, headers)).status, 200);
  isAway = true;
  assert(await until(async () => (await app.post(DETAIL, { goodsId: 1 }, headers)).status === 503, WAIT_MS_MAX));
  const refused = await app.post(SET, { goodsId: 1, num: 2 }, headers);
  assertEquals([refused.status, refused.code, refused.message], [
    503,
    "unavailable",
    "credentials can't be checked now",
  ]);
  assertStringIncludes(refused.text, "CREDENTIALS_NOT_CHECKED");
  const ready = () => fetch(`${app.url}/readyz`).then(async (answer) => (await answer.body?.cancel(), answer.status));
  assert(await until(async () => await ready() === 503, WAIT_MS_MAX));
  const [count] = await owner.sql`select count(*)::int as n from movements`;
  assertEquals(count?.n, 1);
  isAway = false;
  assert(await until(async () => await ready() === 200, WAIT_MS_MAX));
  assertEquals((await app.post(DETAIL, { goodsId: 1 }, headers)).status, 200);
});
