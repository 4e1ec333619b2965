/** Runs one program of the tests on servers of its own, as `deno task test` runs its files. */
import { denoEnvironment } from "../src/process/child_environment.ts";
import { createLog } from "../src/telemetry/create_log.ts";
import type { Log } from "../src/telemetry/log.ts";
import { EXIT_FAILED } from "../src/process/exit_codes.ts";
import { isForReader, message } from "./reader_errors.ts";
import { listenForStop } from "./stop_requests.ts";
import { permissions } from "./test/test_groups.ts";
import { startTestServers, type TestServers } from "./test/test_servers.ts";

/** What is run. */
export interface TestProgram {
  /** What it is called where it could not run. */
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Programs that it may run beside those of all tests, and what has to be in its environment for them. */
  readonly bring: (log: Log) => Promise<{ readonly paths: readonly string[]; readonly env: Record<string, string> }>;
}

/** Answers its exit code; 1 where it could not run. The first request to stop asks it to end, the second ends it. */
export async function runOnTestServers({ name, script, args, bring }: TestProgram): Promise<number> {
  const log = createLog("warn", "pretty");
  const requests = listenForStop();
  let servers: TestServers | undefined;
  try {
    servers = await startTestServers(log, 1);
    const [place] = servers.places;
    if (place === undefined || requests.isAsked()) return EXIT_FAILED;
    const brought = await bring(log);
    const access = { ...place.access, programs: [...place.access.programs, ...brought.paths] };
    const program = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...permissions("servers", access), script, ...args],
      env: { ...denoEnvironment(), ...place.env, ...brought.env, NO_COLOR: "1" },
      clearEnv: true,
      stdin: "null",
    }).spawn();
    requests.first.then(() => program.kill("SIGTERM")).catch(() => {});
    requests.second.then(() => program.kill("SIGKILL")).catch(() => {});
    return (await program.status).code;
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, `${name} could not run: ${message(error)}`);
    return EXIT_FAILED;
  } finally {
    await servers?.stop();
  }
}
