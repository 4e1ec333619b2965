/**
 * Redlock over independent Redis nodes: a lease is ours if a majority of all configured nodes said yes and
 * enough of its time is left when they had. A node that is down or silent is a missing vote, never a smaller
 * set. (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/)
 *
 * npm:redlock 5.0.0-beta.2 makes single attempts only: all nodes are asked at once, one script takes all
 * keys or none, only the holder's value deletes, a failed attempt lets go everywhere. Its own retries keep
 * minority votes and count validity from before the waiting, so the clock is ours, and the waiting is the caller's.
 */
import type { Redis } from "ioredis";
import Redlock, { ExecutionError, Lock as NodesLock, ResourceLockedError } from "redlock";
import { errorFields, type Log } from "../telemetry/log.ts";
import { type Lease, LeaseLostError, type Lock, LockHeldError, QuorumLostError } from "./lock.ts";
import { connectNodes } from "./nodes.ts";
import { ACQUIRE_SCRIPT, RELEASE_SCRIPT } from "./scripts.ts";
import { DRIFT_FACTOR, usableValidityMs, validityMs } from "./validity.ts";

/** How to reach the nodes, and for how long they are asked and hold. */
export interface RedlockOptions {
  /** One URL a node; an odd count. */
  readonly urls: readonly string[];
  readonly ttlMs: number;
  /** Limit of every command to one node; far below the TTL. */
  readonly nodeTimeoutMs: number;
  /** Prefix of the keys, so that several services can share nodes. */
  readonly keyPrefix: string;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** How long a mark says that somebody wants a goods; whoever waits asks, and marks, more often by far. */
const WANTED_MS = 100;
/** How long `close` waits for releases. */
export const LOCK_CLOSE_MS_MAX = 1000;

/** Dials the nodes and makes the lock over them. */
export function createRedlock(options: RedlockOptions): Lock {
  return new QuorumLock(options, connectNodes(options.urls, options.nodeTimeoutMs, options.random, options.log));
}

class QuorumLock implements Lock {
  readonly #options: RedlockOptions;
  readonly #nodes: readonly Redis[];
  readonly #redlock: Redlock;
  readonly #quorum: number;
  /** Tells the marks of this process from those of others. */
  readonly #name = crypto.randomUUID();
  readonly #releasing = new Set<Promise<void>>();

  constructor(options: RedlockOptions, nodes: Redis[]) {
    this.#options = options;
    this.#nodes = nodes;
    this.#quorum = Math.floor(nodes.length / 2) + 1;
    this.#redlock = new Redlock(nodes, { retryCount: 0, driftFactor: DRIFT_FACTOR }, {
      acquireScript: () => ACQUIRE_SCRIPT,
      releaseScript: () => RELEASE_SCRIPT,
    });
    for (const node of nodes) node.on("ready", () => this.#teach(node));
  }

  async acquire(goodsIds: readonly number[]): Promise<Lease> {
    const { ttlMs } = this.#options;
    const startedMs = performance.now();
    try {
      const lock = await this.#redlock.acquire(goodsIds.map((goodsId) => this.#key(goodsId)), ttlMs);
      const lease = this.#lease(lock, startedMs);
      if (lease.remainingMs() >= usableValidityMs(ttlMs)) return lease;
      lease.release();
      throw new QuorumLostError(`The votes came too late: ${Math.round(lease.remainingMs())} of ${ttlMs} ms were left`);
    } catch (error) {
      throw error instanceof ExecutionError ? await this.#refusal(error, goodsIds) : error;
    }
  }

