/** The bench stands on the service, and never the other way round; and it may do no more than its task says. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

async function* sources(folder: URL): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory && entry.name !== "gen") yield* sources(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder).pathname.slice(ROOT.pathname.length);
  }
}

Deno.test("nothing of src imports from bench, nor what only the bench needs", async () => {
  for await (const file of sources(new URL("src/", ROOT))) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert(!/from\s+"(?:[^"]*\/bench\/|echarts)/.test(text), `${file} imports from bench`);
  }
});

Deno.test("bench: files are snake_case, named after their one idea, and have 300 lines at most", async () => {
  for await (const file of sources(new URL("bench/", ROOT))) {
    assert(/^[a-z0-9_/]+\.ts$/.test(file), `${file}: file names are snake_case`);
    assert(!/(^|\/)(index|utils?|helpers?|misc|common)\.ts$/.test(file), `${file}: name it after its one idea`);
    const lines = (await Deno.readTextFile(new URL(file, ROOT))).split("\n").length;
    assert(lines <= 300, `${file} has ${lines} lines; is it still one idea?`);
  }
});

Deno.test("the bench task grants its permissions by name, and talks to this machine only", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const flags = (tasks.bench as string).split(" ").filter((word) => word.startsWith("-"));
  // What must not be in the task, no grant of this program.
  assertEquals(flags.filter((flag) => /^(-A|--allow-all|--allow-net|--allow-sys|--allow-ffi)$/.test(flag)), []);
  assert(flags.includes("--allow-net=127.0.0.1") && flags.includes("--no-prompt"));
});
