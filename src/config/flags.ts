/** The flags that our processes are started with: what each needs, one by one and no wider. */
import { type AdminAddress, workerAdmin } from "./admin_address.ts";
import type { Config } from "./config.ts";
import { CONSOLE_DIR } from "./console_dir.ts";
import { SETTING_NAMES } from "./settings.ts";
import { listenPermission, neededPermissions, permissionFlags } from "./permissions.ts";

/**
 * V8's flags of a server. What calls throw away is collected while it is young, at four times the size that V8 lets
 * that part have: with many callers a call takes 4 to 8 % less CPU time, and the process up to 120 MiB more. And at
 * that size from the start: else V8 makes it small again under a load of another kind.
 *
 * Nor does V8 make its memory small while there are no calls for 8 s, or few: behind that, calls took 1.3 to 2 times
 * the CPU time for more than a second (a `Sell` 130, 91, 76 and 90 us in four times 400 ms, in place of 78, 50, 54 and
 * 44), as pages have to be had, and code compiled, anew. So a process that rests keeps what it had under load: 302 MiB
 * where 139 were left.
 */
export const SERVER_V8_FLAGS = [
  "--max-semi-space-size=64",
  "--min-semi-space-size=64",
  "--no-memory-reducer",
] as const;

/**
 * The flags for `deno run`, to stand before `src/main.ts`, or before `src/worker.ts` and its arguments. The console is
 * permitted beside what is needed: without it the server says so and starts.
 */
export function serverFlags(config: Config): string[] {
  const needed = neededPermissions(config);
  return [
    "--no-prompt",
    ...permissionFlags({ ...needed, read: [...needed.read, ...config.console ? [CONSOLE_DIR] : []] }),
    "--allow-sys=hostname",
    `--allow-env=${SETTING_NAMES.join(",")}`,
    // Libraries that look through the whole environment then see the named variables only, and do not fail.
    "--ignore-env",
    `--v8-flags=${SERVER_V8_FLAGS.join(",")}`,
  ];
}

/**
 * The flags for `deno run`, to stand before `src/gatherer.ts`: it may listen at the admin port and ask those of the
 * workers, and nothing else.
 */
export function gathererFlags(admin: AdminAddress, workers: number): string[] {
  const ports = [admin, ...Array.from({ length: workers }, (_, i) => workerAdmin(admin, i + 1)!)];
  const net = [...new Set(ports.map(listenPermission))];
  return ["--no-prompt", `--allow-net=${net.join(",")}`, "--allow-sys=hostname", "--ignore-env"];
}

/** What a supervisor is started with beside the settings. */
export interface SupervisorNeeds {
  /** The path of the `deno` that it runs. */
  readonly deno: string;
  /** Those that settings stand in. */
  readonly files?: readonly string[];
  /** What LD_PRELOAD is: "" for nothing. */
  readonly preloaded?: string;
}

/**
 * The flags for `deno run`, to stand before `src/supervisor.ts`: it may run the program `deno`, given by its path, and
 * read the settings, `files` among them. It talks to nobody.
 *
 * With a library in front that workers are to have as well, it may run any program: to nobody else does Deno let a
 * program hand LD_PRELOAD on. It can do no more by that, as whoever may run `deno` can have that run anything.
 */
export function supervisorFlags({ deno, files = [], preloaded = "" }: SupervisorNeeds): string[] {
  return [
    "--no-prompt",
    preloaded === "" ? `--allow-run=${deno}` : "--allow-run",
    ...permissionFlags({ net: [], read: files, write: [] }),
    "--allow-sys=hostname",
    `--allow-env=${SETTING_NAMES.join(",")}`,
    "--ignore-env",
  ];
}
