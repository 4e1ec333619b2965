/**
 * `deno task faults [--minutes M | --seconds S] [--seed N] [--before COMMIT] [--only WORDS]`: brings the programs as
 * `deno task test` does, and runs the fault suite on servers of its own. Exits as the suite does.
 */
import { createLog } from "../src/telemetry/create_log.ts";
import { denoEnvironment } from "../src/process/child_environment.ts";
import { isForReader, message } from "./reader_errors.ts";
import { listenForStop } from "./stop_requests.ts";
import { permissions } from "./test/test_groups.ts";
import { startTestServers, type TestServers } from "./test/test_servers.ts";

const SUITE = "tests/faults/suite/main.ts";
/** For a file system of its own, which can be filled up, and for another version out of the history. */
const MORE_PROGRAMS = ["mount", "umount", "git", "tar", "ln"];
const EXIT_FAILED = 1;

async function main(): Promise<number> {
  const log = createLog("warn", "pretty");
  const requests = listenForStop();
  let servers: TestServers | undefined;
  try {
    servers = await startTestServers(log, 1);
    const [place] = servers.places;
    if (place === undefined || requests.isAsked()) return EXIT_FAILED;
    const access = { ...place.access, programs: [...place.access.programs, ...MORE_PROGRAMS] };
    const suite = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...permissions("servers", access), SUITE, ...Deno.args],
      env: { ...denoEnvironment(), ...place.env, NO_COLOR: "1" },
      clearEnv: true,
      stdin: "null",
    }).spawn();
    requests.first.then(() => suite.kill("SIGTERM")).catch(() => {});
    requests.second.then(() => suite.kill("SIGKILL")).catch(() => {});
    return (await suite.status).code;
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, `the fault suite could not run: ${message(error)}`);
    return EXIT_FAILED;
  } finally {
    await servers?.stop();
  }
}

if (import.meta.main) Deno.exit(await main());
