/**
 * The programs between the terminal and a launcher: `npx`, its shell, `deno task`. When one of them is ended from
 * outside, the signal does not come through to the launcher (npx ends its shell and nothing below it), so the launcher
 * has to see by itself that nobody holds it any more.
 *
 * A shell of the user's is none of them: whoever starts a launcher in the background may log out.
 */
import { kill } from "node:process";
import { processFacts } from "./process_facts.ts";

const LOOK_EVERY_MS = 250;
/** npx, a shell, the package's script, deno task: as deep as it was ever seen, and some more. */
const DEPTH_MAX = 6;

/**
 * Calls `onGone` once, when one of the programs that started this one has ended.
 *
 * @returns a function that stops looking
 */
export function watchCallers(onGone: () => void): () => void {
  const watched = callers();
  const timer = setInterval(() => {
    if (watched.every(({ pid }) => exists(pid)) && (watched.length === 0 || Deno.ppid === watched[0]?.pid)) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/** From our parent up to npx, or to `deno task` where there is no npx. */
function callers(): { pid: number; commandLine: string }[] {
  const chain: { pid: number; commandLine: string }[] = [];
  for (let pid = Deno.ppid; pid > 1 && chain.length < DEPTH_MAX;) {
    const facts = processFacts(pid);
    if (facts === undefined) break;
    chain.push({ pid, commandLine: facts.commandLine });
    pid = facts.parent;
  }
  const npx = chain.findIndex(({ commandLine }) => /^npm exec |^(\S*\/)?node .*\bnpx\b/.test(commandLine));
  const task = chain.findIndex(({ commandLine }) => /^(\S*\/)?deno task /.test(commandLine));
  return chain.slice(0, Math.max(npx, task) + 1);
}

function exists(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}
