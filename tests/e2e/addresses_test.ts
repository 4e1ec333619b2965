/**
 * Addresses as people write them, through the documented commands to start: what works, and what is refused by name.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { migrate } from "../../src/migrate/main.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { post, runServer, startServer, taskFlags } from "../support/server.ts";
import { startProxy } from "../support/tcp_proxy.ts";

const EXIT_UNUSABLE = 78;
const SECRET = "Zebra";

Deno.test("[::1] is an address to listen on, of PostgreSQL and of Redis, for the service and for migrate", async () => {
  await using database = await createTestDatabase();
  const portOf = (url: string) => Number(/:(\d+)(\/|$)/.exec(url.split("@").at(-1) ?? "")?.[1]);
  await using toPostgres = startProxy(portOf(database.serverUrl), {}, "::1");
  const through = (url: string) => url.replace(/@[^/]+/, `@[::1]:${toPostgres.port}`);
  const [first = "", ...others] = testEnvironment().redisUrls;
  await using toRedis = startProxy(portOf(first), {}, "::1");
  const REDIS_URLS = [first.replace(/@.*/, `@[::1]:${toRedis.port}`), ...others].join(",");
  await using server = await startServer({
    database,
    env: { HOST: "[::1]", DATABASE_URL: through(database.serverUrl), REDIS_URLS, CONCURRENCY: "redlock" },
  });
  assert(/^http:\/\/\[::1\]:\d+$/.test(server.url), server.url);
  const { body } = await post(`${server.url}/inventory.v1.LockService/Status`, {});
  assertStringIncludes(JSON.stringify(body), `"[::1]:${toRedis.port}"`);

  const owner = parsePostgresAddress(through(database.ownerUrl));
  const log = createLog("error", "pretty");
  assert(/Applied: [1-9]/.test(await migrate({ owner, server: owner, direction: "status", log })));
});

/** One wrong value for each kind of address and list. */
const WRONG = {
  HOST: "127.0.0.1:8080",
  DATABASE_URL: `postgres://u:p${SECRET}#w@127.0.0.1/d?statement_timeout=5`,
  REDIS_URLS: `redis://:p@${SECRET}#w@127.0.0.1:6379,redis://b,redis://c`,
  CORS_ORIGINS: "https://a.example,,https://b.example",
  ALLOWED_HOSTS: `http://u:${SECRET}@stock.example`,
};
/** Values that can be read, and can't be used. */
const UNUSABLE = "postgres://u@127.0.0.1/d?sslmode=verify-full&sslrootcert=/dev/null";

for (const workers of [undefined, 2]) {
  const task = workers === undefined ? "start" : "start:workers";

  Deno.test(`${task} names every address and list that it can't take, repeats none, and exits with 78`, async () => {
    const { code, stdout, stderr } = await runServer({ env: WRONG, ...(workers === undefined ? {} : { workers }) });
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""], stderr);
    for (const name of Object.keys(WRONG)) assertStringIncludes(stderr, `\n  ${name}: `);
    assert(!stderr.includes(SECRET) && !/ {4}at /.test(stderr), stderr);
  });

  Deno.test(`${task} neither starts nor hangs where a file of an address can't be used`, async () => {
    const env = { DATABASE_URL: UNUSABLE, CONCURRENCY: "row" };
    const { code, stdout, stderr } = await runServer({ env, ...(workers === undefined ? {} : { workers }) });
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""], stderr);
    assertStringIncludes(stderr, "DATABASE_URL: sslrootcert: is no regular file, expected a file");
  });
}

Deno.test("migrate names what it can't take, repeats nothing, and exits with 78", async () => {
  const rows: [env: Record<string, string>, wanted: string[]][] = [
    [{}, ["DATABASE_OWNER_URL: expected, such as postgres://"]],
    [
      { DATABASE_URL: `postgres://u:${SECRET}%@h/d`, DATABASE_OWNER_URL: `postgres://${SECRET}@h/d?sslmode=maybe` },
      ["DATABASE_URL: the password has a %", "DATABASE_OWNER_URL: sslmode: expected"],
    ],
    [{ DATABASE_URL: UNUSABLE }, ["DATABASE_OWNER_URL (or DATABASE_URL): sslrootcert: is no regular file"]],
  ];
  for (const [env, wanted] of rows) {
    const run = new Deno.Command(Deno.execPath(), {
      args: ["run", ...await taskFlags("migrate"), "src/migrate/main.ts"],
      env: { NO_COLOR: "1", DATABASE_URL: "", DATABASE_OWNER_URL: "", ...env },
      stdin: "null",
    });
    const { code, stderr } = await run.output();
    const said = new TextDecoder().decode(stderr);
    assertEquals(code, EXIT_UNUSABLE, said);
    for (const text of wanted) assertStringIncludes(said, text);
    assert(!said.includes(SECRET) && !/ {4}at /.test(said), said);
  }
});

Deno.test("migrate names a word that it does not know, beside those that it does", async () => {
  const args = ["run", ...await taskFlags("migrate"), "src/migrate/main.ts", "sideways"];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  const said = new TextDecoder().decode(stderr);
  assertEquals([code, said.split("\n")[0]], [2, "expected one of up, down, status, got sideways"]);
});

Deno.test("what is set and changes nothing is said in the log of the start", async () => {
  await using server = await startServer({
    env: { CONCURRENCY: "row", QUORUM_LOSS: "row", ALLOWED_HOSTS: "127.0.0.1" },
  });
  for (const text of ["QUORUM_LOSS changes nothing: CONCURRENCY is row", "ALLOWED_HOSTS: entry 1 changes nothing"]) {
    assertStringIncludes(server.output.stderr, text);
  }
});
