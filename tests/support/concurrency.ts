/** In which way of concurrency this run has the tests go. `deno task test` runs those that reach this file in all three. */
import { type ModeName, MODES } from "../../src/config/mode_names.ts";

/** The way of this run; `redlock` unless TEST_CONCURRENCY says otherwise. Throws for a way that there is not. */
export function testConcurrency(): ModeName {
  const asked = Deno.env.get("TEST_CONCURRENCY") || "redlock";
  const way = MODES.find((each) => each === asked);
  if (way === undefined) throw new Error(`TEST_CONCURRENCY is none of ${MODES.join(", ")}`);
  return way;
}

/** A test to which the way makes no difference, in a file where it does to others: it runs in the first way only. */
export function inOneWay(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: testConcurrency() !== MODES[0], fn });
}
