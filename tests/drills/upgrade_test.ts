/**
 * docs/upgrade.md: its blocks of shell, run as they stand there, from the last release to this version and back, while
 * servers of both sell. Replaced are paths; what starts and stops servers is the test.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { until } from "../../src/base/bounded_wait.ts";
import { lastRelease } from "../../tools/gate/last_release.ts";
import { createTestDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { stepsOf, walk } from "../support/page_walk.ts";
import { post, startServer, type TestServer } from "../support/server.ts";
import { sourceText } from "../support/source_files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUN_MS_MAX = 60_000;
/** Only a hang reaches it. */
const READY_MS_MAX = 60_000;
const CALLERS = 3;
/** Orders of each caller in each part. */
const ORDERS = 10;
/** Migrations that one version comes with, at most. */
const STEPS_MAX = 9;
const STOCK = 1_000_000;
const GOODS_ID = 7;

const COMMIT = await lastRelease(ROOT);

Deno.test({
  name: "docs/upgrade.md leads from the last release to this version and back, while both sell",
  // A shallow clone has no release to come from.
  ignore: COMMIT === undefined,
  fn: upgradeAndBack,
});

async function upgradeAndBack(t: Deno.TestContext): Promise<void> {
  await using database = await createTestDatabase({ empty: true });
  const dir = await Deno.makeTempDir();
  const [look, up, down] = stepsOf(sourceText("docs/upgrade.md"));
  assert(down !== undefined, "blocks of shell of docs/upgrade.md");
  const run = async (step: typeof down) =>
    await walk([step], {
      change: (shell) => shell.replaceAll("/opt/holdfast-next", ROOT).replaceAll(/^export .*$/gm, ":"),
      env: {
        PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
        DATABASE_OWNER_URL: database.ownerUrl,
        DATABASE_URL: database.serverUrl,
      },
      msMax: RUN_MS_MAX,
    });
  const release = await releaseIn(dir);
  await makeSchema(database, join(fileURLToPath(release), "migrations"));
  const startOld = () => startServer({ database, root: release });
  const sold: string[] = [];

  await using next = await startServer({ database, healthy: false });
  {
    await using old = await startOld();
    await t.step("this version is not ready on the schema of the release, and says why; that one sells", async () => {
      await call(old, "SetInv", { goodsId: GOODS_ID, num: STOCK });
      await sellMany([old], "before", sold);
      const isSaid = async () =>
        (await readiness(next)).text.includes("the schema is missing, or older than this version");
      assert(await until(isSaid, READY_MS_MAX), (await readiness(next)).text);
      assertEquals((await readiness(next)).status, 503);
      await run(look!);
    });

    await t.step("the schema comes while the release sells, and then both sell", async () => {
      await Promise.all([sellMany([old], "under way", sold), run(up!)]);
      assert(await until(async () => (await readiness(next)).status === 200, READY_MS_MAX), next.output.stderr);
      await sellMany([old, next], "both", sold);
      await old.stop();
      await sellMany([next], "forward", sold);
    });
  }

  await t.step("the release comes back on the new schema", async () => {
    await using old = await startOld();
    await sellMany([next, old], "both again", sold);
    await call(next, "SetInv", { goodsId: GOODS_ID + 1, num: 5, locationId: 3 });
    await next.stop();
    await sellMany([old], "back", sold);
    // Sent again they are answered, and sold no second time.
    for (const orderId of sold.slice(-ORDERS)) await sell(old, orderId);
    const { num } = await call(old, "InvDetail", { goodsId: GOODS_ID });
    assertEquals(num, STOCK - sold.length);
    const { message } = await assertRejects(async () => {
      // Step by step, each of which the release runs on.
      for (let step = 1; step <= STEPS_MAX; step++) {
        await run(down);
        await sellMany([old], `back by ${step}`, sold);
      }
    }, Error);
    assert(
      message.includes("the version before has no words for what is on record: stock at other locations"),
      message,
    );
    await old.stop();
  });

  await t.step("and the ledger is whole", async () => {
    await run(up!);
    assertEquals(await checkLedger(database.ownerUrl), []);
  });
  await Deno.remove(dir, { recursive: true });
}

/** The files of the last release, with the libraries of this checkout. */
async function releaseIn(dir: string): Promise<URL> {
  const root = join(dir, "release");
  const script = `mkdir "$1" && git archive "$2" | tar -x -C "$1" && ln -s "$PWD/node_modules" "$1/node_modules"`;
  const command = new Deno.Command("sh", { args: ["-euc", script, "sh", root, COMMIT!], cwd: ROOT });
  const { success, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return pathToFileURL(`${root}/`);
}

/** The schema as those migrations make it; not by the release's own program, which would set everybody's role. */
async function makeSchema({ ownerUrl }: TestDatabase, migrations: string): Promise<void> {
  await using owner = ownerOf(ownerUrl);
  await owner.sql`create table schema_migrations (version varchar(128) primary key)`;
  const files = [...Deno.readDirSync(migrations)].map(({ name }) => name).sort();
  for (const file of files) {
    const text = await Deno.readTextFile(join(migrations, file));
    const up = text.slice(text.indexOf("-- migrate:up"), text.indexOf("-- migrate:down"));
    await owner.sql.begin((sql) => sql.unsafe(up));
    await owner.sql`insert into schema_migrations values (${file.split("_")[0]!})`;
  }
}

/** What its admin port says of it; it says its address a moment after it listens. */
async function readiness({ adminUrl }: TestServer): Promise<{ readonly status: number; readonly text: string }> {
  if (adminUrl === "") return { status: 0, text: "" };
  const response = await fetch(`${adminUrl}/readyz`);
  return { status: response.status, text: await response.text() };
}

async function call(server: TestServer, method: string, message: unknown): Promise<Record<string, unknown>> {
  const { status, body } = await post(`${server.url}/inventory.v1.InventoryService/${method}`, message);
  assertEquals(status, 200, JSON.stringify(body));
  return body;
}

async function sell(server: TestServer, orderId: string): Promise<Record<string, unknown>> {
  return await call(server, "Sell", { orderId, goodsInfo: [{ goodsId: GOODS_ID, num: 1 }] });
}

/** Several callers, one order after the other each, from one server to the next. */
async function sellMany(servers: readonly TestServer[], name: string, sold: string[]): Promise<void> {
  await Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
    for (let n = 0; n < ORDERS; n++) {
      const orderId = `${name.replaceAll(" ", "-")}-${caller}-${n}`;
      await sell(servers[(caller + n) % servers.length]!, orderId);
      sold.push(orderId);
    }
  }));
}
