/**
 * `deno task test [-- paths and flags of deno test]`: starts servers of its own in a temporary directory, migrates one
 * template database, runs the tests, file by file and several at once, and stops everything. What each file says is
 * shown when it has ended. With `--no-check` types are not checked. The last line says `N passed, N failed`.
 *
 * Safe beside a running `up` and beside another `test`: nothing of it has a fixed place or port.
 */
import { refusedDenoVersion } from "../../src/process/deno_version.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { bringConsole } from "../console/build.ts";
import { bringClientPrograms, type ClientPrograms } from "./client_programs.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { isForReader, message } from "../reader_errors.ts";
import { moduleOf } from "./files_together.ts";
import { sideBySide } from "./side_by_side.ts";
import { listenForStop } from "../stop_requests.ts";
import { needsPrograms, needsServers, permissions, planTests, type TestJob } from "./test_groups.ts";
import { checkTypes, failuresOf, NO_CHECK, runTests, type TestEnd, type TestRun } from "./test_run.ts";
import { startTestServers, type TestServers } from "./test_servers.ts";

const INTERRUPTED_EXIT_CODE = 130;
/**
 * More than there are cores, as most tests wait for most of their time; but no more than servers fit in small machines.
 */
const PLACES = Math.min(navigator.hardwareConcurrency + 4, 8);

async function main(): Promise<number> {
  const log = createLog("info", "pretty");
  const startedMs = performance.now();
  const running = new Set<TestRun>();
  const requests = listenForStop();
  requests.first.then(() => running.forEach((run) => run.stop()));
  // What still runs then is found and stopped by the next run.
  requests.second.then(() => Deno.exit(INTERRUPTED_EXIT_CODE));

  const total = { passed: 0, failed: 0 };
  const failures: { readonly name: string; readonly words: string }[] = [];
  const ended = async (name: string, run: TestRun): Promise<TestEnd> => {
    running.add(run);
    const end = await run.done;
    running.delete(run);
    total.passed += end.passed;
    total.failed += end.failed;
    if (end.failed > 0) failures.push({ name: `${name}: ${end.failed}`, words: failuresOf(end.output) });
    return end;
  };
  const brokeDown = (words: string, error: unknown) => {
    log.error(isForReader(error) ? {} : { error }, `${words}: ${message(error)}`);
    total.failed++;
  };

  let starting: Promise<TestServers> | undefined;
  let bringing: Promise<ClientPrograms> | undefined;
  try {
    const refusal = refusedDenoVersion(Deno.version.deno);
    if (refusal !== undefined) throw new Error(refusal);
    const { jobs, flags, typed } = planTests(Deno.args.filter((arg) => arg !== NO_CHECK));
    if (jobs.length === 0) throw new Error("there is no test in these directories");
    const places = Math.min(PLACES, jobs.length);
    // The servers of the tests read the page at their start.
    const building = jobs.some(({ group }) => needsServers(group)) ? bringConsole(log) : undefined;
    if (building !== undefined) starting = startTestServers(log, places);
    // Beside the tests that need none of them, and behind what apt has to bring for the servers.
    const groups = jobs.map(({ group }) => group).filter(needsPrograms);
    if (groups.length > 0) bringing = starting?.then(() => bringClientPrograms(log, groups));
    // Whoever needs them hears of it when they could not be started or brought.
    starting?.catch(() => {});
    bringing?.catch(() => {});
    const checking = Deno.args.includes(NO_CHECK) ? undefined : ended("types", checkTypes(typed));
    await sideBySide(jobs, places, async (job, place) => {
      const servers = needsServers(job.group) ? (await starting)?.places[place] : undefined;
      await building;
      const clients = needsPrograms(job.group) ? await bringing : undefined;
      if (requests.isAsked()) return;
      const access = servers && { ...servers.access, programs: [...servers.access.programs, ...clients?.paths ?? []] };
      await using tests = await testModules(job.paths, flags);
      const args = [...permissions(job.group, access), ...flags, ...tests.paths];
      show(job, await ended(nameOf(job), runTests(args, { ...servers?.env, ...clients?.env }, !job.isHeavy)), log);
    }, requests.isAsked);
    const types = await checking;
    if (types !== undefined && types.failed > 0) log.error({}, `the types are wrong:\n${types.output}`);
  } catch (error) {
    brokeDown("the tests could not run", error);
  }
  try {
    await (await starting?.catch(() => undefined))?.stop();
  } catch (error) {
    brokeDown("the servers of the tests could not be stopped", error);
  }
  // Again, as whoever sees only the end of a long output has to learn what failed.
  for (const { name, words } of failures) log.error({}, `${name}\n${words}`);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  log.info({ seconds, failures: failures.map(({ name }) => name) }, "the tests have ended");
  console.log(`${total.passed} passed, ${total.failed} failed`);
  if (requests.isAsked()) return INTERRUPTED_EXIT_CODE;
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/**
 * What is handed to `deno test`: one module for several files, which is removed at the end of the block. With flags of
 * `deno test`, which may name tests, it is the files themselves.
 */
async function testModules(
  paths: readonly string[],
  flags: readonly string[],
): Promise<{ readonly paths: readonly string[] } & AsyncDisposable> {
  if (paths.length === 1 || flags.length > 0) return { paths, [Symbol.asyncDispose]: () => Promise.resolve() };
  const path = await Deno.makeTempFile({ prefix: "holdfast-tests-", suffix: ".ts" });
  await Deno.writeTextFile(path, moduleOf(paths));
  return { paths: [path], [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Whole, so that what files say at the same time stays apart. */
function show(job: TestJob, { passed, failed, output, ms }: TestEnd, log: Log): void {
  log.info({}, `${nameOf(job)}: ${passed} passed, ${failed} failed in ${(ms / 1000).toFixed(1)} s`);
  let rest = new TextEncoder().encode(output);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

function nameOf({ group, paths }: TestJob): string {
  return paths.length === 1 ? `${paths[0]}` : `${paths.length} files of group ${group}`;
}

if (import.meta.main) Deno.exit(await main());
