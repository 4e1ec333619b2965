/** The view of the lock as a message. */
import { compareKeys, placeOf } from "../../inventory/stock_key.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Concurrency,
  type LockNodeSchema,
  LockNodeState,
  QuorumLoss,
  type StatusResponseSchema,
} from "../../gen/inventory/v1/lock_pb.ts";
import type { ModeName, QuorumLoss as QuorumLossName } from "../../config/mode_names.ts";
import type { FallbackView } from "../../lanes/modes/quorum_fallback.ts";
import { INT32_MAX } from "../../inventory/model.ts";
import type { LockStatus, NodeStatus } from "../../lock/status.ts";

/** The lock over the nodes, and what becomes of orders without it. */
export interface RedlockView extends LockStatus {
  readonly quorumLoss: QuorumLossName;
  readonly fallback: FallbackView;
}

/** What the service answers from. */
export interface LockView {
  readonly concurrency: ModeName;
  /** Undefined in the modes without Redis. */
  readonly redlock: RedlockView | undefined;
}

/** Most leases in one answer; a process has no more than a few thousand. */
export const LEASES_LISTED_MAX = 1000;

const CONCURRENCIES: Readonly<Record<ModeName, Concurrency>> = {
  redlock: Concurrency.REDLOCK,
  row: Concurrency.ROW,
  optimistic: Concurrency.OPTIMISTIC,
};
const QUORUM_LOSSES: Readonly<Record<QuorumLossName, QuorumLoss>> = {
  refuse: QuorumLoss.REFUSE,
  row: QuorumLoss.ROW,
};
const NODE_STATES: Readonly<Record<NodeStatus["state"], LockNodeState>> = {
  up: LockNodeState.UP,
  down: LockNodeState.DOWN,
  refused: LockNodeState.REFUSED,
  quarantined: LockNodeState.QUARANTINED,
};

/** The answer to Status. */
export function statusMessage({ concurrency, redlock }: LockView): MessageInitShape<typeof StatusResponseSchema> {
  if (redlock === undefined) return { concurrency: CONCURRENCIES[concurrency] };
  const { quorumLoss, fallback, quorum, ttlMs, nodes, leases } = redlock;
  const { sinceMs } = fallback;
  return {
    concurrency: CONCURRENCIES[concurrency],
    quorumLoss: QUORUM_LOSSES[quorumLoss],
    fallback: {
      active: sinceMs !== undefined,
      ...(sinceMs === undefined ? {} : { since: timestampFromMs(sinceMs) }),
      batches: BigInt(fallback.batches),
    },
    quorum,
    ttlMs,
    nodes: nodes.map(nodeMessage),
    leases: leases.toSorted((a, b) => compareKeys(a.stockKey, b.stockKey)).slice(0, LEASES_LISTED_MAX)
      .map(({ stockKey, ageMs, remainingMs }) => ({
        ...placeOf(stockKey),
        heldMs: wholeMs(ageMs),
        remainingMs: wholeMs(remainingMs),
      })),
    leasesTotal: leases.length,
  };
}

function nodeMessage(view: NodeStatus): MessageInitShape<typeof LockNodeSchema> {
  const { node, address, state, latencyMs, uptimeMs, quarantineLeftMs } = view;
  return {
    number: node,
    address,
    state: NODE_STATES[state],
    // To the microsecond: what is behind it is noise of floating point.
    ...(latencyMs === undefined ? {} : { latencyMs: Math.round(latencyMs * 1000) / 1000 }),
    ...(uptimeMs === undefined ? {} : { uptimeMs: BigInt(Math.floor(uptimeMs)) }),
    quarantineLeftMs: wholeMs(quarantineLeftMs),
    votesFor: BigInt(view.votesFor),
    votesAgainst: BigInt(view.votesAgainst),
    votesMissing: BigInt(view.votesMissing),
    reason: view.reason ?? "",
  };
}

/** Within an int32: a process that was paused for weeks has odd times, and is looked at all the more. */
function wholeMs(ms: number): number {
  return Math.min(Math.max(0, Math.floor(ms)), INT32_MAX);
}
