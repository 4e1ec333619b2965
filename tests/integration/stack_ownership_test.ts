/**
 * What the users who run PostgreSQL and Redis can do to a launcher that is root: nothing. Whatever they plant, root's
 * files stay as they are and no process of root's is ended.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { startPostgres } from "../../tools/stack/postgres.ts";
import { processFacts } from "../../src/process/facts.ts";
import { findRecords, stopStrays } from "../../tools/stack/process_record.ts";
import { startRedisNode } from "../../tools/stack/redis.ts";
import { lockDirectory } from "../../tools/stack/stack_lock.ts";
import { databaseUser, redisUser, type SystemUser } from "../../tools/stack/system_user.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { makeOpenDirectory } from "../support/open_directory.ts";

const log = createLog("error", "pretty");
const NOT_ROOT = "runs as root only: there is no second user otherwise";
const SECRET = "a file of root's\n";

/** A test that takes root, and is reported as left out otherwise. */
function rootTest(name: string, run: (user: SystemUser) => Promise<void>): void {
  const user = databaseUser();
  if (user === undefined) console.log(`${name}: ${NOT_ROOT}`);
  Deno.test({ name, ignore: user === undefined, fn: () => run(user!) });
}

rootTest("only the data belongs to PostgreSQL's user, and it can't add to what is ours", async (user) => {
  const dir = await makeOpenDirectory();
  const database = await startPostgres({ dir, log, fsync: false });
  await database.stop("fast");
  const modes = async (path: string) => {
    const { uid, mode } = await Deno.lstat(path);
    return [uid, (mode ?? 0) & 0o777];
  };
  assertEquals(await modes(dir), [0, 0o711]);
  assertEquals(await modes(join(dir, "data")), [user.uid, 0o700]);
  assertEquals(await modes(join(dir, "private")), [0, 0o700]);
  const names = Array.from(Deno.readDirSync(dir), ({ name }) => name).sort();
  assertEquals(names, ["data", "private"], "a password or a half-made directory is left");
  for (const path of ["postgres.log", "postgres.process.json", "port", "private/port", "private/owner_password"]) {
    assert(!await as(user, `echo x > ${join(dir, path)}`), `it could write ${path}`);
  }
  assert(!await as(user, `cat ${join(dir, "private/owner_password")}`), "it read a password");
  assert(await as(user, `cat ${join(dir, "data/PG_VERSION")}`), "it can't reach its own data");
});

rootTest(
  "links and records that PostgreSQL's user planted in a directory of an earlier version do nothing",
  async (user) => {
    const dir = await makeOpenDirectory();
    const before = await startPostgres({ dir, log, fsync: false });
    const url = before.ownerUrl("postgres");
    await before.stop("fast");
    // As earlier versions left it: all of it PostgreSQL's user's, the passwords beside the data.
    for (const name of ["owner_password", "server_password", "port"]) {
      await Deno.rename(join(dir, "private", name), join(dir, name));
    }
    await Deno.remove(join(dir, "private"), { recursive: true });
    await Deno.chown(dir, user.uid, user.gid);
    const secret = join(await Deno.makeTempDir(), "secret");
    await Deno.writeTextFile(secret, SECRET);
    const bystander = sleeper();
    const { startedAt } = processFacts(bystander.pid)!;
    const record = JSON.stringify({ name: "postgres", pid: bystander.pid, startedAt, mark: "eval" });
    assert(
      await as(
        user,
        `cd ${dir}; rm port; ln -s ${secret} port; ln -s ${secret} postgres.log
       echo '${record}' > postgres.process.json; cp postgres.process.json redis.process.json`,
      ),
      "nothing could be planted",
    );
    try {
      const database = await startPostgres({ dir, log, fsync: false });
      // Its data and passwords go on working.
      assertEquals(new URL(database.ownerUrl("postgres")).password, new URL(url).password);
      await database.createDatabase("works");
      await database.stop("fast");
      assertEquals(await Deno.readTextFile(secret), SECRET);
      assert(processFacts(bystander.pid) !== undefined, "a stranger was ended");
      assertEquals((await Deno.lstat(dir)).uid, 0);
    } finally {
      bystander.kill("SIGKILL");
      await bystander.status;
    }
  },
);

