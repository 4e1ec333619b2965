/**
 * What stands in front of glibc's malloc in servers, by each way to start them. Most of it is tried with a library of
 * glibc's own that nothing else brings in, as jemalloc need not be here.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { testEnvironment } from "../support/env.ts";
import { commandLine, descendants } from "../support/processes.ts";
import { serverTest } from "../support/server.ts";
import { pidOf } from "../support/workers.ts";

const JEMALLOC = "libjemalloc.so.2";
const OTHER = "libanl.so.1";
/** Deno lets no test set LD_PRELOAD. */
const WITH_OTHER = `env LD_PRELOAD=${OTHER}`;
const ALLOCATOR = new URL("../../src/process/allocator.ts", import.meta.url).href;
/** The loaders of macOS and Windows do not read LD_PRELOAD. */
const onLinux = (name: string, fn: (test: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: Deno.build.os !== "linux", fn });

onLinux("a library can be preloaded that the loader finds, and none that is not there or is no library", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const noLibrary = join(dir, "no_library.so");
    await Deno.writeTextFile(noLibrary, "no library");
    assertEquals(await canPreload(OTHER, "libnowhere.so.9", noLibrary), [true, false, false]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

onLinux("LD_PRELOAD stays what it is set to, be it nothing; else it is jemalloc where Deno runs with it", async () => {
  const print = ["run", "--no-prompt", "--allow-run", "--allow-env=LD_PRELOAD", "src/process/print_allocator.ts"];
  assertEquals(await printed(`LD_PRELOAD=${OTHER}`, print), `${OTHER}\n`);
  assertEquals(await printed("LD_PRELOAD=", print), "\n");
  assertEquals(await printed("-u LD_PRELOAD", print), (await canPreload(JEMALLOC))[0] ? `${JEMALLOC}\n` : "\n");
});

serverTest("the servers of tests are on what the task would have them be on", {}, async ({ pid }) => {
  const { allocator } = testEnvironment();
  assertEquals(await has(pid, JEMALLOC), allocator.includes(JEMALLOC));
}, onLinux);

for (const line of ["bin/holdfast", '"$DENO" task start']) {
  serverTest(
    `${line}: the server is on jemalloc where that is installed, and where it is not nothing complains`,
    { line: `env -u LD_PRELOAD ${line}` },
    async ({ pid, output }) => {
      assertEquals([await has(serverOf(pid), JEMALLOC)], await canPreload(JEMALLOC));
      assert(!output.stderr.includes("ld.so"), output.stderr);
    },
    onLinux,
  );
  serverTest(`${line}: LD_PRELOAD stays what it is set to`, { line: `${WITH_OTHER} ${line}` }, async ({ pid }) => {
    assertEquals(await Promise.all([OTHER, JEMALLOC].map((it) => has(serverOf(pid), it))), [true, false]);
  }, onLinux);
}

serverTest(
  "workers of bin/holdfast are on what their supervisor is on, and may run nothing",
  { line: `${WITH_OTHER} bin/holdfast`, env: { WORKERS: "2" } },
  async (server) => {
    assert(await has(serverOf(server.pid), OTHER));
    for (const worker of [1, 2]) {
      const pid = pidOf(server, worker);
      assert(await has(pid, OTHER), `worker ${worker}`);
      assert(!commandLine(pid)!.includes("--allow-run"), commandLine(pid));
    }
  },
  onLinux,
);

serverTest(
  "workers of a supervisor that may run nothing but Deno start without what it is on",
  { line: `${WITH_OTHER} "$DENO" task start:workers`, env: { WORKERS: "2" } },
  async (server) => {
    assert(await has(serverOf(server.pid), OTHER));
    for (const worker of [1, 2]) assert(!await has(pidOf(server, worker), OTHER), `worker ${worker}`);
  },
  onLinux,
);

/** The server, or the supervisor, that a process has become or has started. */
function serverOf(pid: number): number {
  const found = [pid, ...descendants(pid)].find((each) => /src\/(main|supervisor)\.ts$/.test(commandLine(each) ?? ""));
  assert(found !== undefined, `${pid} has no server`);
  return found;
}

/** Whether a library is in a process's memory. */
async function has(pid: number, library: string): Promise<boolean> {
  const { success, stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/maps`] }).output();
  assert(success, `/proc/${pid}/maps can't be read`);
  return new TextDecoder().decode(stdout).includes(`/${library}`);
}

/** Whether each can be, by a Deno that may try: tests may run some programs, and so not set LD_PRELOAD. */
async function canPreload(...libraries: string[]): Promise<boolean[]> {
  const script = `import { canPreload } from "${ALLOCATOR}";
    console.log(JSON.stringify(${JSON.stringify(libraries)}.map(canPreload)));`;
  return JSON.parse(await printed("-u LD_PRELOAD", ["eval", script]));
}

/** What Deno prints on these words, with this in its environment, and with nothing to complain of. */
async function printed(setting: string, words: readonly string[]): Promise<string> {
  const args = ["-c", `exec env ${setting} "$@"`, "sh", Deno.execPath(), ...words];
  const { stdout, stderr } = await new Deno.Command("sh", { args, stdin: "null" }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}
