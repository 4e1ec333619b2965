/** What the supervisor carries out over time, with workers whose lines and ends are the test's. */
import { assertEquals } from "@std/assert";
import { listenLine } from "../../src/process/listen_line.ts";
import { HEARTBEAT_EVERY_MS, HEARTBEAT_LINE } from "../../src/workers/heartbeat.ts";
import { supervise } from "../../src/workers/supervise.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const LOOKS_MAX = 2;

Deno.test("a worker that starts again has all of its time for that, however lately the one before it was silent", async () => {
  const started: { say(line: string): void; end(code: number): void; kills: number; reloads: number }[] = [];
  const second = Promise.withResolvers<void>();
  const supervision = supervise({
    count: 1,
    startMsMax: 60_000,
    stopMsMax: 60_000,
    heartbeatMsMax: LOOKS_MAX * HEARTBEAT_EVERY_MS,
    announce() {},
    log: SILENT,
    start(_worker, _url, say) {
      const { promise: ended, resolve } = Promise.withResolvers<Deno.CommandStatus>();
      const end = (code: number) => resolve({ success: code === 0, code, signal: null });
      const process = { say, end, kills: 0, reloads: 0 };
      started.push(process);
      if (started.length === 2) second.resolve();
      return {
        pid: started.length,
        ended,
        terminate: () => end(0),
        write: () => {},
        reload: () => void process.reloads++,
        kill: () => void process.kills++,
      };
    },
  });
  await Promise.resolve();
  // One that starts may not have taken the signal over yet, and would end by it.
  supervision.reload();
  assertEquals(started[0]!.reloads, 0);
  started[0]!.say(listenLine("http://127.0.0.1:1"));
  started[0]!.say(HEARTBEAT_LINE);
  supervision.reload();
  started[0]!.end(1);
  await second.promise;
  supervision.reload();
  assertEquals(started.map(({ reloads }) => reloads), [1, 0]);
  // It says nothing for longer than a worker that listens may.
  await new Promise((resolve) => setTimeout(resolve, (LOOKS_MAX + 1) * HEARTBEAT_EVERY_MS));
  assertEquals(started.map(({ kills }) => kills), [0, 0]);

  // The control: from when it listens, that is too long.
  started[1]!.say(listenLine("http://127.0.0.1:1"));
  await eventually(() => started[1]!.kills === 1, "it is killed");
  assertEquals(started[0]!.kills, 0);
  supervision.stop();
  assertEquals(await supervision.exitCode, 0);
});
