/** What the process says of its callers and of itself, as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Identity } from "../../auth/identity.ts";
import { RIGHTS } from "../../auth/rights.ts";
import { VERSION } from "../../base/version.ts";
import type {
  CallCountSchema,
  GetSystemResponseSchema,
  OperationCountSchema,
  WhoAmIResponseSchema,
} from "../../gen/inventory/v1/system_pb.ts";
import type { HealthView } from "../../health/board.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import type { LanesTallies } from "../../lanes/tallies.ts";
import type { CallDurations } from "../../telemetry/call_measures.ts";
import { refusalCounts } from "../refusal_counts.ts";

/** What GetSystem answers from; times in ms since the epoch. */
export interface SystemView {
  readonly processId: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly health: HealthView;
  readonly lanes: Pick<Lanes, "operations" | "operationsMax" | "waiting" | "batches" | "tallies">;
  /** Undefined where the store is none of ours. */
  readonly pool: PoolCounts | undefined;
  readonly calls: readonly CallDurations[];
  /** Streams of changes that are open. */
  readonly watchers: number;
  readonly loopDelayMs: number;
}

/** Connections to the database: in use, idle, at most; and who waits for one. */
export interface PoolCounts {
  readonly lent: number;
  readonly free: number;
  readonly max: number;
  readonly waiting: number;
}

/** The answer to WhoAmI; undefined: callers are not asked who they are, and may do everything. */
export function whoAmIMessage(identity: Identity | undefined): MessageInitShape<typeof WhoAmIResponseSchema> {
  return {
    name: identity?.name ?? "",
    kind: identity?.kind ?? "",
    rights: RIGHTS.filter((right) => identity?.rights.has(right) ?? true),
    version: VERSION,
  };
}

/** The answer to GetSystem. */
export function systemMessage(view: SystemView): MessageInitShape<typeof GetSystemResponseSchema> {
  const { processId, startedMs, nowMs, health, lanes, pool, calls, watchers, loopDelayMs } = view;
  const { tallies } = lanes;
  return {
    processId,
    startedAt: timestampFromMs(Math.floor(startedMs)),
    at: timestampFromMs(nowMs),
    version: VERSION,
    ready: health.ready,
    draining: health.closed,
    dependencies: health.dependencies.map(({ name, ready, reason = "" }) => ({ name, up: ready, reason })),
    ...(pool === undefined ? {} : {
      database: {
        connections: pool.lent + pool.free,
        connectionsMax: pool.max,
        inUse: pool.lent,
        waiting: pool.waiting,
      },
    }),
    lanes: {
      entries: lanes.operations,
      entriesMax: lanes.operationsMax,
      waiting: lanes.waiting,
      batchesUnderWay: lanes.batches,
      batches: BigInt(tallies.batches.count),
      batchEntries: BigInt(tallies.batches.entries),
    },
    calls: calls.map(callMessage),
    refusals: refusalCounts(tallies),
    operations: operationCounts(tallies),
    ordersApplied: BigInt(tallies.operations.sell.counts.applied),
    watchers,
    // To the microsecond: what is behind it is noise of floating point.
    loopDelayMs: Math.round(loopDelayMs * 1000) / 1000,
  };
}

function callMessage({ method, code, seconds }: CallDurations): MessageInitShape<typeof CallCountSchema> {
  const { bounds, counts } = seconds;
  return {
    method,
    code,
    count: BigInt(counts.reduce((sum, count) => sum + count, 0)),
    durations: counts.map((count, i) => {
      const bound = bounds[i];
      return { ...(bound === undefined ? {} : { msMax: bound * 1000 }), count: BigInt(count) };
    }),
  };
}

function operationCounts({ operations }: LanesTallies): MessageInitShape<typeof OperationCountSchema>[] {
  return Object.entries(operations).flatMap(([operation, { counts }]) =>
    Object.entries(counts).filter(([, count]) => count > 0)
      .map(([verdict, count]) => ({ operation, verdict, count: BigInt(count) }))
  );
}
