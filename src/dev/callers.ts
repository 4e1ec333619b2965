/**
 * Finds the programs between the terminal and a launcher: `npx`, its shell, `deno task`.
 *
 * A shell of the user's is none of them: whoever starts a launcher in the background may log out.
 */
import { kill } from "node:process";
import { processFacts } from "./process_facts.ts";

/** npx, a shell, the package's script, deno task: as deep as it was ever seen, and some more. */
const DEPTH_MAX = 6;

/** The process ids from our parent up to npx, or to `deno task` where there is no npx. */
export function callers(): number[] {
  const chain: { pid: number; commandLine: string }[] = [];
  for (let pid = Deno.ppid; pid > 1 && chain.length < DEPTH_MAX;) {
    const facts = processFacts(pid);
    if (facts === undefined) break;
    chain.push({ pid, commandLine: facts.commandLine });
    pid = facts.parent;
  }
  const npx = chain.findIndex(({ commandLine }) => /^npm exec |^(\S*\/)?node .*\bnpx\b/.test(commandLine));
  const task = chain.findIndex(({ commandLine }) => /^(\S*\/)?deno task /.test(commandLine));
  return chain.slice(0, Math.max(npx, task) + 1).map(({ pid }) => pid);
}

/** Whether there is such a process. */
export function exists(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
