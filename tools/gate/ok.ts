/**
 * `deno task ok`: all that must pass before a change lands, and all that CI runs. Static checks, a short bench that is
 * about correctness only, then the tests. Each part runs whatever came of those before, so that one run shows
 * everything.
 *
 * The last line says `N passed, N failed`: tests, and each other part that failed as one. The exit code is 0 only where
 * nothing failed.
 */
import { NO_CHECK } from "../test/test_run.ts";
import { EXIT_INTERRUPTED, listenForStop, type StopRequests } from "../stop_requests.ts";

/**
 * The tasks, by the names in deno.json; the tests are the last. Types are checked by the first, so that the tests need
 * not do it again.
 */
const PARTS = [["static"], ["bench", "--smoke"], ["test", NO_CHECK]] as const;
const COUNTS = /^(\d+) passed, (\d+) failed$/;

async function main(): Promise<number> {
  const requests = listenForStop();
  const failed: string[] = [];
  let lastLine = "";
  for (const [task, ...args] of PARTS) {
    const end = await runTask([task, ...args], requests);
    if (requests.isAsked()) return EXIT_INTERRUPTED;
    if (!end.success) failed.push(task);
    lastLine = end.lastLine;
  }
  const [, passed = "0", failures = "0"] = COUNTS.exec(lastLine) ?? [];
  const others = failed.filter((task) => task !== "test" || failures === "0");
  console.log(failed.length === 0 ? "ok" : `failed: ${failed.join(", ")}`);
  console.log(`${passed} passed, ${Number(failures) + others.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

/** Runs a task and hands on what it says; a request to stop is handed on to it, and it ends by itself. */
async function runTask(
  words: readonly string[],
  requests: StopRequests,
): Promise<{ readonly success: boolean; readonly lastLine: string }> {
  const child = new Deno.Command(Deno.execPath(), { args: ["task", ...words], stdin: "null", stdout: "piped" }).spawn();
  let running = true;
  requests.first.then(() => running && child.kill("SIGTERM"));
  const decoder = new TextDecoder();
  let end = "";
  for await (const part of child.stdout) {
    for (let rest = part; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
    end = (end + decoder.decode(part, { stream: true })).slice(-1000);
  }
  const { success } = await child.status;
  running = false;
  return { success, lastLine: end.trimEnd().split("\n").at(-1) ?? "" };
}

if (import.meta.main) Deno.exit(await main());
