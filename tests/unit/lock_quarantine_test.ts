/** From when a node that was started may vote. */
import { assertEquals } from "@std/assert";
import { OrphanedKeys } from "../../src/lock/nodes/orphaned_keys.ts";
import { leastUptimeMs, quarantineLeftMs, uptimeMs } from "../../src/lock/nodes/standing.ts";
import { tenureMsMax, usableValidityMs, validityMs } from "../../src/lock/validity.ts";

Deno.test("the uptime is a second less than Redis says, as it counts in whole seconds, and never less than none", () => {
  assertEquals(leastUptimeMs("# Server\r\nredis_version:7\r\nuptime_in_seconds:42\r\nuptime_in_days:0\r\n"), 41_000);
  assertEquals(leastUptimeMs("uptime_in_seconds:0\r\n"), 0);
  assertEquals(leastUptimeMs("uptime_in_seconds:\r\n"), undefined);
  assertEquals(leastUptimeMs("LOADING Redis is loading the dataset in memory"), undefined);
});

Deno.test("quarantine is over a TTL after the start at the earliest, and time goes on since the uptime was read", () => {
  const started = { leastMs: 0, readMs: 10_000 };
  assertEquals(quarantineLeftMs(started, 5000, 10_000), 5000);
  assertEquals(quarantineLeftMs(started, 5000, 14_999), 1);
  assertEquals(quarantineLeftMs(started, 5000, 15_000), 0);
  assertEquals(uptimeMs(started, 15_000), 5000);
  assertEquals(quarantineLeftMs({ leastMs: 5000, readMs: 10_000 }, 5000, 10_000), 0);
});

Deno.test("of a lease's time the drift is taken off, and in all it is ours for a bounded time", () => {
  assertEquals(validityMs(5000, 0), 5000 - 50 - 2);
  assertEquals(validityMs(5000, Infinity), -Infinity);
  assertEquals(usableValidityMs(5000), 2500);
  assertEquals(tenureMsMax(5000), 15_000);
});

Deno.test("orphaned keys are remembered until the node answers, or comes back; of very many the oldest are forgotten", () => {
  const orphaned = new OrphanedKeys();
  orphaned.add({ value: "a", keys: ["1"] });
  orphaned.add({ value: "b", keys: ["2", "3"] });
  orphaned.clear({ value: "a", keys: ["1"] });
  orphaned.add({ value: "b", keys: ["4"] });
  orphaned.clear({ value: "b", keys: ["3"] });
  orphaned.clear({ value: "c", keys: ["5"] });
  assertEquals(orphaned.takeAll(), [{ value: "b", keys: ["2", "4"] }]);
  assertEquals(orphaned.takeAll(), []);
  for (let i = 0; i < 1500; i++) orphaned.add({ value: `v${i}`, keys: [] });
  const rest = orphaned.takeAll();
  assertEquals([rest.length, rest[0]?.value, rest.at(-1)?.value], [1000, "v500", "v1499"]);
});
