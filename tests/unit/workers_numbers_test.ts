/** How long the supervisor waits before a restart, and what each worker gets of the connections to PostgreSQL. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { restartDelayMs } from "../../src/workers/restart_delay.ts";
import { connectionsMin, poolShare, WORKER_CONNECTIONS_MIN } from "../../src/config/pool_share.ts";

const ALMOST_1 = 1 - Number.EPSILON;

Deno.test("restartDelayMs() doubles from 100 to 200 ms up to 5 to 10 s", () => {
  const bounds = [1, 2, 3, 6, 7, 8, 1000].map((
    failures,
  ) => [restartDelayMs(failures, 0), restartDelayMs(failures, ALMOST_1)]);
  assertEquals(bounds, [
    [100, 200],
    [200, 400],
    [400, 800],
    [3200, 6400],
    [5000, 10_000],
    [5000, 10_000],
    [5000, 10_000],
  ]);
});

Deno.test("restartDelayMs() is random, and below its bound never shorter than the wait before", () => {
  const random = fc.double({ min: 0, max: ALMOST_1, noNaN: true });
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), random, random, (failures, before, now) => {
    assert(restartDelayMs(failures, before) <= restartDelayMs(failures + 1, now));
  }));
  assert(new Set([0, 0.25, 0.5, 0.75].map((each) => restartDelayMs(4, each))).size === 4);
});

Deno.test("poolShare() gives each worker the same, and together no more than there is", () => {
  assertEquals([poolShare(8, 1), poolShare(8, 2), poolShare(8, 3), poolShare(9, 4)], [8, 4, 2, 2]);
  fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 1000 }), (workers, spare) => {
    const max = connectionsMin(workers) + spare;
    assert(workers * poolShare(max, workers) <= max);
    assert(workers === 1 || poolShare(max, workers) >= WORKER_CONNECTIONS_MIN);
  }));
});

Deno.test("loadConfig() refuses more workers than the connections are enough for, and takes just enough", () => {
  const load = (settings: Record<string, string>) => loadConfig((name) => settings[name]);
  const { problems } = assertThrows(() => load({ WORKERS: "5" }), ConfigError);
  assertEquals(problems.length, 1);
  assertStringIncludes(problems[0] ?? "", 'DATABASE_POOL_MAX: expected 10 or more for WORKERS 5, got "8"');
  assertEquals(load({ WORKERS: "4" }).workers, 4);
  assertEquals(load({ WORKERS: "5", DATABASE_POOL_MAX: "10" }).workers, 5);
  assertEquals(load({ DATABASE_POOL_MAX: "1" }).databasePoolMax, 1);
});
