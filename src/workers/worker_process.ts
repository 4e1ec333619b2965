/**
 * One worker as a process of its own, and its end.
 *
 * Its standard input is a pipe that nothing is ever written to. The system closes it when the supervisor ends, however
 * that ends, and the worker takes this as the request to drain: no worker outlives its supervisor for long.
 *
 * Its standard error is ours. Lines up to 4 KiB, which a pipe takes whole, don't mix with those of other workers, and
 * a worker that drains after the supervisor's death can still write them.
 */

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
    env,
    // A process group of its own: Ctrl-C in a terminal goes to the whole group, and workers are stopped by us.
    detached: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let alive = true;
  let limit: ReturnType<typeof setTimeout> | undefined;
  const ended = Promise.all([child.status, readLines(child.stdout, onLine)]).then(async ([status]) => {
    alive = false;
    clearTimeout(limit);
    await child.stdin.close();
    return status;
  });
  const signal = (name: Deno.Signal) => {
    if (!alive) return;
    try {
      child.kill(name);
    } catch (error) {
      // It ended between the look and the call.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  return {
    pid: child.pid,
    ended,
    terminate(msMax) {
      // A paused process sees no other signal but SIGKILL before it goes on.
      signal("SIGCONT");
      signal("SIGTERM");
      limit = setTimeout(() => signal("SIGKILL"), msMax);
    },
    reload: () => signal("SIGHUP"),
    kill: () => signal("SIGKILL"),
  };
}

/** Longest line that a worker's standard output may have, in characters; what is longer is cut there. */
const LINE_CHARACTERS_MAX = 4096;

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of stream) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, LINE_CHARACTERS_MAX);
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
