/**
 * A time limit for every test, without a word of it in any: a test that hangs, or spins, fails by its name, and those
 * behind it run.
 */
import { nameInRun } from "./files_together.ts";

/**
 * Longest time of one test, in ms: the longest of ours takes 50 s beside five others on two cores, and has taken 150 s
 * where these had other work; the others take a few seconds at most.
 */
export const TEST_MS_MAX = 300_000;

/**
 * Every form in which a test is given to `Deno.test`: name, definition and function, of which one or two may be
 * missing.
 */
type Part = string | Partial<Deno.TestDefinition> | Deno.TestDefinition["fn"];

/** `Deno.test` itself, as far as it is called with whole definitions. */
type Register = (definition: Deno.TestDefinition) => void;

/**
 * What `Deno.test` does, with the limit `msMax` for each test that has no limit of its own, and by its name in the run.
 * Deno 2.9.3 ends a test at its limit also where that never leaves the loop.
 */
export function limited(register: Register, msMax: number): (...parts: Part[]) => void {
  return (...parts) => {
    const given = parts.map((part): Partial<Deno.TestDefinition> => {
      if (typeof part === "string") return { name: part };
      return typeof part === "function" ? { fn: part } : part;
    });
    const definition = Object.assign({ timeout: msMax }, ...given);
    register({ ...definition, name: nameInRun(definition.name ?? definition.fn.name) });
  };
}
