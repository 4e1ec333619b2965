/**
 * A checker that never found anything is not to be trusted: each protection is taken out, and what then happens is
 * found.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { guardProcess } from "../../src/process/guard.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { type Arm, ARMS } from "./suite/arms/arms.ts";
import { MissedMomentError, OTHER_MS_MAX } from "./suite/arms/scenarios.ts";

/** An arm waits for most of its time: for servers that start, and for leases that run out. */
const ARMS_AT_ONCE = 4;
/** All arms are one test; they take some 35 s, and far longer on a machine that has other work. */
const MS_MAX = 600_000;
/** Of an arm: what it shows without its protection happens in nearly every run, and its moment comes. */
const TRIES_MAX = 3;
/** Steps that run beside each other can't be looked after one by one: the test around them is. */
const BESIDE_OTHERS = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test({
  name: "control: what each protection is for is found without it, and nothing is found with it",
  timeout: MS_MAX,
  async fn(t) {
    // Most servers are in this process, and the driver of PostgreSQL throws where nobody catches it, as in any server.
    guardProcess(createLog("error", "pretty"));
    const waiting = ARMS.values();
    await Promise.all(Array.from({ length: ARMS_AT_ONCE }, async () => {
      for (const arm of waiting) await t.step({ name: arm.name, ...BESIDE_OTHERS, fn: () => isFound(arm) });
    }));
  },
});

async function isFound({ name, base, out, run }: Arm): Promise<void> {
  const without = () => inTime(() => run([...base, ...out], OTHER_MS_MAX.without));
  let caught = await without();
  // The worst moment of some is one of a clock, which a machine that has other work may miss.
  for (let more = 1; more < TRIES_MAX && caught.violations.length === 0; more++) caught = await without();
  console.log(`${name}: caught without ${out} after ${caught.operations} operations: ${caught.violations[0]}`);
  assertNotEquals(caught.violations, []);
  assertEquals((await inTime(() => run(base, OTHER_MS_MAX.with))).violations, []);
}

/** What a run came to, of the first that does not miss its moment; the last one's error where all do. */
async function inTime<T>(run: () => Promise<T>): Promise<T> {
  for (let more = 1; more < TRIES_MAX; more++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof MissedMomentError)) throw error;
    }
  }
  return await run();
}
