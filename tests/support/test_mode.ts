/** Tests say by {@link inEveryMode} that the mode can matter to them. All others run once, in the first mode. */
import { type ModeName, MODES } from "../../src/config/mode_names.ts";

/** The mode of the test that runs, where that is a test of every mode. Tests of a file run one after another. */
let running: ModeName | undefined;

/** The mode in which the test that asks is to run. */
export function testMode(): ModeName {
  return running ?? MODES[0];
}

/** Whether the test that asks runs in every mode. */
export function isInEveryMode(): boolean {
  return running !== undefined;
}

/** A test to which the mode can make a difference: one in each, by its name and the mode's. */
export function inEveryMode(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  for (const mode of MODES) {
    Deno.test(`${name}, ${mode}`, async (test) => {
      running = mode;
      try {
        await fn(test);
      } finally {
        running = undefined;
      }
    });
  }
}
