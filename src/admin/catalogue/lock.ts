/** The lock on goods, in mode redlock alone: its nodes and its leases, as this process sees them. */
import type { LockStatus, NodeState, NodeStatus } from "../../lock/status.ts";
import { SECONDS } from "../../telemetry/measures.ts";
import { each, flag, type Metric, one, type Sample } from "../metric.ts";
import type { Sources } from "../sources.ts";

/** Labels of a node. */
const NODE = "place in REDIS_URLS, from 1";
const STATES: Readonly<Record<NodeState, 0>> = { up: 0, down: 0, refused: 0, quarantined: 0 };

export const LOCK: readonly Metric[] = [
  {
    name: "holdfast_lock_node_state",
    type: "gauge",
    help: "1 for the state that the node is in; only one that is up has a vote",
    labels: { node: NODE, state: Object.keys(STATES) },
    across: "min",
    read: ofNodes(({ node, state }) =>
      each("state", { ...STATES, [state]: 1 }).map((sample) => labelled(sample, node))
    ),
  },
  {
    name: "holdfast_lock_node_latency_seconds",
    type: "gauge",
    help: "how long the node took for its last vote",
    labels: { node: NODE },
    across: "max",
    read: ofNodes(({ node, latencyMs }) =>
      latencyMs === undefined ? [] : [labelled({ value: latencyMs / 1000 }, node)]
    ),
  },
  {
    name: "holdfast_lock_votes_total",
    type: "counter",
    help: "votes on leases: yes; no, somebody has it; missing, as the node is down, silent, late or in quarantine",
    labels: { node: NODE, vote: ["yes", "no", "missing"] },
    across: "sum",
    read: ofNodes(({ node, votesFor, votesAgainst, votesMissing }) =>
      each("vote", { yes: votesFor, no: votesAgainst, missing: votesMissing }).map((sample) => labelled(sample, node))
    ),
  },
  {
    name: "holdfast_lock_quorum",
    type: "gauge",
    help: "votes that a lease takes: a majority of all nodes that are configured",
    across: "max",
    read: ofLock(({ quorum }) => quorum),
  },
  {
    name: "holdfast_lock_nodes_up",
    type: "gauge",
    help: "nodes that have a vote; fewer than the quorum, and no lease can be had",
    across: "min",
    read: ofLock(({ nodes }) => nodes.filter(({ state }) => state === "up").length),
  },
  {
    name: "holdfast_lock_has_quorum",
    type: "gauge",
    help: "1: enough nodes have a vote",
    across: "min",
    read: ofLock(({ quorum, nodes }) => flag(nodes.filter(({ state }) => state === "up").length >= quorum)),
  },
  {
    name: "holdfast_lock_acquire_seconds",
    type: "histogram",
    help: "how long an attempt on leases took; `taken`: another process has some of the goods",
    labels: { result: ["acquired", "taken", "no_quorum", "failed"] },
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) =>
      measures.stock.acquireSeconds.all.map(([result, of]) => ({ labels: { result }, of })),
  },
  {
    name: "holdfast_lease_extensions_total",
    type: "counter",
    help: "leases that were extended, or lost when they were to be",
    labels: { result: ["extended", "lost"] },
    across: "sum",
    read: ({ served: { measures } }) => each("result", measures.stock.extensions.counts),
  },
  {
    name: "holdfast_leases",
    type: "gauge",
    help: "goods whose lease this process has",
    across: "sum",
    read: ofLock(({ leases }) => leases.length),
  },
];

function ofLock(value: (status: LockStatus) => number): (sources: Sources) => readonly Sample[] {
  return ({ served: { lock } }) => {
    const status = lock();
    return one(status && value(status));
  };
}

function ofNodes(samples: (node: NodeStatus) => readonly Sample[]): (sources: Sources) => readonly Sample[] {
  return ({ served: { lock } }) => (lock()?.nodes ?? []).flatMap(samples);
}

function labelled({ labels, value }: Sample, node: number): Sample {
  return { labels: { node: String(node), ...labels }, value };
}
