/**
 * A service with workers as people start it, under TLS to all stores, with passwords that stand in files: these are
 * replaced while callers buy, and taken back. Nothing is lost, nobody restarts anything, and the log says which store
 * refuses whom, but no password.
 */
import { assert, assertEquals } from "@std/assert";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { processFacts } from "../../src/process/facts.ts";
import { LOCK_RULES } from "../../tools/stack/redis_users.ts";
import { call, callUntilDecided, health } from "../support/callers.ts";
import { lastingDatabase, ownerOf } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { newRole } from "../support/own_role.ts";
import { runServer, startServer, type TestServer } from "../support/server.ts";
import { startTlsPostgres, storePath } from "../support/tls_postgres.ts";
import { startTlsRedis, type TlsRedis } from "../support/tls_redis.ts";
import { pidOf, said } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const PASSWORDS = ["first-s3cret", "second-s3cret", "third-s3cret"];
const USER = "rotated";
const CA = storePath("authority.pem");
const STATUS_PATH = "/inventory.v1.LockService/Status";

/** A user of the nodes, whose addresses stand in a file. */
function newUser(dir: string, nodes: readonly TlsRedis[]) {
  const file = `${dir}/nodes`;
  const ofAll = (...words: string[]) => Promise.all(nodes.map(({ owner }) => owner.call(words[0]!, ...words.slice(1))));
  return {
    file,
    /** Takes this password from now on, and nobody is logged in any more; undefined: it is let in no more. */
    async change(password: string | undefined) {
      const rules = password === undefined ? ["off"] : ["reset", "on", `>${password}`, ...LOCK_RULES];
      await ofAll("acl", "setuser", USER, ...rules);
      await ofAll("client", "kill", "user", USER);
    },
    async write(password: string) {
      const urls = nodes.map(({ tlsPort }) => `rediss://${USER}:${password}@localhost:${tlsPort}`);
      await Deno.writeTextFile(file, urls.join(","));
    },
  };
}

async function states(server: TestServer): Promise<string> {
  const { body } = await fetch(server.url + STATUS_PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  }).then(async (answer) => ({ body: await answer.json() }));
  return String([...new Set(body.nodes.map(({ state }: { state: string }) => state))]);
}

const isServing = async (server: TestServer) => await health(server.url) === "SERVING";

