/**
 * The tests in groups by what they may do. Unit tests may do nothing, which proves that what they test is pure; tests
 * of the repository itself may read it; the rest starts servers and talks to them, and where the way of concurrency can
 * make a difference it is run in all three.
 */
import { join, relative, resolve } from "node:path";
import { CONCURRENCIES, type Concurrency } from "../lanes/way.ts";
import { importsOf } from "./imports.ts";

/** One `deno test` invocation: `paths` hold at least one test file. */
export interface TestGroup {
  readonly name: "unit" | "static" | "servers";
  readonly paths: readonly string[];
  /** The way in which these tests go; undefined where they know of none. */
  readonly concurrency?: Concurrency;
}

/** What a test file reaches by its imports if the way of concurrency can make a difference to it. */
const WAY_FILE = "tests/support/concurrency.ts";
/** What is tested there is the wire, whatever the way; or all ways at once. */
const WAYLESS_ROOTS = [
  "tests/e2e",
  "tests/integration/up_test.ts",
  "tests/attacks",
  "tests/faults/suite_test.ts",
  "tests/faults/arms_test.ts",
];
const TEST_FILE = /(^|_|\.)test\.(ts|tsx|js|mjs)$/;

const ROOTS: Record<TestGroup["name"], readonly string[]> = {
  unit: ["tests/unit"],
  static: ["tests/static"],
  servers: ["tests/integration", "tests/e2e", "tests/attacks", "tests/faults"],
};

/**
 * Sorts the arguments after `deno task test`: paths go to the group whose directory they are in, everything else is
 * passed to each invocation. Without paths every group runs.
 *
 * @throws Error for a path outside the test directories
 */
export function planTests(args: readonly string[]): { groups: TestGroup[]; flags: string[] } {
  const given = args[0] === "--" ? args.slice(1) : args;
  const asked = given.filter((arg) => !arg.startsWith("-") && exists(arg)).map((arg) => relative(".", resolve(arg)));
  const flags = given.filter((arg) => arg.startsWith("-") || !exists(arg));
  const names = Object.keys(ROOTS) as TestGroup["name"][];
  const stray = asked.find((path) => path !== "tests" && groupOf(path) === undefined);
  if (stray !== undefined) {
    throw new Error(`${stray} is in no directory of tests: give paths in ${Object.values(ROOTS).flat().join(", ")}`);
  }
  const groups = names.map((name) => {
    const all = asked.length === 0 || asked.includes("tests");
    const paths = all ? ROOTS[name] : asked.filter((path) => groupOf(path) === name);
    return { name, paths: paths.filter(holdsTests) };
  });
  return { groups: groups.flatMap(inEveryWay).filter((group) => group.paths.length > 0), flags };
}

/** The tests of servers, and again in each other way those that reach the way. */
function inEveryWay(group: TestGroup): TestGroup[] {
  if (group.name !== "servers") return [group];
  const [first, ...others] = CONCURRENCIES;
  const paths = group.paths.flatMap(testFiles)
    .filter((path) => !WAYLESS_ROOTS.some((root) => path.startsWith(root)) && importsOf(path).has(resolve(WAY_FILE)));
  return [{ ...group, concurrency: first }, ...others.map((concurrency) => ({ ...group, paths, concurrency }))];
}

/** What the tests that start servers are told and allowed; see tests/support/env.ts for the variables. */
export interface ServerTestAccess {
  /** Full paths of the programs that they may run. */
  readonly programs: readonly string[];
  /** The only directory that they may write to. */
  readonly temporaryDir: string;
}

/** Loopback addresses that tests may attack a server from. */
const ATTACKER_ADDRESSES = ["127.0.0.9", "127.0.0.10", "127.0.0.11"];

/** The permission flags of a group. */
export function permissions(name: TestGroup["name"], access: ServerTestAccess | undefined): string[] {
  if (name === "unit" || access === undefined) return name === "static" ? ["--allow-read=.", "--ignore-env"] : [];
  return [
    // Beside the address of everybody else those of attackers, who must be somebody else.
    `--allow-net=${["127.0.0.1", "localhost", "[::1]", ...ATTACKER_ADDRESSES].join(",")}`,
    // Whole, because a server's data must be reachable by another user, which is judged from every directory above it.
    "--allow-read",
    `--allow-write=${access.temporaryDir}`,
    `--allow-run=${access.programs.join(",")}`,
    // Whole, because client libraries of others list the environment.
    "--allow-env",
    "--allow-sys=hostname,uid,gid,networkInterfaces,osRelease,homedir,cpus,systemMemoryInfo",
  ];
}

function groupOf(path: string): TestGroup["name"] | undefined {
  const names = Object.keys(ROOTS) as TestGroup["name"][];
  return names.find((name) => ROOTS[name].some((root) => path === root || path.startsWith(`${root}/`)));
}

function holdsTests(path: string): boolean {
  return exists(path) && testFiles(path).length > 0;
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