rootTest("a true record of a living process ends it only where nobody else can have written it", async (user) => {
  const dir = await makeOpenDirectory();
  const planted = join(dir, "planted");
  await Deno.mkdir(planted);
  const bystander = sleeper();
  const { startedAt } = processFacts(bystander.pid)!;
  const record = JSON.stringify({ name: "redis", pid: bystander.pid, startedAt, mark: "eval" });
  const path = join(planted, "redis.process.json");
  await Deno.writeTextFile(path, record);
  const spared = async (why: string) => {
    assertEquals(await stopStrays(dir), [], why);
    assert(processFacts(bystander.pid) !== undefined, `ended: ${why}`);
  };
  await Deno.chown(planted, user.uid, user.gid);
  await spared("the directory is another user's");
  await Deno.chown(planted, 0, 0);
  await Deno.chown(path, user.uid, user.gid);
  await spared("the record is another user's");
  await Deno.chown(path, 0, 0);
  await Deno.chmod(planted, 0o777);
  await spared("everybody may write in the directory");
  await Deno.chmod(planted, 0o755);
  // The control: where it can only be ours it counts. This process may signal none but its children, so it says so.
  await assertRejects(() => stopStrays(dir), Deno.errors.NotCapable);
  bystander.kill("SIGKILL");
  await bystander.status;
});

rootTest("a directory of another user is not taken, and nothing in it is written", async (user) => {
  const dir = await makeOpenDirectory();
  const secret = join(await Deno.makeTempDir(), "secret");
  await Deno.writeTextFile(secret, SECRET);
  await Deno.chown(dir, user.uid, user.gid);
  assert(await as(user, `ln -s ${secret} ${join(dir, "launcher.lock")}`));
  const error = await assertRejects(() => lockDirectory(dir, log), Error);
  assert(error.message.includes(`${dir} belongs to user ${user.uid}`), error.message);
  assertEquals(await Deno.readTextFile(secret), SECRET);
});

rootTest("nobody else can take the lock of a launcher", async (user) => {
  const dir = await makeOpenDirectory();
  const lock = await lockDirectory(dir, log);
  lock.close();
  // As earlier versions left it.
  await Deno.chmod(join(dir, "launcher.lock"), 0o644);
  using _again = await lockDirectory(dir, log);
  assert(!await as(user, `exec 9< ${join(dir, "launcher.lock")}`), "another user opened it, and so could lock it");
});

rootTest("Redis runs as a user of its own, and its password is on no command line and in no environment", async () => {
  const dir = await makeOpenDirectory();
  const node = await startRedisNode({ dir, log, program: testEnvironment().redisProgram });
  try {
    const { password } = new URL(node.url);
    assertEquals(password.length, 48);
    const seen = await output("cat", `/proc/${node.pid}/cmdline`, `/proc/${node.pid}/environ`);
    assert(seen.includes("redis-server") && !seen.includes(password), seen);
    const status = await output("cat", `/proc/${node.pid}/status`);
    assertEquals(/^Uid:\t(\d+)/m.exec(status)?.[1], String(redisUser()!.uid));
    assert(!await as(redisUser()!, `cat ${join(dir, "password")}`), "its user read the file");
  } finally {
    await node.stop();
  }
  assertEquals(await findRecords(dir), []);
});

/** A process that does nothing. */
function sleeper(): Deno.ChildProcess {
  const code = "await new Promise(() => setTimeout(() => {}, 180000))";
  return new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
}

/** Whether every command of `script` succeeds as that user. */
async function as(user: SystemUser, script: string): Promise<boolean> {
  // That user may not be allowed into our own directory.
  const options = { args: ["-ec", script], cwd: "/", uid: user.uid, gid: user.gid };
  return (await new Deno.Command("sh", options).output()).success;
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}
