/** SystemService over the in-memory transport, with JSON on the wire: each part of a view as a client sees it. */
import { toJson } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/base/version.ts";
import { GetSystemResponseSchema, SystemService } from "../../src/gen/inventory/v1/system_pb.ts";
import { LanesTallies } from "../../src/lanes/tallies.ts";
import type { SystemView } from "../../src/services/system/encode.ts";
import { addServices } from "../../src/services/service_module.ts";
import { systemModule } from "../../src/services/system/service.ts";
import { Distribution, SECONDS } from "../../src/telemetry/measures.ts";

const STARTED_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function viewOf(tallies: LanesTallies): SystemView {
  return {
    processId: "one",
    startedMs: STARTED_MS + 0.25,
    nowMs: STARTED_MS + 1000,
    health: { ready: false, leaving: true, closed: true, dependencies: [] },
    lanes: { operations: 7, operationsMax: 100, waiting: 3, batches: 2, tallies },
    pool: undefined,
    calls: [],
    watchers: 4,
    loopDelayMs: 0.41249999,
  };
}

async function answerOf(view: SystemView): Promise<Record<string, unknown>> {
  const transport = createRouterTransport((router) => {
    addServices(router, [systemModule({ view: () => view }, { requestBytesMax: 1024 })]);
  });
  const answer = await createClient(SystemService, transport).getSystem({});
  return toJson(GetSystemResponseSchema, answer, { alwaysEmitImplicit: true }) as Record<string, unknown>;
}

Deno.test("a process that has done nothing, without a database of its own, says so in every field", async () => {
  assertEquals(await answerOf(viewOf(new LanesTallies())), {
    processId: "one",
    startedAt: "2026-01-02T03:04:05.678Z",
    at: "2026-01-02T03:04:06.678Z",
    version: VERSION,
    ready: false,
    draining: true,
    dependencies: [],
    lanes: { entries: 7, entriesMax: 100, waiting: 3, batchesUnderWay: 2, batches: "0", batchEntries: "0" },
    calls: [],
    refusals: [],
    operations: [],
    ordersApplied: "0",
    watchers: 4,
    loopDelayMs: 0.412,
  });
});

Deno.test("what it needs, its connections, and what operations came to", async () => {
  const tallies = new LanesTallies();
  const sell = { kind: "sell", orderId: "a", lines: [] } as const;
  tallies.batchBegan(3);
  tallies.batchBegan(1);
  tallies.ended(sell, { ok: false, refusal: { reason: "short_stock", lines: [] } }, undefined);
  tallies.ended(sell, undefined, undefined);
  const { dependencies, database, lanes, refusals, operations, ordersApplied } = await answerOf({
    ...viewOf(tallies),
    health: {
      ready: true,
      leaving: false,
      closed: false,
      dependencies: [
        { name: "PostgreSQL", ready: true, reason: undefined },
        { name: "Redis quorum", ready: false, reason: "2 of 5 vote" },
      ],
    },
    pool: { lent: 3, free: 2, max: 8, waiting: 1 },
  });
  assertEquals(dependencies, [
    { name: "PostgreSQL", up: true, reason: "" },
    { name: "Redis quorum", up: false, reason: "2 of 5 vote" },
  ]);
  assertEquals(database, { connections: 5, connectionsMax: 8, inUse: 3, waiting: 1 });
  assertEquals(lanes, { entries: 7, entriesMax: 100, waiting: 3, batchesUnderWay: 2, batches: "2", batchEntries: "4" });
  assertEquals(refusals, [{ reason: "short_stock", count: "1" }]);
  assertEquals(operations, [
    { operation: "sell", verdict: "refused", count: "1" },
    { operation: "sell", verdict: "left", count: "1" },
  ]);
  assertEquals(ordersApplied, "0");
});

Deno.test("each call is in one bucket, and the last bucket has no bound", async () => {
  const seconds = new Distribution(SECONDS);
  for (const ms of [0.2, 1, 7, 60_000]) seconds.observeMs(ms);
  const { calls } = await answerOf({
    ...viewOf(new LanesTallies()),
    calls: [{ method: "inventory.v1.InventoryService/Sell", code: "OK", seconds }],
  });
  const [{ durations, ...call }] = calls as [{ durations: { msMax?: number; count: string }[] }];
  assertEquals(call as object, { method: "inventory.v1.InventoryService/Sell", code: "OK", count: "4" });
  assertEquals(durations.map(({ msMax }) => msMax), [
    ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000],
    undefined,
  ]);
  assertEquals(durations.map(({ count }) => Number(count)), [2, 0, 0, 1, ...Array(10).fill(0), 1]);
});
