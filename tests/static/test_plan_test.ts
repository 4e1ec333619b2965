/** The plan of a whole run of the tests: no file is left out, and the way of concurrency is gone through where it matters. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { planTests, type TestJob } from "../../tools/test/test_groups.ts";

const WAYS = ["redlock", "row", "optimistic"];

function* testFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* testFiles(`${folder}/${name}`);
    else if (name.endsWith("_test.ts")) yield `${folder}/${name}`;
  }
}

function waysOf(jobs: readonly TestJob[], path: string): unknown[] {
  return jobs.filter(({ paths }) => paths.includes(path)).map(({ concurrency }) => concurrency);
}

Deno.test("every file of tests is run: once, or in all three ways", () => {
  const { jobs, flags } = planTests([]);
  assertEquals(flags, []);
  const files = [...testFiles("tests")].sort();
  assertEquals([...new Set(jobs.flatMap(({ paths }) => paths))].sort(), files);
  for (const file of files) {
    const ways = waysOf(jobs, file);
    const expected = ways.length === 1 ? [ways[0]] : WAYS;
    assertEquals(ways, expected, file);
  }
  assertEquals(waysOf(jobs, "tests/unit/decide_test.ts"), [undefined]);
  assertEquals(waysOf(jobs, "tests/faults/once_test.ts"), WAYS);
  assertEquals(waysOf(jobs, "tests/e2e/batch_test.ts"), ["redlock"]);
});

Deno.test("attacks go alone, and nothing else does", () => {
  const { jobs } = planTests([]);
  for (const { paths, isAlone } of jobs) assertEquals(isAlone, paths[0]?.startsWith("tests/attacks/"), paths[0]);
  assert(jobs.some(({ isAlone }) => isAlone));
});

Deno.test("paths choose what is run, once each; all else is handed on; a path that is no test's is refused", () => {
  const { jobs, flags } = planTests(["--", "tests/static", "tests/static/pages_test.ts", "--filter", "a name"]);
  assertEquals(jobs.map(({ group }) => group), ["static"]);
  assertEquals(jobs[0]?.paths.filter((path) => path.endsWith("pages_test.ts")).length, 1);
  assertEquals(flags, ["--filter", "a name"]);
  assertThrows(() => planTests(["src/store"]), Error, "src/store is in no directory of tests");
});
