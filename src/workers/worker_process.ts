/**
 * One worker as a process of its own, and its end.
 *
 * Its standard input is a pipe, to which nothing is written but for the process that sums the workers up. The system
 * closes it when the supervisor ends, however that ends, and the worker takes this as the request to drain: no worker
 * outlives its supervisor for long.
 *
 * Its standard error is ours. Lines up to 4 KiB, which a pipe takes whole, don't mix with those of other workers, and
 * a worker that drains after the supervisor's death can still write them.
 */

import { readLines } from "../base/lines.ts";
import { endsBy, sendIfAlive, terminate } from "../base/terminate.ts";

/** What to run. */
export interface WorkerCommand {
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** Environment variables beside our own, or instead of them. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets every line of standard output, without its end. */
  onLine(line: string): void;
}

/** A started worker. */
export interface WorkerProcess {
  readonly pid: number;
  /** Resolves when the process is gone and all its lines were handed over. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Asks it to drain with SIGTERM; kills it when it is still there `msMax` milliseconds later. */
  terminate(msMax: number): void;
  /** Writes a line to its standard input. Whoever has ended gets none. */
  write(line: string): void;
  /** Has it take up renewed files, with SIGHUP. */
  reload(): void;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts a worker. It does not listen yet when this returns.
 *
 * @throws Error when `deno` cannot be started
 */
export function startWorker({ args, env, onLine }: WorkerCommand): WorkerProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { ...preloadedHere(), ...env },
    // A process group of its own: Ctrl-C in a terminal goes to the whole group, and workers are stopped by us.
    detached: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let alive = true;
  const input = child.stdin.getWriter();
  const ended = Promise.all([child.status, readLines(child.stdout, onLine)]).then(async ([status]) => {
    alive = false;
    // A write may have failed, which closes it as well.
    await input.close().catch(() => {});
    return status;
  });
  const send = (name: Deno.Signal) => {
    if (alive) sendIfAlive(() => child.kill(name));
  };
  return {
    pid: child.pid,
    ended,
    terminate: (msMax) => void terminate({ send, endsWithin: endsBy(ended) }, "SIGTERM", msMax),
    write(line) {
      // That it ends meanwhile shows in its end.
      if (alive) input.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
    },
    reload: () => send("SIGHUP"),
    kill: () => send("SIGKILL"),
  };
}

/** Nothing where LD_PRELOAD of ours may be handed on; else it is emptied, as Deno would start no program with it. */
function preloadedHere(): Record<string, string> {
  return Deno.permissions.querySync({ name: "run" }).state === "granted" ? {} : { LD_PRELOAD: "" };
}
