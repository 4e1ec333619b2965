/** The lines of a process's log, each of which is JSON. */

/** What Deno says by itself where a process starts beside others, and waits for their look at the packages. */
const DENOS_OWN = /^Blocking waiting for file lock on node_modules directory/;

/**
 * Every line of what a process has written, whole.
 *
 * @throws SyntaxError for one that is neither JSON nor Deno's own
 */
export function jsonLines(text: string): ReturnType<typeof JSON.parse>[] {
  return text.split("\n").filter((line) => line !== "" && !DENOS_OWN.test(line)).map((line) => JSON.parse(line));
}
