/** What the system knows of a process by its id: its start, its command line, its parent, its memory and CPU time. */

import { systemEnvironment } from "./child_environment.ts";

/** A tick in which the system counts CPU time, for programs: USER_HZ is 100 on every Linux that Deno runs on. */
const CLOCK_TICK_MS = 10;

/** `startedAt` is the system's own notion, good for comparing only. `commandLine` joins the arguments with spaces. */
export interface ProcessFacts {
  readonly startedAt: string;
  readonly commandLine: string;
  readonly parent: number;
}

/** The facts of a living process, or undefined. A zombie counts as gone: it only waits to be collected. */
export function processFacts(pid: number): ProcessFacts | undefined {
  return Deno.build.os === "linux" ? factsOnLinux(pid) : factsElsewhere(pid);
}

/** Memory of a living process that is in RAM now, in MiB; undefined where the system says none. */
export function residentMiB(pid: number): number | undefined {
  const kiB = Deno.build.os === "linux"
    ? /^VmRSS:\s+(\d+) kB$/m.exec(output("cat", [`/proc/${pid}/status`]))?.[1]
    : /^\s*(\d+)\s*$/.exec(output("ps", ["-o", "rss=", "-p", String(pid)]))?.[1];
  return kiB === undefined ? undefined : Number(kiB) / 1024;
}

/** CPU time of a living process so far, in ms; undefined where the system does not say it finely enough. */
export function cpuMs(pid: number): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const fields = fieldsBehindName(output("cat", [`/proc/${pid}/stat`]));
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  return Number.isFinite(ticks) ? ticks * CLOCK_TICK_MS : undefined;
}

function factsOnLinux(pid: number): ProcessFacts | undefined {
  // Deno opens /proc to programs with every permission only, so another program reads it.
  const text = output("cat", [`/proc/${pid}/stat`, `/proc/${pid}/cmdline`]);
  const lineEnd = text.indexOf("\n");
  const fields = fieldsBehindName(text.slice(0, lineEnd));
  if (fields === undefined || lineEnd < 0) return undefined;
  const state = fields[0];
  const parent = fields[1];
  const startTicks = fields[19];
  if (state === "Z" || state === "X" || parent === undefined || startTicks === undefined) return undefined;
  const commandLine = text.slice(lineEnd + 1).replaceAll("\0", " ").trim();
  return { startedAt: startTicks, commandLine, parent: Number(parent) };
}

/** The fields of a line of /proc/PID/stat from the third on; undefined for what is none. */
function fieldsBehindName(line: string): string[] | undefined {
  // The second field, the name, is in parentheses and may itself contain spaces and parentheses.
  const nameEnd = line.lastIndexOf(") ");
  return nameEnd < 0 ? undefined : line.slice(nameEnd + 2).trim().split(" ");
}

function factsElsewhere(pid: number): ProcessFacts | undefined {
  const line = output("ps", ["-o", "stat=,ppid=,lstart=,command=", "-p", String(pid)]).trim();
  const parts = /^(\S+)\s+(\d+)\s+(\S+\s+\S+\s+\d+\s+\S+\s+\d+)\s+(.*)$/s.exec(line);
  if (parts === null || parts[1]?.startsWith("Z")) return undefined;
  return { startedAt: parts[3] ?? "", commandLine: parts[4] ?? "", parent: Number(parts[2]) };
}

function output(program: string, args: string[]): string {
  const { stdout } = new Deno.Command(program, {
    args,
    env: systemEnvironment(),
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout);
}
