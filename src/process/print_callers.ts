/** Prints, as an argument for the program that the same `deno task` starts next, the programs that started this one. */
import { callersArgument } from "./callers.ts";
import { callers } from "./find_callers.ts";

console.log(callersArgument(found()));

/** Our parent, which is the task, where no more can be learnt: in a container without `cat`. */
function found(): number[] {
  try {
    return callers();
  } catch (error) {
    console.error(`Only the task itself is watched, not what started it: ${(error as Error).message}`);
    return [Deno.ppid];
  }
}
