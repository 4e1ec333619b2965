/** What the log of a server with workers says of them, and signals to one of them. */
import { processFacts } from "../../src/process/facts.ts";
import type { Output, TestServer } from "./server.ts";
import { eventually } from "./eventually.ts";

/** A line of the log. */
export interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly delayMs?: number;
}

/** What was read of a log before, which only grows and is asked for again and again. */
const read = new WeakMap<Output, { characters: number; readonly lines: LogLine[] }>();

/** The log so far, of the supervisor and all workers, in order. Only whole lines of JSON. */
export function logLines({ output }: Pick<TestServer, "output">): readonly LogLine[] {
  const before = read.get(output) ?? { characters: 0, lines: [] };
  read.set(output, before);
  const whole = output.stderr.slice(before.characters, output.stderr.lastIndexOf("\n") + 1);
  before.characters += whole.length;
  for (const line of whole.split("\n")) if (line.startsWith("{")) before.lines.push(JSON.parse(line) as LogLine);
  return before.lines;
}

/** The lines that say `msg`, of one worker or of all. */
export function said(server: Pick<TestServer, "output">, msg: string, worker?: number): LogLine[] {
  return logLines(server).filter((line) => line.msg === msg && (worker === undefined || line.worker === worker));
}

/** The process of a worker, as last started. */
export function pidOf(server: TestServer, worker: number): number {
  const pid = said(server, "worker started", worker).at(-1)?.pid;
  if (pid === undefined) throw new Error(`worker ${worker} was never started`);
  return pid;
}

/** True while a process runs; one that only waits to be collected doesn't. */
export function isRunning(pid: number): boolean {
  return processFacts(pid) !== undefined;
}

/** Resolves when none of the processes runs. Kills what is left before it rejects. */
export async function allGone(pids: readonly number[], msMax?: number): Promise<void> {
  try {
    await eventually(() => !pids.some(isRunning), `processes ${pids} are gone`, msMax);
  } catch (error) {
    for (const pid of pids.filter(isRunning)) await signal(pid, "SIGKILL");
    throw error;
  }
}

/** Sends a signal to a process that is not our child, which needs more permissions than the tests have. */
export async function signal(pid: number, name: Deno.Signal): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", `kill -s ${name.replace("SIG", "")} ${pid}`],
  }).output();
  if (!success) throw new Error(`Cannot send ${name} to ${pid}: ${new TextDecoder().decode(stderr)}`);
}
