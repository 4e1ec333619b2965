/**
 * Redlock over independent Redis nodes: a lease is ours if a majority of all configured nodes said yes and
 * enough of its time is left when they had. A node that is down, silent or in quarantine is a missing vote, never a
 * smaller set. (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/)
 *
 * The waiting between attempts is the caller's. There is no timer that extends: a process extends when it is about to
 * do something under the lease, so one that hangs does not keep it, and one that works keeps it for a bounded time.
 */
import { compareKeys, type StockKey } from "../inventory/stock_key.ts";
import { Lock as NodesLock } from "redlock";
import { settledWithin } from "../base/bounded_wait.ts";
import type { Reread } from "../base/reread.ts";
import type { RedisAddress } from "../config/redis_address.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { type Attempt, redlockOver, tryAcquire, tryExtend } from "./attempt.ts";
import { quorumOf } from "./ballot.ts";
import { type Lease, LeaseLostError, LeaseTakenError, type Lock, QuorumLostError } from "./lock.ts";
import { type NodesAccess, openNodesAccess } from "./nodes/access.ts";
import { Node } from "./nodes/nodes.ts";
import { ScriptCalls } from "./nodes/script_call.ts";
import { Servers } from "./nodes/standing.ts";
import type { LeaseStatus, LockStatus } from "./status.ts";
import { tenureMsMax, usableValidityMs, validityMs } from "./validity.ts";
import { WaiterHints } from "./waiter_hints.ts";

/** How to reach the nodes, and for how long they are asked and leases last. */
export interface RedlockOptions {
  /** An odd count. */
  readonly nodes: readonly RedisAddress[];
  /** What they are dialled with, read anew; where absent, these addresses, and TLS by what the runtime trusts. */
  readonly access?: Reread<NodesAccess>;
  readonly ttlMs: number;
  /** Limit of every command to one node; far below the TTL. */
  readonly nodeTimeoutMs: number;
  /**
   * A node whose server started less than this ago has no vote. The longest TTL of all who share the nodes: `ttlMs`.
   */
  readonly quarantineMs?: number;
  /** Prefix of the keys: LOCK_KEY_PREFIX and `goods:`. Services with prefixes of their own can share nodes. */
  readonly keyPrefix: string;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** A clock that runs forward, in ms; `performance.now` by default. */
  readonly nowMs?: () => number;
}

/** How long `close` waits for releases, those of probes included. */
export const LOCK_CLOSE_MS_MAX = 1000;
/** At most one line in this time about votes that did not come to a quorum. */
const REPEAT_LOG_AFTER_MS = 5000;

/** Dials the nodes and makes the lock over them. */
export function createRedlock(options: RedlockOptions): Lock {
  const { nodes, ttlMs, nodeTimeoutMs, quarantineMs = ttlMs, random, nowMs = () => performance.now(), log } = options;
  // Under the prefix of the leases, which may be all that the user of a node is allowed; no goods has such a name.
  const probePrefix = `${options.keyPrefix}probe:`;
  const servers = new Servers();
  const calls = new ScriptCalls();
  const { access = openNodesAccess(nodes, { urls: undefined, tls: undefined }, log) } = options;
  const nodeOptions = {
    timeoutMs: nodeTimeoutMs,
    access,
    quarantineMs,
    probePrefix,
    servers,
    calls,
    random,
    nowMs,
    log,
  };
  return new QuorumLock({ ...options, nowMs }, nodes.map((_, i) => new Node(i + 1, nodeOptions)));
}

/** What this process has of one attempt's keys. */
interface Owned {
  readonly value: string;
  readonly sinceMs: number;
  /** Those that were not released yet. */
  readonly stockKeys: Set<StockKey>;
  /** When the attempt that it stands on began; -Infinity: it is lost. */
  startedMs: number;
}

class QuorumLock implements Lock {
  readonly #options: Required<Pick<RedlockOptions, "nowMs">> & RedlockOptions;
  readonly #nodes: readonly Node[];
  readonly #quorum: number;
  readonly #hints: WaiterHints;
  readonly #owned = new Set<Owned>();
  /** Messages under way that release something. */
  readonly #releasing = new Set<Promise<void>>();
  #loggedAtMs = -Infinity;
  #looks = 0;

