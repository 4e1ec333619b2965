/** The checker of the fault suite judges the program, so it must not share its mistakes. */
import { assert, assertEquals } from "@std/assert";
import { reachedBy, sourceFiles, specifiersOf } from "../support/source_files.ts";

const CHECKER = "tests/faults/suite/checker/";

/** Files that may be shared with those who write histories: types, and what a Connect answer says. */
const SHARED = ["tests/faults/suite/history.ts"];

Deno.test("whatever the checker reaches is its own, the history, or the driver of PostgreSQL", () => {
  const reached = reachedBy(`${CHECKER}check.ts`);
  assertEquals([...reached].filter((file) => !file.startsWith(CHECKER) && !SHARED.includes(file)), []);
  const packages = [...reached].flatMap(specifiersOf).filter((specifier) => !specifier.startsWith("."));
  assertEquals([...new Set(packages)], ["postgres"]);
  for (const file of sourceFiles(CHECKER)) assert(reached.has(file), `${file} is part of no check`);
});
