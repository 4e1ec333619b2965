/** In which way of concurrency this run has the tests go. `deno task test` runs those that reach this file in all three. */
import { CONCURRENCIES, type Concurrency } from "../../src/lanes/way.ts";

/** The way of this run; `redlock` unless TEST_CONCURRENCY says otherwise. Throws for a way that there is not. */
export function testConcurrency(): Concurrency {
  const asked = Deno.env.get("TEST_CONCURRENCY") || "redlock";
  const way = CONCURRENCIES.find((each) => each === asked);
  if (way === undefined) throw new Error(`TEST_CONCURRENCY is none of ${CONCURRENCIES.join(", ")}`);
  return way;
}
