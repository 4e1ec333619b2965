/** The plan of a whole run of the tests: no file is left out, and each is run once. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { sourceFiles } from "../support/source_files.ts";
import { planTests } from "../../tools/test/test_groups.ts";

Deno.test("every file of tests is run once, and what takes long early", () => {
  const { jobs, flags } = planTests([]);
  assertEquals(flags, []);
  const paths = jobs.flatMap(({ paths }) => paths);
  assertEquals(paths.toSorted(), sourceFiles("tests/").filter((path) => path.endsWith("_test.ts")));
  const started = (path: string) => paths.indexOf(path);
  assert(started("tests/e2e/open_files_test.ts") < started("tests/faults/two_processes_test.ts"));
  assert(started("tests/integration/up_test.ts") < started("tests/integration/admin_port_test.ts"));
  assert(started("tests/browser/frame_test.ts") < started("tests/integration/up_test.ts"));
});

Deno.test("attacks are heavy, and nothing else is", () => {
  const { jobs } = planTests([]);
  for (const { paths, isHeavy } of jobs) assertEquals(isHeavy, paths[0]?.startsWith("tests/attacks/"), paths[0]);
  assert(jobs.some(({ isHeavy }) => isHeavy));
});

Deno.test("all tests have all types checked, in the words of the static checks; some of them have their own", () => {
  const [everything, some] = [["src", "tests", "bench", "tools"], ["tests/static/pages_test.ts"]];
  assertEquals(planTests([]).typed, everything);
  assertEquals(planTests(["tests", ...some]).typed, everything);
  assertEquals(planTests(some).typed, some);
});

Deno.test("paths choose what is run, once each; all else is handed on; a path that is no test's is refused", () => {
  const { jobs, flags } = planTests(["--", "tests/static", "tests/static/pages_test.ts", "--filter", "a name"]);
  assertEquals(jobs.map(({ group }) => group), ["static"]);
  assertEquals(jobs[0]?.paths.filter((path) => path.endsWith("pages_test.ts")).length, 1);
  assertEquals(flags, ["--filter", "a name"]);
  assertEquals(planTests(["tests/browser/frame_test.ts"]).jobs.map(({ group }) => group), ["browser"]);
  assertThrows(() => planTests(["src/store"]), Error, "src/store is in no directory of tests");
  assertThrows(() => planTests(["tests/unit/no_test.ts"]), Error, "tests/unit/no_test.ts is not there");
});