async function rotated(t: Deno.TestContext): Promise<void> {
  // First, as a node has no vote for some seconds after its start.
  await using redis = await startTlsRedis();
  await using postgresql = await startTlsPostgres();
  await Promise.all([postgresql.present("server.pem"), ...redis.nodes.map((node) => node.present("server.pem", true))]);
  const database = lastingDatabase("shop", postgresql.ownerUrl("shop"), postgresql.serverUrl("shop"));
  await using role = await newRole(database);
  const dir = await Deno.makeTempDir();
  const user = newUser(dir, redis.nodes);
  for (const store of [role, user]) {
    await store.change(PASSWORDS[0]!);
    await store.write(PASSWORDS[0]!);
  }
  await using server = await startServer({
    line: "bin/holdfast",
    database,
    env: {
      DATABASE_URL: "",
      DATABASE_URL_FILE: role.file,
      REDIS_URLS: "",
      REDIS_URLS_FILE: user.file,
      CONCURRENCY: "redlock",
      DATABASE_TLS_CA_FILE: CA,
      REDIS_TLS_CA_FILE: CA,
      REDIS_TLS_CERT_FILE: storePath("client.pem"),
      REDIS_TLS_KEY_FILE: storePath("key.pem"),
      WORKERS: "2",
    },
  });

  await t.step("the supervisor and its workers may read these files and no others", () => {
    const files = `${role.file},${user.file}`;
    const tls = [CA, storePath("client.pem"), storePath("key.pem")].join(",");
    const granted = (pid: number) =>
      processFacts(pid)!.commandLine.split(" ").find((word) => word.startsWith("--allow-read="));
    assertEquals(granted(server.pid), `--allow-read=${files}`);
    const ofWorker = `--allow-read=/dev/null,${files},${tls},${CONSOLE_DIR}`;
    for (const worker of [1, 2]) assertEquals(granted(pidOf(server, worker)), ofWorker);
  });

  await t.step("all sessions are under TLS", async () => {
    await using owner = ownerOf(database.ownerUrl);
    const rows = await owner.sql<{ ssl: boolean }[]>`
      select ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = ${role.name}`;
    assertEquals([rows.length > 0, rows.every(({ ssl }) => ssl)], [true, true]);
    for (const { owner, tlsPort } of redis.nodes) {
      const lines = async () =>
        String(await owner.call("client", "list")).split("\n").filter((line) => line.includes(`user=${USER} `));
      await eventually(async () => (await lines()).length === 2, "each worker is there");
      for (const line of await lines()) assert(line.includes(`laddr=127.0.0.1:${tlsPort} `), line);
    }
  });

  await t.step("a program that may not read them names the setting and the flag", async () => {
    const { code, stderr } = await runServer({ env: { DATABASE_URL: "", DATABASE_URL_FILE: role.file } });
    assertEquals(code, 78);
    assert(stderr.includes(`DATABASE_URL_FILE: needs --allow-read for it, got "${role.file}"`), stderr);
  });

  let orders = 0;
  const sold = async () => {
    const answer = await callUntilDecided(server.url, "Sell", {
      orderId: `order-${++orders}`,
      goodsInfo: [{ goodsId: 1 + orders % 4, num: 1 }],
    });
    assertEquals(answer.code, "ok");
  };

  await t.step("replaced in both stores while callers buy", async () => {
    for (const goodsId of [1, 2, 3, 4]) await callUntilDecided(server.url, "SetInv", { goodsId, num: 100_000 });
    let isOver = false;
    const buyers = Array.from({ length: 4 }, async () => {
      while (!isOver) await sold();
    });
    for (const store of [role, user]) {
      await store.write(PASSWORDS[1]!);
      await store.change(PASSWORDS[1]!);
      const [before] = [orders];
      await eventually(() => orders > before + 20, "orders go on");
    }
    await eventually(async () => await states(server) === "LOCK_NODE_STATE_UP", "all nodes are up");
    isOver = true;
    await Promise.all(buyers);
    // A look at the database that met the change says so until the next one.
    await eventually(() => isServing(server), "it is ready");
  });

  await t.step("taken back: health and the lock say who refuses, and it goes on when the files are right", async () => {
    await user.change(undefined);
    await eventually(async () => await states(server) === "LOCK_NODE_STATE_REFUSED", "the nodes refuse");
    assertEquals((await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] })).code, "unavailable");
    await role.change(PASSWORDS[2]!);
    await eventually(async () => !await isServing(server), "it is not ready");
    const saysWhy = (dependency: string, why: RegExp) =>
      said(server, "not ready").some((line) => {
        const text = JSON.stringify(line);
        return text.includes(`"dependency":"${dependency}"`) && why.test(text);
      });
    await eventually(() =>
      saysWhy("PostgreSQL", /PostgreSQL refuses the log-in \(28P01\)/) &&
      saysWhy("Redis quorum", /it refuses the log-in: WRONGPASS/), "the log says why");
    await user.change(PASSWORDS[2]!);
    await Promise.all([role.write(PASSWORDS[2]!), user.write(PASSWORDS[2]!)]);
    await eventually(() => isServing(server), "it serves again");
    await sold();
  });

  assertEquals(await checkLedger(database.ownerUrl), []);
  assertEquals([1, 2].map((worker) => said(server, "worker started", worker).length), [1, 1]);
  assertEquals(await server.stop(), 0);
  const { stdout, stderr } = server.output;
  for (const secret of PASSWORDS) assert(!(stdout + stderr).includes(secret), "a password was logged");
  await Deno.remove(dir, { recursive: true });
}

Deno.test({
  name: "under TLS to all stores passwords in files are replaced and taken back, and no process is restarted for it",
  // A container does not see the certificates.
  ignore: testEnvironment().redisProgram.kind === "docker",
  fn: rotated,
});
