/** Rates and times of calls, of two answers of GetSystem. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { assertEquals } from "@std/assert";
import { quantile, type Sample, sampleOf, SAMPLES_MAX, withSample } from "../../src/console/system/rates.ts";
import { GetSystemResponseSchema } from "../../src/gen/inventory/v1/system_pb.ts";

const sell = "inventory.v1.InventoryService/Sell";

function answer(atMs: number, processId: string, orders: bigint, counts: readonly [bigint, bigint, bigint]) {
  const durations = [{ msMax: 1, count: counts[0] }, { msMax: 10, count: counts[1] }, { count: counts[2] }];
  return create(GetSystemResponseSchema, {
    processId,
    at: timestampFromMs(atMs),
    ordersApplied: orders,
    refusals: [{ reason: "short_stock", count: orders / 10n }],
    lanes: { entries: 5, waiting: 3, batches: orders / 4n, batchEntries: orders },
    calls: [
      { method: sell, code: "OK", count: 0n, durations },
      { method: "inventory.v1.WatchService/WatchInv", code: "OK", count: 9n, durations: [{ msMax: 1, count: 99n }] },
    ],
  });
}

Deno.test("rates are of the time between, and of the calls of the shop alone", () => {
  const sample = sampleOf(answer(1_000, "a", 100n, [10n, 0n, 0n]), answer(3_000, "a", 300n, [110n, 100n, 0n]));
  assertEquals(sample, {
    atMs: 3_000,
    waiting: 3,
    underWay: 2,
    ordersPerS: 100,
    refusedPerS: 10,
    callsPerS: 100,
    p50Ms: 1,
    p99Ms: 1 + 9 * 0.98,
    batchSize: 4,
  });
});

Deno.test("nothing is known of a first answer, nor after a start", () => {
  for (const before of [undefined, answer(1_000, "another", 100n, [10n, 0n, 0n])]) {
    const { ordersPerS, p50Ms, batchSize } = sampleOf(before, answer(3_000, "a", 300n, [110n, 100n, 0n]));
    assertEquals([ordersPerS, p50Ms, batchSize], [null, null, null]);
  }
});

Deno.test("a quantile is within its bucket, and known to be no more than the last begin", () => {
  assertEquals(quantile([], 0.5), null);
  assertEquals(quantile([{ msMax: 1, count: 0 }], 0.5), null);
  assertEquals(quantile([{ msMax: 1, count: 0 }, { msMax: 3, count: 2 }], 0.5), 2);
  assertEquals(quantile([{ msMax: 1, count: 1 }, { msMax: undefined, count: 9 }], 0.99), 1);
});

Deno.test("so many samples are kept, the latest", () => {
  let samples: readonly Sample[] = [];
  for (let i = 0; i <= SAMPLES_MAX; i++) {
    samples = withSample(samples, sampleOf(undefined, answer(i, "a", 0n, [0n, 0n, 0n])));
  }
  assertEquals([samples.length, samples[0]?.atMs, samples.at(-1)?.atMs], [SAMPLES_MAX, 1, SAMPLES_MAX]);
});
