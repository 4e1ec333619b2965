import { assertEquals, assertGreater } from "@std/assert";
import { rollingRestarts, SMALL_ROLLING } from "../drills/rolling/rolling_restarts.ts";

Deno.test("a fleet behind HAProxy is restarted under load: no call is refused, none lost, none sold twice", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { faults, figures } = await rollingRestarts(SMALL_ROLLING, { seed, orders: 100, say: () => {} });
  assertEquals(faults, [], `seed ${seed}: ${JSON.stringify(figures)}`);
  assertGreater(figures["streams begun anew"]!, 0, "the watcher's server was never restarted");
});
