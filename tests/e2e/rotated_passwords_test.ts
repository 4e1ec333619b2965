/**
 * Passwords that stand in files, of a service with workers as people start it: replaced while callers buy, and taken
 * back. Nothing is lost, nobody restarts anything, and the log says which store refuses whom, but no password.
 */
import { assert, assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { processFacts } from "../../src/process/facts.ts";
import { LOCK_RULES } from "../../tools/stack/redis_users.ts";
import { call, callUntilDecided, health } from "../support/callers.ts";
import { eventually } from "../support/contention.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { newRole } from "../support/own_role.ts";
import { runServer, startServer, type TestServer } from "../support/server.ts";
import { pidOf, said } from "../support/workers.ts";

const PASSWORDS = ["first-s3cret", "second-s3cret", "third-s3cret"];
const USER = "rotated";
const STATUS_PATH = "/inventory.v1.LockService/Status";

/** A user of the run's nodes, whose addresses stand in a file. `await using` removes it. */
function newUser(dir: string) {
  const urls = testEnvironment().redisUrls;
  const nodes = urls.map((url) => new Redis(url));
  const file = `${dir}/nodes`;
  return {
    file,
    /** Takes this password from now on, and nobody is logged in any more; undefined: it is let in no more. */
    async change(password: string | undefined) {
      const rules = password === undefined ? ["off"] : ["reset", "on", `>${password}`, ...LOCK_RULES];
      await Promise.all(nodes.map((node) => node.call("acl", "setuser", USER, ...rules)));
      await Promise.all(nodes.map((node) => node.call("client", "kill", "user", USER)));
    },
    async write(password: string) {
      const own = urls.map((url) => Object.assign(new URL(url), { username: USER, password }).href);
      await Deno.writeTextFile(file, own.join(","));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.call("acl", "deluser", USER)));
      for (const node of nodes) node.disconnect();
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

Deno.test("passwords in files are replaced and taken back while callers buy, and no process is restarted for it", async (t) => {
  await using database = await createTestDatabase();
  await using role = await newRole(database);
  const dir = await Deno.makeTempDir();
  await using user = await newUser(dir);
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
      WORKERS: "2",
    },
  });

  await t.step("the supervisor and its workers may read these files and no others", () => {
    const files = `${role.file},${user.file}`;
    const granted = (pid: number) =>
      processFacts(pid)!.commandLine.split(" ").find((word) => word.startsWith("--allow-read="));
    assertEquals(granted(server.pid), `--allow-read=${files}`);
    for (const worker of [1, 2]) assertEquals(granted(pidOf(server, worker)), `--allow-read=/dev/null,${files}`);
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
      await eventually("orders go on", () => orders > before + 20);
    }
    await eventually("all nodes are up", async () => await states(server) === "LOCK_NODE_STATE_UP");
    isOver = true;
    await Promise.all(buyers);
    assert(await isServing(server));
  });

  await t.step("taken back: health and the lock say who refuses, and it goes on when the files are right", async () => {
    await user.change(undefined);
    await eventually("the nodes refuse", async () => await states(server) === "LOCK_NODE_STATE_REFUSED");
    assertEquals((await call(server.url, "Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] })).code, "unavailable");
    await role.change(PASSWORDS[2]!);
    await eventually("it is not ready", async () => !await isServing(server));
    const saysWhy = (dependency: string, why: RegExp) =>
      said(server, "not ready").some((line) => {
        const text = JSON.stringify(line);
        return text.includes(`"dependency":"${dependency}"`) && why.test(text);
      });
    await eventually("the log says why", () =>
      saysWhy("PostgreSQL", /PostgreSQL refuses the log-in \(28P01\)/) &&
      saysWhy("Redis quorum", /it refuses the log-in: WRONGPASS/));
    await user.change(PASSWORDS[2]!);
    await Promise.all([role.write(PASSWORDS[2]!), user.write(PASSWORDS[2]!)]);
    await eventually("it serves again", () => isServing(server));
    await sold();
  });

  assertEquals(await checkLedger(database.ownerUrl), []);
  assertEquals([1, 2].map((worker) => said(server, "worker started", worker).length), [1, 1]);
  assertEquals(await server.stop(), 0);
  const { stdout, stderr } = server.output;
  for (const secret of PASSWORDS) assert(!(stdout + stderr).includes(secret), "a password was logged");
  await Deno.remove(dir, { recursive: true });
});
