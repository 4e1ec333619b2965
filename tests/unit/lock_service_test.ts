/** LockService over the in-memory transport, with JSON on the wire: each part of a view as a client sees it. */
import { toJson } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { assertEquals } from "@std/assert";
import { LockService, StatusResponseSchema } from "../../src/gen/inventory/v1/lock_pb.ts";
import type { NodeStatus } from "../../src/lock/status.ts";
import { LEASES_LISTED_MAX, type LockView, type RedlockView } from "../../src/services/lock/encode.ts";
import { lockModule } from "../../src/services/lock/service.ts";
import { addServices } from "../../src/services/service_module.ts";

const UP: NodeStatus = {
  node: 1,
  address: "redis-1:6379",
  state: "up",
  reason: undefined,
  latencyMs: 0.41249999,
  uptimeMs: 3_000_000_000.9,
  quarantineLeftMs: 0,
  votesFor: 12,
  votesAgainst: 3,
  votesMissing: 0,
};
const DOWN: NodeStatus = {
  ...UP,
  node: 2,
  address: "redis-2:6379",
  state: "down",
  reason: "down: connect ECONNREFUSED 127.0.0.1:6380",
  latencyMs: undefined,
  uptimeMs: undefined,
  votesFor: 0,
  votesAgainst: 0,
  votesMissing: 15,
};
const QUARANTINED: NodeStatus = {
  ...UP,
  node: 3,
  state: "quarantined",
  reason: "in quarantine",
  latencyMs: 0,
  uptimeMs: 0,
  quarantineLeftMs: 99.9,
};
const REDLOCK: RedlockView = {
  quorumLoss: "refuse",
  fallback: { sinceMs: undefined, batches: 0 },
  quorum: 3,
  ttlMs: 5000,
  nodes: [],
  leases: [],
};

/** The answer as proto3 JSON, zeros included; what is absent is not there. */
async function answerOf(view: LockView): Promise<Record<string, unknown>> {
  const transport = createRouterTransport((router) => {
    addServices(router, [lockModule({ status: () => view }, { requestBytesMax: 1024 })]);
  });
  const answer = await createClient(LockService, transport).status({});
  return toJson(StatusResponseSchema, answer, { alwaysEmitImplicit: true }) as Record<string, unknown>;
}

function redlock(parts: Partial<RedlockView>): LockView {
  return { concurrency: "redlock", redlock: { ...REDLOCK, ...parts } };
}

Deno.test("each field of each node; what is not known of one is absent, and 0 is not", async () => {
  const { nodes } = await answerOf(redlock({ nodes: [UP, DOWN, QUARANTINED] }));
  assertEquals(nodes, [
    {
      number: 1,
      address: "redis-1:6379",
      state: "LOCK_NODE_STATE_UP",
      latencyMs: 0.412,
      uptimeMs: "3000000000",
      quarantineLeftMs: 0,
      votesFor: "12",
      votesAgainst: "3",
      votesMissing: "0",
      reason: "",
    },
    {
      number: 2,
      address: "redis-2:6379",
      state: "LOCK_NODE_STATE_DOWN",
      quarantineLeftMs: 0,
      votesFor: "0",
      votesAgainst: "0",
      votesMissing: "15",
      reason: "down: connect ECONNREFUSED 127.0.0.1:6380",
    },
    {
      number: 3,
      address: "redis-1:6379",
      state: "LOCK_NODE_STATE_QUARANTINED",
      latencyMs: 0,
      uptimeMs: "0",
      quarantineLeftMs: 99,
      votesFor: "12",
      votesAgainst: "3",
      votesMissing: "0",
      reason: "in quarantine",
    },
  ]);
});

Deno.test("the mode, its settings, and a fallback that is on, off, or has been", async () => {
  const settings = {
    concurrency: "CONCURRENCY_REDLOCK",
    quorum: 3,
    ttlMs: 5000,
    nodes: [],
    leases: [],
    leasesTotal: 0,
  };
  assertEquals(await answerOf(redlock({})), {
    ...settings,
    quorumLoss: "QUORUM_LOSS_REFUSE",
    fallback: { active: false, batches: "0" },
  });
  const on = { quorumLoss: "row", fallback: { sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), batches: 7 } } as const;
  assertEquals(await answerOf(redlock(on)), {
    ...settings,
    quorumLoss: "QUORUM_LOSS_ROW",
    fallback: { active: true, since: "2026-01-02T03:04:05.678Z", batches: "7" },
  });
  const { fallback } = await answerOf(redlock({ ...on, fallback: { sinceMs: undefined, batches: 7 } }));
  assertEquals(fallback, { active: false, batches: "7" });
});

for (
  const [concurrency, name] of [["row", "CONCURRENCY_ROW"], ["optimistic", "CONCURRENCY_OPTIMISTIC"]] as const
) {
  Deno.test(`in mode ${concurrency}, without Redis, all but the mode is empty`, async () => {
    assertEquals(await answerOf({ concurrency, redlock: undefined }), {
      concurrency: name,
      quorumLoss: "QUORUM_LOSS_UNSPECIFIED",
      quorum: 0,
      ttlMs: 0,
      nodes: [],
      leases: [],
      leasesTotal: 0,
    });
  });
}

Deno.test("leases are listed by goods_id, the first of them only, with the count of all", async () => {
  // 10 has no divisor in common with 1001, so this goes through all of them, unsorted.
  const count = LEASES_LISTED_MAX + 1;
  const leases = Array.from({ length: count }, (_, i) => ({
    stockKey: (i * 10) % count + 1,
    ageMs: i + 0.9,
    remainingMs: 5000,
  }));
  const view = redlock({ leases });
  const answer = await answerOf(view);
  const first = answer.leases as { goodsId: number; locationId: number; heldMs: number; remainingMs: number }[];
  assertEquals(first.map(({ goodsId }) => goodsId), Array.from({ length: LEASES_LISTED_MAX }, (_, i) => i + 1));
  assertEquals(answer.leasesTotal, count);
  assertEquals(first[7], { goodsId: 8, locationId: 0, heldMs: 301, remainingMs: 5000 });
  assertEquals(view.redlock?.leases[1]?.stockKey, 11, "the view was left as it is");
});

Deno.test("a process that was paused for weeks still answers: times stay within their fields", async () => {
  const monthMs = 31 * 24 * 3600 * 1000;
  const { leases } = await answerOf(
    redlock({ leases: [{ stockKey: 1, ageMs: monthMs, remainingMs: 5000 - monthMs }] }),
  );
  assertEquals(leases, [{ goodsId: 1, locationId: 0, heldMs: 2 ** 31 - 1, remainingMs: 0 }]);
});
