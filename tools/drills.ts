/**
 * `deno task drills NAME [arguments]`: brings the programs that a drill needs, as `deno task test` does, and runs
 * `tests/drills/NAME/main.ts` on servers of its own. Exits as the drill does.
 */
import { EXIT_USAGE } from "../src/process/exit_codes.ts";
import { runOnTestServers } from "./on_test_servers.ts";
import { bringDrillPrograms, type DrillName, DRILLS } from "./test/client_programs.ts";

async function main(): Promise<number> {
  const [name, ...args] = Deno.args.filter((word) => word !== "--");
  if (name === undefined || !(name in DRILLS)) {
    console.error(`Usage: deno task drills ${Object.keys(DRILLS).join("|")} [arguments]`);
    return EXIT_USAGE;
  }
  return await runOnTestServers({
    name: "the drill",
    script: `tests/drills/${name}/main.ts`,
    args,
    bring: (log) => bringDrillPrograms(log, name as DrillName),
  });
}

if (import.meta.main) Deno.exit(await main());
