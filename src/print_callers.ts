/** Prints, as an argument for the program that the same `deno task` starts next, the programs that started this one. */
import { callersArgument } from "./callers.ts";
import { callers } from "./dev/callers.ts";

console.log(callersArgument(callers()));
