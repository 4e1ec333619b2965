/** The process that sums up metrics, as the supervisor keeps it running; its lines and ends are the test's. */
import { assertEquals } from "@std/assert";
import { EXIT_FAILED, EXIT_UNUSABLE } from "../../src/process/exit_codes.ts";
import { adminLine } from "../../src/process/listen_line.ts";
import { Gatherer, workerLine } from "../../src/workers/gatherer.ts";
import { SILENT } from "../support/silent_log.ts";

const LONG_MS = 60_000;

/** A gatherer whose starts are listed; those of these numbers, counted from 1, fail. */
function gathererOf(startMsMax: number, failing: readonly number[] = []) {
  const starts: {
    readonly say: (line: string) => void;
    readonly end: (code: number) => void;
    readonly written: string[];
  }[] = [];
  const more: (() => void)[] = [];
  let tries = 0;
  const gatherer = new Gatherer({
    startMsMax,
    log: SILENT,
    random: () => 0,
    start(say) {
      if (failing.includes(++tries)) throw new Error("EAGAIN");
      const { promise: ended, resolve } = Promise.withResolvers<Deno.CommandStatus>();
      const end = (code: number) => resolve({ success: code === 0, code, signal: null });
      const written: string[] = [];
      starts.push({ say, end, written });
      more.splice(0).forEach((resolve) => resolve());
      const write = (line: string) => void written.push(line);
      return { pid: starts.length, ended, terminate: () => end(0), write, reload() {}, kill: () => end(137) };
    },
  });
  const started = async (count: number) => {
    while (starts.length < count) await new Promise<void>((resolve) => more.push(resolve));
  };
  return { gatherer, starts, started, tries: () => tries };
}

Deno.test("one that ends before it was ready ends the start with its code; nobody may end it well", async () => {
  for (const [code, expected] of [[EXIT_UNUSABLE, EXIT_UNUSABLE], [0, EXIT_FAILED]] as const) {
    const { gatherer, starts } = gathererOf(LONG_MS);
    starts[0]!.end(code);
    assertEquals(await gatherer.started, expected);
  }
  assertEquals(await gathererOf(LONG_MS, [1]).gatherer.started, EXIT_FAILED, "it could not even be started");
});

Deno.test("one that hangs at its start is killed, stops nobody, and is started again", async () => {
  const { gatherer, started } = gathererOf(5);
  assertEquals(await gatherer.started, undefined);
  await started(2);
  await gatherer.stop();
});

Deno.test("one that ends is started again, also where that fails at first, and learns where workers answer", async () => {
  const { gatherer, starts, started, tries } = gathererOf(LONG_MS, [2]);
  starts[0]!.say(adminLine(undefined));
  assertEquals(await gatherer.started, undefined);
  gatherer.setWorker(1, "http://127.0.0.1:1");
  starts[0]!.end(137);
  await started(2);
  assertEquals(tries(), 3);
  assertEquals(starts.map(({ written }) => written), Array(2).fill([workerLine(1, "http://127.0.0.1:1")]));
  starts[1]!.say(adminLine(undefined));
  await gatherer.stop();
});
