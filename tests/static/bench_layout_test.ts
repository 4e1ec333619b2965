/** The bench stands on the service, which knows nothing of it; and it may do no more than its task says. */
import { assert, assertEquals } from "@std/assert";
import { sourceFiles, sourceText, specifiersOf } from "../support/source_files.ts";

Deno.test("nothing of src imports from bench, nor what only the bench needs", () => {
  for (const file of sourceFiles("src/")) {
    const wrong = specifiersOf(file).filter((specifier) => /\/bench\/|^echarts/.test(specifier));
    assertEquals(wrong, [], file);
  }
});

Deno.test("the bench task grants its permissions by name, and talks to this machine only", () => {
  const { tasks } = JSON.parse(sourceText("deno.json"));
  const flags = (tasks.bench as string).split(" ").filter((word) => word.startsWith("-"));
  // These are what the task must not have: whoever has one may do anything, or talk to and ask anybody.
  assertEquals(flags.filter((flag) => /^(-A|--allow-all|--allow-net|--allow-sys|--allow-ffi)$/.test(flag)), []);
  assert(flags.includes("--allow-net=127.0.0.1") && flags.includes("--no-prompt"));
});
