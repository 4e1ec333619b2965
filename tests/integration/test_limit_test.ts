/**
 * Tests of the limit that every test has: of its own, as `deno test` runs here with it, and of a run of hanging ones;
 * and of files that share a module.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { moduleOf } from "../../tools/test/files_together.ts";
import { count } from "../../tools/test/test_run.ts";

const LIMIT_MS = 500;
/** Far longer than the run takes, and how it is known that nothing ended it. */
const RUN_MS_MAX = 60_000;

const HANGING = `
Deno.test("before", () => {});
Deno.test("waits for ever", async () => { await new Promise((resolve) => setTimeout(resolve, 3_600_000)); });
Deno.test({ name: "in a step", fn: async (t) => { await t.step("s", () => new Promise((r) => setTimeout(r, 3_600_000))); } });
Deno.test("never awaits anything that takes time", async () => { for (;;) await null; });
Deno.test("never leaves the loop", () => { for (;;); });
Deno.test({ timeout: 200 }, async function ofItsOwn() { await new Promise((resolve) => setTimeout(resolve, 3_600_000)); });
Deno.test.ignore("ignored", () => { for (;;); });
Deno.test("behind them", () => {});
`;

Deno.test("a test that hangs or spins fails by its name, and those behind it and in other files run", async () => {
  const dir = await Deno.makeTempDir();
  const preload = `${dir}/preload.ts`;
  const limit = fileURLToPath(new URL("../../tools/test/test_limit.ts", import.meta.url));
  await Deno.writeTextFile(
    preload,
    `import { limited } from "file://${limit}";\n` +
      `Deno.test = Object.assign(limited(Deno.test, ${LIMIT_MS}), Deno.test);\n`,
  );
  await Deno.writeTextFile(`${dir}/a_test.ts`, HANGING);
  await Deno.writeTextFile(`${dir}/b_test.ts`, `Deno.test("of another file", () => {});\n`);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "--no-config", `--preload=${preload}`, `${dir}/a_test.ts`, `${dir}/b_test.ts`],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const words = new TextDecoder().decode(stdout);
  assertEquals(endsOf(words), {
    "before": "ok",
    "waits for ever": "FAILED",
    "in a step": "FAILED",
    "never awaits anything that takes time": "FAILED",
    "never leaves the loop": "FAILED",
    "ofItsOwn": "FAILED",
    "ignored": "ignored",
    "behind them": "ok",
    "of another file": "ok",
  }, words);
  assertEquals(words.match(new RegExp(`Test timed out after ${LIMIT_MS}ms`, "g"))?.length, 4);
  assertEquals(words.match(/Test timed out after 200ms/g)?.length, 1);
  assertEquals(count(words, success), { passed: 3, failed: 5 });
});

Deno.test("files of one module are run by their names, and one that can't be loaded is a failure beside them", async () => {
  const dir = await Deno.makeTempDir();
  const preload = fileURLToPath(new URL("../../tools/test/test_preload.ts", import.meta.url));
  const texts = {
    a: `Deno.test("first", () => {}); Deno.test(function second() {});`,
    missing: `import "./nowhere.ts"; Deno.test("never", () => {});`,
    throwing: `Deno.test("registered before", () => {}); throw new Error("at its start");`,
    b: `Deno.test("last", () => {});`,
  };
  const paths = Object.keys(texts).map((name) => `${dir}/${name}_test.ts`);
  for (const [i, text] of Object.values(texts).entries()) await Deno.writeTextFile(paths[i]!, text);
  await Deno.writeTextFile(`${dir}/all.ts`, moduleOf(paths));
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "--no-config", `--preload=${preload}`, `${dir}/all.ts`],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const words = new TextDecoder().decode(stdout);
  const [a, missing, throwing, b] = paths;
  assertEquals(endsOf(words), {
    [`${a}: first`]: "ok",
    [`${a}: second`]: "ok",
    [`${missing}: the file is loaded`]: "FAILED",
    [`${throwing}: registered before`]: "ok",
    [`${throwing}: the file is loaded`]: "FAILED",
    [`${b}: last`]: "ok",
  }, words);
  assertEquals(count(words, success), { passed: 4, failed: 2 });
});

Deno.test("this very run has the limit", () => {
  assertMatch(Deno.test.toString(), /timeout: msMax/);
});

/** How each test ended, by its name. */
function endsOf(words: string): Record<string, string> {
  const lines = words.matchAll(/^([/\w][^\n]*?) \.\.\. (ok|FAILED|ignored) \(/gm);
  return Object.fromEntries([...lines].map(([, name, end]) => [name!, end!]));
}
