/**
 * The control arms: what the checker finds when a protection is taken out. Each is one fault at the worst moment, and
 * run twice: without the protection, where it must find something, and with it, where it must find nothing. Where the
 * fence is out in both, it is the lock alone that is shown to suffice.
 */
import type { Protection } from "../protections/names.ts";
import { GOODS, sale, STOCK } from "./arm_bench.ts";
import { keptLevel } from "./kept_level.ts";
import { latePacket, stalledCommit } from "./lost_writes.ts";
import { expired, transferred, twoExpect, twoTabs } from "./stock_scenarios.ts";
import {
  cutAfterCommit,
  deleteKeys,
  killedBeforeCommit,
  killedPostgres,
  lockedRow,
  meeting,
  partition,
  restartedNodes,
  type Scenario,
  sentAgain,
  writtenBack,
} from "./scenarios.ts";

/** One arm. */
export interface Arm {
  readonly name: string;
  /** The faults of the suite that the protection is aimed at. */
  readonly faults: string;
  /** Out in both runs, so that nothing else stands in for the protection. */
  readonly base: readonly Protection[];
  /** Out in the first run only. */
  readonly out: readonly Protection[];
  readonly run: Scenario;
}

/** All arms. */
export const ARMS: readonly Arm[] = [
  {
    name: "two processes at once",
    faults: "every fault of the lock",
    base: ["lease"],
    out: ["fence"],
    run: meeting("after_read"),
  },
  {
    name: "released before the commit, as the article's author does",
    faults: "plain concurrency",
    base: ["fence"],
    out: ["commit_before_release"],
    run: meeting("before_commit"),
  },
  {
    name: "rows read without locking them",
    faults: "plain concurrency, by row locks",
    base: ["fence"],
    out: ["lease"],
    run: meeting("after_read", { env: { CONCURRENCY: "row" } }),
  },
  {
    name: "optimistic, and nobody looks whether rows have moved",
    faults: "plain concurrency, optimistic",
    base: [],
    out: ["fence"],
    run: meeting("before_commit", { env: { CONCURRENCY: "optimistic" } }),
  },
  {
    name: "three nodes restarted empty within the TTL",
    faults: "redis down, restarted",
    base: ["fence"],
    out: ["quarantine"],
    run: restartedNodes,
  },
  {
    name: "owner paused beyond its TTL before it has looked",
    faults: "process paused, after lease and after read",
    base: ["fence", "decision_age"],
    out: ["recheck"],
    run: meeting("after_read", { isPaused: true }),
  },
  {
    name: "owner paused beyond its TTL when it has looked",
    faults: "process paused, before commit",
    base: ["decision_age"],
    out: ["fence"],
    run: meeting("before_commit", { isPaused: true }),
  },
  {
    name: "keys gone before their time",
    faults: "redis keys expired early, deleted; clocks",
    base: [],
    out: ["fence"],
    run: meeting("before_commit", { meanwhile: deleteKeys }),
  },
  {
    name: "sold by a level that is kept, and that another process has moved",
    faults: "plain concurrency; whatever has a process think that nobody else was there",
    base: [],
    out: ["fence"],
    run: keptLevel({ other: sale("other"), first: sale("first") }),
  },
  {
    name: "refused by a level that is kept, and that another process has filled up",
    faults: "plain concurrency",
    base: [],
    out: ["fresh_refusal"],
    run: keptLevel({
      other: { kind: "set", goodsId: GOODS, num: 2 * STOCK },
      first: { kind: "sell", orderId: "first", lines: [{ goodsId: GOODS, num: 2 * STOCK }] },
    }),
  },
  {
    name: "two of five nodes on one side, three on the other",
    faults: "redis links cut, stalled, slow, answers dropped",
    base: ["fence"],
    out: ["majority"],
    run: partition,
  },
  {
    name: "sent again after its server was killed behind the commit",
    faults: "killed after commit; answers lost, callers gone, deadlines, duplicates, reordering",
    base: [],
    out: ["order_ids"],
    run: sentAgain,
  },
  {
    name: "server killed before the commit, callers answered early",
    faults: "process killed before commit",
    base: [],
    out: ["commit_before_answer"],
    run: killedBeforeCommit,
  },
  {
    name: "server killed in the middle of an order",
    faults: "killed; disk full, connections taken or cut: whatever ends a write in the middle",
    base: [],
    out: ["one_statement"],
    run: killedBeforeCommit,
  },
  {
    name: "connection cut after the commit was sent",
    faults: "postgres link cut, half-closed, stalled, answers dropped",
    base: [],
    out: ["outcome_lookup"],
    run: cutAfterCommit,
  },
  {
    name: "commit stalled beyond the statement limit, and another caller of the batch leaves",
    faults: "commits wait for a standby",
    base: [],
    out: ["lost_write", "committed_ground"],
    run: stalledCommit,
  },
  {
    name: "a packet with a write seconds late, and another caller of the batch leaves",
    faults: "a packet with a write comes late; postgres link stalled, slow",
    base: ["decision_age"],
    out: ["lost_write", "committed_ground"],
    run: latePacket,
  },
  {
    name: "PostgreSQL killed behind the commit",
    faults: "postgres killed, restarted",
    base: [],
    out: ["durable_commit"],
    run: killedPostgres,
  },
  {
    name: "a foreign session has a row in the middle of an order",
    faults: "deadlocks and serialization errors by a session that locks rows in the wrong order",
    base: [],
    out: ["one_statement"],
    run: lockedRow,
  },
  {
    name: "another version beside this one that believes what it read",
    faults: "the version before beside this one; processes in different modes beside each other",
    base: ["lease"],
    out: ["fence"],
    run: meeting("after_read", { second: [] }),
  },
  {
    name: "a migration beside the server that writes back what it read",
    faults: "migration beside a serving process",
    base: [],
    out: ["fence"],
    run: writtenBack,
  },
  {
    name: "a hold whose time is up, and nobody has come by yet",
    faults: "holds that run out under load",
    base: [],
    out: ["expiry"],
    run: expired,
  },
  {
    name: "a buyer's two tabs, counted before the goods is read",
    faults: "plain concurrency, of one buyer",
    base: ["lease"],
    out: ["buyer_count"],
    run: twoTabs,
  },
  {
    name: "half of a transfer",
    faults: "whatever ends a write in the middle",
    base: [],
    out: ["whole_transfer"],
    run: transferred,
  },
  {
    name: "two that expect one version, compared before the goods is read",
    faults: "plain concurrency, by compare and set",
    base: ["lease"],
    out: ["fenced_expectation"],
    run: twoExpect,
  },
];
