/** One worker's process: its lines, its group, and its end where it does not end by itself. */
import { assert, assertEquals } from "@std/assert";
import { settled } from "../../src/base/bounded_wait.ts";
import { startWorker, type WorkerProcess } from "../../src/workers/worker_process.ts";
import { eventually } from "../support/eventually.ts";

const STUBBORN = new URL("../support/stubborn.ts", import.meta.url).pathname;
const END_MS_MAX = 10_000;

Deno.test("a worker that does not drain is killed after its time; its lines arrive whole, the last one too", async () => {
  await withStubborn(async (worker, lines) => {
    // In which it hears of it, on a busy machine.
    worker.terminate(2000);
    assert(await settled(worker.ended, END_MS_MAX), "it still runs");
    const { code, signal } = await worker.ended;
    assertEquals([code, signal], [137, "SIGKILL"]);
    assertEquals(lines, ["first line", "second line", "no end"]);
    // What comes late finds nobody.
    worker.kill();
  });
});

Deno.test({
  name: "Ctrl-C in a terminal does not reach a worker: it is in no group but its own",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withStubborn(async ({ pid }) => {
      const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/stat`] }).output();
      // After the name in parentheses: state, parent, group.
      const group = new TextDecoder().decode(stdout).split(") ").at(-1)?.split(" ")[2];
      assertEquals(group, String(pid));
    });
  },
});

async function withStubborn(run: (worker: WorkerProcess, lines: string[]) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  const args = ["run", "--no-prompt", STUBBORN];
  const worker = startWorker({ args, env: {}, onLine: (line) => lines.push(line) });
  try {
    await eventually(() => lines.length === 2, "it runs");
    await run(worker, lines);
  } finally {
    worker.kill();
    await worker.ended;
  }
}
