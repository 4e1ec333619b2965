/** One worker's process: its lines, and its end where it does not end by itself. */
import { assertEquals } from "@std/assert";
import { startWorker } from "../../src/workers/worker_process.ts";
import { eventually } from "../support/holding.ts";

const STUBBORN = new URL("../support/stubborn.ts", import.meta.url).pathname;

Deno.test("a worker that does not drain is killed after its time; its lines arrive whole, the last one too", async () => {
  const lines: string[] = [];
  const worker = startWorker({
    args: ["run", "--no-prompt", STUBBORN],
    env: {},
    onLine: (line) => lines.push(line),
  });
  await eventually("it runs", () => lines.length === 2);
  worker.terminate(100);
  const { code, signal } = await worker.ended;
  assertEquals([code, signal], [137, "SIGKILL"]);
  assertEquals(lines, ["first line", "second line", "no endnot yet"]);
  worker.kill();
});
