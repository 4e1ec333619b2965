/**
 * inventory.v1.LockService: tells what this process knows of the lock. It is given a view and encodes it, asks nobody,
 * and knows neither the lock nor its nodes.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  Concurrency,
  type LockNodeSchema,
  LockNodeState,
  type LockService,
  QuorumLoss,
  type StatusResponseSchema,
} from "../../gen/inventory/v1/lock_pb.ts";
import type { FallbackView } from "../../lanes/modes/quorum_fallback.ts";
import type { ModeName as ConcurrencyName, QuorumLoss as QuorumLossName } from "../../config/mode_names.ts";

/** One node, as this process sees it. */
export interface NodeView {
  /** Place in REDIS_URLS, from 1. */
  readonly node: number;
  /** `host:port`. It is told as it is, so it has no password. */
  readonly address: string;
  readonly state: "up" | "down" | "quarantined";
  /** Why it has no vote, in bounded text without secrets: it is told as it is. Undefined if it has one. */
  readonly reason: string | undefined;
  /** Of its last vote. */
  readonly latencyMs: number | undefined;
  /** At the least; undefined while it is not known. */
  readonly uptimeMs: number | undefined;
  /** Until it may vote; 0 unless quarantined. */
  readonly quarantineLeftMs: number;
  /** Since this process started: yes; no, somebody holds it; none. */
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly votesMissing: number;
}

/** A goods that this process holds. */
export interface LeaseView {
  readonly goodsId: number;
  readonly heldMs: number;
  /** 0 or less: it may be somebody else's by now. */
  readonly remainingMs: number;
}

/** The lock over the nodes, and what becomes of orders without it. */
export interface RedlockView {
  readonly quorumLoss: QuorumLossName;
  readonly fallback: FallbackView;
  readonly quorum: number;
  readonly ttlMs: number;
  readonly nodes: readonly NodeView[];
  /** In any order. */
  readonly leases: readonly LeaseView[];
}

/** What may be told. */
export interface LockView {
  readonly concurrency: ConcurrencyName;
  /** Undefined in the ways without Redis. */
  readonly redlock: RedlockView | undefined;
}

/** What the service is made of. */
export interface LockServiceOptions {
  /** The view of now. Called once a call; it asks nobody. */
  readonly status: () => LockView;
}

/** Most leases in one answer; a process holds no more than a few thousand. */
export const LEASES_TOLD_MAX = 1000;
const INT32_MAX = 2 ** 31 - 1;

const CONCURRENCIES: Readonly<Record<ConcurrencyName, Concurrency>> = {
  redlock: Concurrency.REDLOCK,
  row: Concurrency.ROW,
  optimistic: Concurrency.OPTIMISTIC,
};
const QUORUM_LOSSES: Readonly<Record<QuorumLossName, QuorumLoss>> = {
  refuse: QuorumLoss.REFUSE,
  row: QuorumLoss.ROW,
};
const NODE_STATES: Readonly<Record<NodeView["state"], LockNodeState>> = {
  up: LockNodeState.UP,
  down: LockNodeState.DOWN,
  quarantined: LockNodeState.QUARANTINED,
};

/** The handlers of the service. They throw nothing of their own. */
export function createLockService({ status }: LockServiceOptions): ServiceImpl<typeof LockService> {
  return { status: () => statusMessage(status()) };
}

function statusMessage({ concurrency, redlock }: LockView): MessageInitShape<typeof StatusResponseSchema> {
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
    leases: leases.toSorted((a, b) => a.goodsId - b.goodsId).slice(0, LEASES_TOLD_MAX)
      .map(({ goodsId, heldMs, remainingMs }) => ({
        goodsId,
        heldMs: wholeMs(heldMs),
        remainingMs: wholeMs(remainingMs),
      })),
    leasesTotal: leases.length,
  };
}

function nodeMessage(view: NodeView): MessageInitShape<typeof LockNodeSchema> {
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
