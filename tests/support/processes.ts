/** What the system says of processes that are no children of the test. */
import { processFacts } from "../../src/process/facts.ts";

/** The command line of a process that runs. */
export function commandLine(pid: number): string | undefined {
  return processFacts(pid)?.commandLine.replace(/ --callers=\S*$/, "");
}

/** The processes below one, nearest first. */
export function descendants(pid: number): number[] {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"] }).outputSync();
  const parents = new Map<number, number>();
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    // The second field, the name, is in parentheses and may itself contain spaces.
    const fields = /^(\d+) \(.*\) \S (\d+) /.exec(line);
    if (fields !== null) parents.set(Number(fields[1]), Number(fields[2]));
  }
  const found = [pid];
  for (const above of found) for (const [child, parent] of parents) if (parent === above) found.push(child);
  return found.slice(1);
}
