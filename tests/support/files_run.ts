/** Which files of the program do work for each of many calls, by V8's count of how often each function ran. */
import { assert } from "@std/assert";

/** One script in a record of `deno run --coverage`. */
interface ScriptRecord {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
}

/**
 * The files of src of which some function ran at least `times` times, sorted.
 *
 * @param coverageDir what a process that has ended wrote of itself
 */
export async function filesRun(coverageDir: string, times: number): Promise<string[]> {
  const files = new Set<string>();
  let records = 0;
  for await (const { name } of Deno.readDir(coverageDir)) {
    const { url, functions }: ScriptRecord = JSON.parse(await Deno.readTextFile(`${coverageDir}/${name}`));
    records++;
    const path = /\/(src\/.+\.ts)$/.exec(url)?.[1];
    if (path !== undefined && functions.some(({ ranges }) => (ranges[0]?.count ?? 0) >= times)) files.add(path);
  }
  assert(records > 0, "the process left no record");
  return [...files].sort();
}