  constructor(options: Required<Pick<RedlockOptions, "nowMs">> & RedlockOptions, nodes: readonly Node[]) {
    this.#options = options;
    this.#nodes = nodes;
    this.#quorum = quorumOf(nodes.length);
    this.#hints = new WaiterHints(nodes, (stockKey) => this.#key(stockKey));
  }

  async acquire(stockKeys: readonly StockKey[]): Promise<Lease> {
    const { ttlMs, nodeTimeoutMs, nowMs } = this.#options;
    // Both questions of an attempt, the second one for a node that did not know the script.
    const attemptMsMax = 2 * nodeTimeoutMs;
    for (let isFirst = true;; isFirst = false) {
      const startedMs = nowMs();
      const lease = await this.#attempt(stockKeys, startedMs);
      if (lease.remainingMs() >= usableValidityMs(ttlMs)) return lease;
      const leftMs = Math.round(lease.remainingMs());
      const spentMs = nowMs() - startedMs;
      lease.release();
      // While our loop goes no node may take that long: it was us who stood still, and they are asked once more.
      if (isFirst && spentMs > attemptMsMax) continue;
      throw new QuorumLostError(`The votes came too late: ${leftMs} of ${ttlMs} ms were left`);
    }
  }

  wantedByOthers(stockKeys: readonly StockKey[]): Promise<readonly StockKey[]> {
    return this.#hints.ofOthers(stockKeys, this.#quorum);
  }

