/**
 * `deno task faults [--minutes M | --seconds S] [--seed N] [--before COMMIT] [--only WORDS]`: brings the programs as
 * `deno task test` does, and runs the fault suite on servers of its own. Exits as the suite does.
 */
import { runOnTestServers } from "./on_test_servers.ts";

/** For a file system of its own, which can be filled up, and for another version out of the history. */
const MORE_PROGRAMS = ["mount", "umount", "git", "tar", "ln"];

if (import.meta.main) {
  Deno.exit(
    await runOnTestServers({
      name: "the fault suite",
      script: "tests/faults/suite/main.ts",
      args: Deno.args,
      bring: () => Promise.resolve({ paths: MORE_PROGRAMS, env: {} }),
    }),
  );
}
