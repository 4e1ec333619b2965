/**
 * Finds the programs between the user and a program of ours: `npx`, its shell, `deno task`, and a shell that was
 * started for this one line, as other programs start lines of a shell.
 *
 * A shell of the user's is none of them, nor one that starts it in the background and goes on: who does that may log
 * out.
 */
import { kill } from "node:process";
import { processFacts } from "./facts.ts";

/** Far deeper than it was ever seen. */
const DEPTH_MAX = 32;
/** A process id that no process has. */
const NOBODY = 2 ** 31 - 1;
const NPX = /^npm exec |^(\S*\/)?node .*\bnpx\b/;
const TASK = /^(\S*\/)?deno task /;
/** One command and nothing beside it. */
const SHELL_LINE = /^(\S*\/)?(ba|da|z)?sh -c [^&;|\n]*\bdeno\b[^&;|\n]* task [^&;|\n]*$/;

/**
 * The process ids from our parent up to what the user has started. One that is nobody's, too, where that has ended
 * already.
 */
export function callers(): number[] {
  const chain: { pid: number; commandLine: string }[] = [];
  let pid = Deno.ppid;
  while (pid > 0 && chain.length < DEPTH_MAX) {
    const facts = processFacts(pid);
    if (facts === undefined) break;
    chain.push({ pid, commandLine: facts.commandLine });
    pid = facts.parent;
  }
  const lines = chain.map(({ commandLine }) => commandLine);
  const found = chain.slice(0, callersCount(lines)).map((caller) => caller.pid);
  // A signal may have ended npx and its shell while the task was coming up: then our parent has another parent.
  const hasLostNpx = wasStartedByNpx() && chain.length < DEPTH_MAX && !lines.some((line) => NPX.test(line));
  return hasLostNpx ? [...found, NOBODY] : found;
}

/** As npx lets whatever it starts know. */
function wasStartedByNpx(): boolean {
  return Deno.env.get("npm_lifecycle_event") === "npx" && /^'?deno'?$/.test(Deno.env.get("npm_lifecycle_script") ?? "");
}

/**
 * How many of the programs above ours, given by their command lines, our parent first, are between the user and us.
 * Pure.
 */
export function callersCount(commandLines: readonly string[]): number {
  return commandLines.findLastIndex((line) => NPX.test(line) || TASK.test(line) || SHELL_LINE.test(line)) + 1;
}

/** Whether there is such a process. */
export function exists(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
