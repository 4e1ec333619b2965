/**
 * `deno task drills NAME [arguments]`: brings the programs that a drill needs, as `deno task test` does, and runs
 * `tests/drills/NAME/main.ts` on servers of its own. Exits as the drill does.
 */
import { createLog } from "../src/telemetry/create_log.ts";
import { denoEnvironment } from "../src/process/child_environment.ts";
import { isForReader, message } from "./reader_errors.ts";
import { listenForStop } from "./stop_requests.ts";
import { bringDrillPrograms, type DrillName, DRILLS } from "./test/client_programs.ts";
import { permissions } from "./test/test_groups.ts";
import { startTestServers, type TestServers } from "./test/test_servers.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function main(): Promise<number> {
  const [name, ...args] = Deno.args.filter((word) => word !== "--");
  if (name === undefined || !(name in DRILLS)) {
    console.error(`Usage: deno task drills ${Object.keys(DRILLS).join("|")} [arguments]`);
    return EXIT_USAGE;
  }
  const log = createLog("warn", "pretty");
  const requests = listenForStop();
  let servers: TestServers | undefined;
  try {
    servers = await startTestServers(log, 1);
    const [place] = servers.places;
    if (place === undefined || requests.isAsked()) return EXIT_FAILED;
    const brought = await bringDrillPrograms(log, name as DrillName);
    const access = { ...place.access, programs: [...place.access.programs, ...brought.paths] };
    const drill = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...permissions("servers", access), `tests/drills/${name}/main.ts`, ...args],
      env: { ...denoEnvironment(), ...place.env, ...brought.env, NO_COLOR: "1" },
      clearEnv: true,
      stdin: "null",
    }).spawn();
    requests.first.then(() => drill.kill("SIGTERM")).catch(() => {});
    requests.second.then(() => drill.kill("SIGKILL")).catch(() => {});
    return (await drill.status).code;
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, `the drill could not run: ${message(error)}`);
    return EXIT_FAILED;
  } finally {
    await servers?.stop();
  }
}

if (import.meta.main) Deno.exit(await main());