  async seemsFree(stockKey: StockKey): Promise<boolean> {
    // One without a vote has forgotten who has what, or does not answer.
    const voting = this.#nodes.filter(({ noVoteReason }) => noVoteReason === undefined);
    const node = voting[this.#looks++ % voting.length];
    const values = await node?.values([this.#key(stockKey)]).catch(() => undefined);
    return values?.[0] === null;
  }

  async ping(): Promise<void> {
    const enough = Promise.withResolvers<void>();
    let voting = 0;
    // A node that froze does not delay the others.
    const all = Promise.all(this.#nodes.map(async (node) => {
      const reason = await node.probe();
      if (reason === undefined && ++voting >= this.#quorum) enough.resolve();
      return reason ?? "yes";
    }));
    const reasons = await Promise.race([all, enough.promise]);
    if (voting >= this.#quorum) return;
    throw new QuorumLostError(`${voting} of ${this.#nodes.length} Redis nodes may vote: ${reasons?.join(", ")}`);
  }

  status(): LockStatus {
    const nowMs = this.#options.nowMs();
    const leases = [...this.#owned].flatMap((owned): LeaseStatus[] => {
      const times = { ageMs: nowMs - owned.sinceMs, remainingMs: this.#remainingMs(owned) };
      return [...owned.stockKeys].map((stockKey) => ({ stockKey, ...times }));
    });
    return {
      quorum: this.#quorum,
      ttlMs: this.#options.ttlMs,
      nodes: this.#nodes.map(({ status }) => status),
      leases: leases.sort((a, b) => compareKeys(a.stockKey, b.stockKey)),
    };
  }

  async close(): Promise<void> {
    const probes = this.#nodes.map((node) => node.endProbes());
    await settledWithin(Promise.all([...this.#releasing, ...probes]), LOCK_CLOSE_MS_MAX);
    for (const node of this.#nodes) node.close();
  }

  /** What came of one question, however little of its time is left. */
  async #attempt(stockKeys: readonly StockKey[], startedMs: number): Promise<Lease> {
    const keys = stockKeys.map((stockKey) => this.#key(stockKey));
    const attempt = await tryAcquire(this.#nodes, keys, this.#options.ttlMs);
    if (attempt.lock === undefined) {
      this.#track(attempt.settled);
      throw await this.#refusal(attempt, stockKeys);
    }
    const owned = { value: attempt.lock.value, sinceMs: startedMs, stockKeys: new Set(stockKeys), startedMs };
    this.#owned.add(owned);
    return this.#lease(owned);
  }

  #key(stockKey: StockKey): string {
    return `${this.#options.keyPrefix}${stockKey}`;
  }

  #lease(owned: Owned): Lease {
    return {
      remainingMs: () => this.#remainingMs(owned),
      extend: () => this.#extend(owned),
      release: (stockKeys) => this.#release(owned, stockKeys ?? [...owned.stockKeys]),
    };
  }

  #remainingMs({ startedMs }: Owned): number {
    return validityMs(this.#options.ttlMs, this.#options.nowMs() - startedMs);
  }

  async #extend(owned: Owned): Promise<void> {
    const { ttlMs } = this.#options;
    const startedMs = this.#options.nowMs();
    const overMs = startedMs + ttlMs - owned.sinceMs - tenureMsMax(ttlMs);
    if (overMs > 0) return this.#lose(owned, `it would be held for longer than ${tenureMsMax(ttlMs)} ms`);
    if (this.#remainingMs(owned) <= 0) return this.#lose(owned, "it had run out");
    const keys = [...owned.stockKeys].map((stockKey) => this.#key(stockKey));
    // The library looks at the time of day; what counts is asked above, on the monotonic clock.
    const lock = new NodesLock(redlockOver(this.#nodes), keys, owned.value, [], Infinity);
    const attempt = await tryExtend(this.#nodes, lock, ttlMs);
    if (attempt.lock === undefined) return this.#lose(owned, `not kept by most nodes: ${attempt.ballot.tally}`);
    owned.startedMs = startedMs;
    if (this.#remainingMs(owned) < usableValidityMs(ttlMs)) this.#lose(owned, "the votes came too late");
  }

  /** Nothing may be done under it any more, and whoever waits may have it. */
  #lose(owned: Owned, why: string): never {
    owned.startedMs = -Infinity;
    this.#release(owned, [...owned.stockKeys]);
    throw new LeaseLostError(`The lease can't be renewed: ${why}`);
  }

  #release(owned: Owned, stockKeys: readonly StockKey[]): Promise<void> {
    for (const stockKey of stockKeys) owned.stockKeys.delete(stockKey);
    if (owned.stockKeys.size === 0) this.#owned.delete(owned);
    const keys = stockKeys.map((stockKey) => this.#key(stockKey));
    if (keys.length === 0) return Promise.resolve();
    const redlock = redlockOver(this.#nodes);
    return this.#track(
      redlock.release(new NodesLock(redlock, keys, owned.value, [], Infinity)).then(
        () => {},
        (error) =>
          this.#options.log.debug({ error: errorFields(error) }, "a lease was not released by a majority; it expires"),
      ),
    );
  }

  #track(releasing: Promise<void>): Promise<void> {
    this.#releasing.add(releasing);
    return releasing.finally(() => this.#releasing.delete(releasing));
  }

  async #refusal(
    { result, ballot }: Attempt,
    stockKeys: readonly StockKey[],
  ): Promise<LeaseTakenError | QuorumLostError> {
    const votes = ballot.tally;
    if (result === "no_quorum") {
      const nowMs = this.#options.nowMs();
      const isNews = nowMs - this.#loggedAtMs >= REPEAT_LOG_AFTER_MS;
      if (isNews) this.#loggedAtMs = nowMs;
      this.#options.log[isNews ? "warn" : "debug"]({ votes }, "no quorum of Redis nodes");
      return new QuorumLostError(`No quorum of Redis nodes: ${votes}`);
    }
    this.#options.log.debug({ votes, goods: stockKeys.length }, "goods are held by someone else");
    const refusing = this.#nodes.filter((_, i) => ballot.votes[i] === "no");
    const taken = await this.#takenOn(refusing, stockKeys);
    this.#hints.leave(refusing, taken);
    return new LeaseTakenError(`Goods are held by someone else: ${votes}`, taken);
  }

  /** Which of the goods have a key on some of these nodes; nodes that don't answer know of none. */
  async #takenOn(nodes: readonly Node[], stockKeys: readonly StockKey[]): Promise<readonly StockKey[]> {
    if (stockKeys.length === 1) return stockKeys;
    const keys = stockKeys.map((stockKey) => this.#key(stockKey));
    const answers = await Promise.all(nodes.map((node) => node.values(keys).catch((): (string | null)[] => [])));
    return stockKeys.filter((_, i) => answers.some((values) => typeof values[i] === "string"));
  }
}
