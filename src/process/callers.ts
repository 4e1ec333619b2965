/**
 * The programs between the user and a program of ours, such as `npx`, its shell and `deno task`. A signal to the first
 * of them, which is the one that the user knows, ends its shell and is not passed on, so that a program of ours has to
 * see by itself that nobody waits for it any more.
 */
import { getPriority } from "node:os";

const ARGUMENT = "--callers=";
const LOOK_EVERY_MS = 250;

/** The argument that names its callers to a program of ours, as process ids, its own parent first. */
export function callersArgument(pids: readonly number[]): string {
  return ARGUMENT + pids.join(",");
}

/** The callers that the arguments name; none where they don't. */
export function callersOf(args: readonly string[]): number[] {
  const named = args.find((arg) => arg.startsWith(ARGUMENT))?.slice(ARGUMENT.length) ?? "";
  return named.split(",").map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
}

/**
 * Calls `onGone` once, when one of the callers (our parent first) has ended. Without callers there is nothing to watch:
 * a shell that ends is no reason, as who starts a program in the background may log out.
 *
 * @returns a function that stops looking
 */
export function watchCallers(
  pids: readonly number[],
  isAlive: (pid: number) => boolean,
  onGone: () => void,
): () => void {
  if (pids.length === 0) return () => {};
  const timer = setInterval(() => {
    if (Deno.ppid === pids[0] && pids.every(isAlive)) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}

/**
 * Whether there is such a process, by the harmless question for its priority: any other needs the right to run
 * programs.
 */
export function isAlive(pid: number): boolean {
  try {
    getPriority(pid);
    return true;
  } catch (error) {
    // Only this says so; whatever else goes wrong is no reason to stop serving.
    return !String(error).includes("ESRCH");
  }
}
