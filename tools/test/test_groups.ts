/**
 * The tests in groups by what they may do, and in invocations of `deno test` that run side by side. Unit tests may do
 * nothing, which proves that what they test is pure; tests of the repository itself may read it; the rest starts
 * servers and talks to them. What needs clients and proxies of others, or a browser, are groups of their own.
 */
import { join, relative, resolve } from "node:path";
import { codeDirectories } from "../gate/code_directories.ts";

/** What tests may do; see {@link permissions}. */
export type TestGroup = "unit" | "static" | "servers" | "clients" | "browser";

/** One `deno test` invocation: `paths` are test files, at least one. */
export interface TestJob {
  readonly group: TestGroup;
  readonly paths: readonly string[];
  /** What they measure would be off with others beside them: those get of the processors what these leave. */
  readonly isHeavy: boolean;
}

/** A good caller's waits are measured there, with all that the machine has taken by the attack. */
const HEAVY_ROOTS = ["tests/attacks"];
/** What takes longest, the longest first: begun late it would be what is waited for in the end. */
const LONG_FILES = [
  "tests/e2e/open_files_test.ts",
  "tests/faults/arms_test.ts",
  "tests/drills/failover_test.ts",
  "tests/faults/suite_test.ts",
  "tests/faults/worker_loss_test.ts",
  "tests/faults/postgres_restart_test.ts",
  "tests/e2e/clients_test.ts",
  "tests/integration/lanes_test.ts",
  "tests/integration/lanes_ends_test.ts",
  "tests/integration/up_test.ts",
  "tests/integration/silent_link_test.ts",
  "tests/integration/lock_stall_test.ts",
  "tests/integration/lock_nodes_test.ts",
  "tests/e2e/transport_robustness_test.ts",
  "tests/faults/stalled_commit_test.ts",
  "tests/faults/two_processes_test.ts",
];
const TEST_FILE = /(^|_|\.)test\.(ts|tsx|js|mjs)$/;

/** Directories of tests in the sequence in which they are begun, those of {@link LONG_FILES} first in each. */
const SEQUENCE: readonly { readonly group: TestGroup; readonly roots: readonly string[] }[] = [
  { group: "unit", roots: ["tests/unit"] },
  { group: "static", roots: ["tests/static"] },
  // Programs of others are brought in meanwhile.
  { group: "servers", roots: ["tests/drills", "tests/faults", "tests/e2e", "tests/attacks"] },
  // Before the rest, as an invocation of them takes twice as long as others do: at the end it was waited for alone.
  { group: "browser", roots: ["tests/browser"] },
  { group: "clients", roots: ["tests/clients"] },
  { group: "servers", roots: ["tests/integration"] },
];
/**
 * So many files of these groups share an invocation, and what they import is loaded once, as is the browser of those
 * that have one: 3 s of CPU. The others wait for most of their time, or have one each in {@link LONG_FILES}.
 */
const FILES_TOGETHER: Record<TestGroup, number> = { unit: 60, static: 24, servers: 12, browser: 5, clients: 3 };

/** Whether tests of this group talk to servers. */
export function needsServers(group: TestGroup): boolean {
  return group === "servers" || needsPrograms(group);
}

/** Whether tests of this group run programs of others. */
export function needsPrograms(group: TestGroup): group is "clients" | "browser" {
  return group === "clients" || group === "browser";
}

/** What a run consists of. */
export interface TestPlan {
  readonly jobs: readonly TestJob[];
  /** For each `deno test`. */
  readonly flags: readonly string[];
  /**
   * Files and directories whose types are checked. For all tests it is what `deno task static` checks, in the same
   * words: Deno knows what it has checked by these, and behind that task it took 0.1 s of CPU in place of 19.
   */
  readonly typed: readonly string[];
}

/**
 * Sorts the arguments after `deno task test`: paths become invocations of the group whose directory they are in,
 * everything else is passed to each invocation. Without paths everything runs.
 *
 * @throws Error for a path outside the test directories, and for one below `tests/` that is not there
 */
export function planTests(args: readonly string[]): TestPlan {
  const given = args[0] === "--" ? args.slice(1) : args;
  const asked = given.filter((arg) => !arg.startsWith("-") && exists(arg)).map((arg) => relative(".", resolve(arg)));
  const flags = given.filter((arg) => arg.startsWith("-") || !exists(arg));
  const gone = flags.find((arg) => arg.startsWith("tests/"));
  if (gone !== undefined) throw new Error(`${gone} is not there`);
  const stray = asked.find((path) => path !== "tests" && groupOf(path) === undefined);
  if (stray !== undefined) {
    throw new Error(
      `${stray} is in no directory of tests: give paths in ${SEQUENCE.flatMap(({ roots }) => roots).join(", ")}`,
    );
  }
  const all = asked.length === 0 || asked.includes("tests");
  const jobs = SEQUENCE.flatMap(({ group, roots }) => {
    const paths = all ? roots.filter(exists) : asked.filter((path) => isIn(path, roots));
    const found = new Set(paths.flatMap(testFiles));
    const long = LONG_FILES.filter((path) => found.delete(path)).map((path) => [path]);
    const [heavy, others] = [[...found].filter(isHeavy), [...found].filter((path) => !isHeavy(path))];
    const together = [others, heavy].flatMap((files) => chunks(files, FILES_TOGETHER[group]));
    return [...long, ...together].map((paths) => ({ group, paths, isHeavy: paths.some(isHeavy) }));
  });
  return { jobs, flags, typed: all ? codeDirectories() : jobs.flatMap(({ paths }) => paths) };
}

function isHeavy(path: string): boolean {
  return HEAVY_ROOTS.some((root) => path.startsWith(root));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** What the tests that start servers are given and allowed; see tests/support/env.ts for the variables. */
export interface ServerTestAccess {
  /** Full paths of the programs that they may run. */
  readonly programs: readonly string[];
  /** The only directory that they may write to. */
  readonly temporaryDir: string;
}

/** Pictures of pages are kept there. */
const PICTURES_DIR = "dist/pictures";

/** Loopback addresses that tests may attack a server from. */
const ATTACKER_ADDRESSES = ["127.0.0.9", "127.0.0.10", "127.0.0.11"];

/** The permission flags of a group. */
export function permissions(group: TestGroup, access: ServerTestAccess | undefined): string[] {
  if (group === "unit" || access === undefined) return group === "static" ? ["--allow-read=.", "--ignore-env"] : [];
  return [
    // Beside the address of everybody else those of attackers, who must be somebody else.
    `--allow-net=${["127.0.0.1", "localhost", "[::1]", ...ATTACKER_ADDRESSES].join(",")}`,
    // Whole, because a server's data must be reachable by another user, which is judged from every directory above it.
    "--allow-read",
    `--allow-write=${access.temporaryDir}${group === "browser" ? `,${PICTURES_DIR}` : ""}`,
    `--allow-run=${access.programs.join(",")}`,
    // Whole, because client libraries of others list the environment.
    "--allow-env",
    "--allow-sys=hostname,uid,gid,networkInterfaces,osRelease,homedir,cpus,systemMemoryInfo",
  ];
}

function groupOf(path: string): TestGroup | undefined {
  return SEQUENCE.find(({ roots }) => isIn(path, roots))?.group;
}

function isIn(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(`${root}/`));
}

/** The test files in a directory, or the file itself. */
function testFiles(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return Array.from(Deno.readDirSync(path)).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory) return testFiles(inner);
    return TEST_FILE.test(entry.name) ? [inner] : [];
  });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
