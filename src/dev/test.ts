/**
 * `deno task test [-- paths and flags of deno test]`: starts servers of its own in a temporary directory, migrates one
 * template database, runs the tests, and stops everything. The last line says `N passed, N failed`.
 *
 * Safe beside a running `up` and beside another `test`: nothing of it has a fixed place or port.
 */
import { createLog } from "../telemetry/create_log.ts";
import { bringClientPrograms, type ClientPrograms } from "./client_programs.ts";
import { isForReader, message } from "./reader_errors.ts";
import { listenForStop } from "./stop_requests.ts";
import { permissions, planTests } from "./test_groups.ts";
import { type Counts, runTests, type TestRun } from "./test_run.ts";
import { startTestServers, type TestServers } from "./test_servers.ts";

const INTERRUPTED_EXIT_CODE = 130;

async function main(): Promise<number> {
  const log = createLog("info", "pretty");
  let servers: TestServers | undefined;
  let running: TestRun | undefined;
  let bringing: Promise<ClientPrograms> | undefined;
  const requests = listenForStop();
  requests.first.then(() => running?.stop());
  // What still runs then is found and stopped by the next run.
  requests.second.then(() => Deno.exit(INTERRUPTED_EXIT_CODE));

  const total = { passed: 0, failed: 0 };
  try {
    const { groups, flags } = planTests(Deno.args);
    for (const group of groups) {
      const needsServers = group.name === "servers" || group.name === "clients";
      if (needsServers && !requests.isAsked()) servers ??= await startTestServers(log);
      // Beside the tests of servers, which need none of them.
      if (needsServers && groups.some(({ name }) => name === "clients")) bringing ??= bringClientPrograms(log);
      const clients = group.name === "clients" ? await bringing : undefined;
      if (requests.isAsked()) break;
      const { name, paths, concurrency } = group;
      log.info({ paths, concurrency }, `running the tests of group ${name}`);
      const way = concurrency === undefined ? {} : { TEST_CONCURRENCY: concurrency };
      const access = servers && { ...servers.access, programs: [...servers.access.programs, ...clients?.paths ?? []] };
      running = runTests([...permissions(name, access), ...flags, ...paths], {
        ...servers?.env,
        ...clients?.env,
        ...way,
      });
      add(total, await running.done);
    }
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, `the tests could not run: ${message(error)}`);
    add(total, { passed: 0, failed: 1 });
  }
  try {
    await servers?.stop();
  } catch (error) {
    log.error({ error }, "the servers of the tests could not be stopped");
    add(total, { passed: 0, failed: 1 });
  }
  // A test that was interrupted has left its line open.
  if (requests.isAsked()) console.log();
  console.log(`${total.passed} passed, ${total.failed} failed`);
  if (requests.isAsked()) return INTERRUPTED_EXIT_CODE;
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

function add(total: { passed: number; failed: number }, counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
}

if (import.meta.main) Deno.exit(await main());