  async wantedByOthers(goodsIds: readonly number[]): Promise<readonly number[]> {
    const marks = goodsIds.map((goodsId) => this.#wantedKey(goodsId));
    const wanted = new Set<number>();
    // Not all of them: a node that froze would hold up whoever asks for as long as its time limit.
    await settledCount(this.#nodes.map((node) => this.#addMarked(node, marks, goodsIds, wanted)), this.#quorum);
    return [...wanted];
  }

  async #addMarked(node: Redis, marks: string[], goodsIds: readonly number[], wanted: Set<number>): Promise<void> {
    const names = await node.mget(marks);
    goodsIds.forEach((goodsId, i) => {
      if (typeof names[i] === "string" && names[i] !== this.#name) wanted.add(goodsId);
    });
  }

  async ping(): Promise<void> {
    const answers = await Promise.allSettled(this.#nodes.map((node) => node.ping()));
    const alive = answers.filter((answer) => answer.status === "fulfilled").length;
    if (alive < this.#quorum) throw new QuorumLostError(`${alive} of ${this.#nodes.length} Redis nodes answer`);
  }

  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      Promise.all(this.#releasing),
      new Promise((resolve) => timer = setTimeout(resolve, LOCK_CLOSE_MS_MAX)),
    ]);
    clearTimeout(timer);
    for (const node of this.#nodes) node.disconnect();
  }

  /**
   * Brings redlock's scripts to a node that may have been restarted, before anything else is sent to it. To a
   * node without them redlock sends a script a second time, as text, and then a release could overtake the
   * acquire that it undoes, and the keys would stand until they expire.
   */
  #teach(node: Redis): void {
    for (const { value } of Object.values(this.#redlock.scripts)) {
      // If this fails the script is sent as text, later and with the hazard above.
      node.script("LOAD", value).catch(() => {});
    }
  }

  #key(goodsId: number): string {
    return `${this.#options.keyPrefix}${goodsId}`;
  }

  #wantedKey(goodsId: number): string {
    return `wanted:${this.#key(goodsId)}`;
  }

  #lease(lock: NodesLock, startedMs: number): Lease {
    return {
      renew: () => Promise.reject(new LeaseLostError("not yet")),
      remainingMs: () => validityMs(this.#options.ttlMs, performance.now() - startedMs),
      release: (goodsIds) => {
        const part = goodsIds?.map((goodsId) => this.#key(goodsId)) ?? lock.resources;
        const released = this.#redlock.release(new NodesLock(this.#redlock, part, lock.value, [], lock.expiration))
          .then(
            () => {},
            (error) =>
              this.#options.log.debug(
                { error: errorFields(error) },
                "a lease was not let go by a majority; it expires",
              ),
          );
        this.#releasing.add(released);
        return released.finally(() => this.#releasing.delete(released));
      },
    };
  }

  async #refusal(error: ExecutionError, goodsIds: readonly number[]): Promise<LockHeldError | QuorumLostError> {
    const votes = await error.attempts[0];
    if (votes === undefined) return new QuorumLostError("No votes were cast", { cause: error });
    const silent = [...votes.votesAgainst.values()].filter((reason) => !(reason instanceof ResourceLockedError));
    const asked = votes.membershipSize - silent.length;
    const tally = `${votes.votesFor.size} for, ${asked - votes.votesFor.size} held by others, ${silent.length} silent`;
    if (asked < this.#quorum) {
      return new QuorumLostError(`No quorum of Redis nodes: ${tally}`, { cause: silent[0] });
    }
    const refusing = this.#nodes.filter((node) => votes.votesAgainst.get(node) instanceof ResourceLockedError);
    const held = await this.#heldOn(refusing, goodsIds);
    for (const node of refusing) this.#markWanted(node, held);
    return new LockHeldError(`Goods are held by someone else: ${tally}`, held);
  }

  /** Tells whoever holds the goods that somebody waits. Only a hint, so nobody waits for it and its loss costs little. */
  #markWanted(node: Redis, goodsIds: readonly number[]): void {
    if (goodsIds.length === 0) return;
    const marks = node.pipeline();
    for (const goodsId of goodsIds) marks.set(this.#wantedKey(goodsId), this.#name, "PX", WANTED_MS);
    marks.exec().catch(() => {});
  }

  /** Which of the goods have a key on some of these nodes; nodes that don't answer know of none. */
  async #heldOn(nodes: readonly Redis[], goodsIds: readonly number[]): Promise<readonly number[]> {
    if (goodsIds.length === 1) return goodsIds;
    const keys = goodsIds.map((goodsId) => this.#key(goodsId));
    const answers = await Promise.all(nodes.map((node) => node.mget(keys).catch(() => [])));
    return goodsIds.filter((_, i) => answers.some((values) => typeof values[i] === "string"));
  }
}

/** Resolves once so many of the promises are settled, whichever way. */
function settledCount(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  return new Promise((resolve) => {
    let settled = 0;
    const settle = () => {
      if (++settled === count) resolve();
    };
    for (const promise of promises) promise.then(settle, settle);
  });
}
