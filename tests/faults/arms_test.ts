/** A checker that never found anything is not to be trusted: each protection is taken out, and what then happens is found. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { ARMS } from "./suite/arms/arms.ts";
import { OTHER_MS_MAX } from "./suite/arms/scenarios.ts";

for (const { name, base, out, run } of ARMS) {
  Deno.test(`control: ${name}: found without ${out}, and nothing to find with it`, async () => {
    const caught = await run([...base, ...out], OTHER_MS_MAX.without);
    console.log(`caught after ${caught.operations} operations: ${caught.violations[0]}`);
    assertNotEquals(caught.violations, []);
    assertEquals((await run(base, OTHER_MS_MAX.with)).violations, []);
  });
}
