/** The checker of the fault suite judges the program, so it must not share its mistakes. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const CHECKER = "tests/faults/suite/checker/";

/** Files that may be shared with those who write histories: types, and what a Connect answer says. */
const SHARED = ["tests/faults/suite/history.ts"];

async function imports(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(file, ROOT));
  return [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm)]
    .map((match) => match[1] ?? match[2] ?? "");
}

Deno.test("whatever the checker reaches is its own, the history, or the driver of PostgreSQL", async () => {
  const reached = new Set([`${CHECKER}check.ts`]);
  const packages = new Set<string>();
  for (const file of reached) {
    for (const specifier of await imports(file)) {
      if (specifier.startsWith(".")) {
        reached.add(new URL(specifier, new URL(file, ROOT)).pathname.slice(ROOT.pathname.length));
      } else packages.add(specifier);
    }
  }
  assertEquals([...reached].filter((file) => !file.startsWith(CHECKER) && !SHARED.includes(file)), []);
  assertEquals([...packages], ["postgres"]);
  for await (const { name } of Deno.readDir(new URL(CHECKER, ROOT))) {
    assert(reached.has(`${CHECKER}${name}`), `${name} is part of no check`);
  }
});

Deno.test("the fault suite: files are snake_case, named after their one idea, and have 300 lines at most", async () => {
  for await (const file of sources("tests/faults/suite/")) {
    assert(/^[a-z0-9_/]+\.ts$/.test(file), `${file}: file names are snake_case`);
    assert(!/(^|\/)(index|utils?|helpers?|misc|common)\.ts$/.test(file), `${file}: name it after its one idea`);
    const lines = (await Deno.readTextFile(new URL(file, ROOT))).split("\n").length;
    assert(lines <= 300, `${file} has ${lines} lines; is it still one idea?`);
  }
});

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}
