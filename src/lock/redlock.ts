/**
 * Redlock over independent Redis nodes: a lease is ours if a majority of all configured nodes said yes and
 * enough of its time is left when they had. A node that is down or silent is a missing vote, never a smaller
 * set. (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/)
 *
 * npm:redlock 5.0.0-beta.2 makes single attempts only: all nodes are asked at once, one script takes all
 * keys or none, only the holder's value deletes, a failed attempt lets go everywhere. Its own retries keep
 * minority votes and count validity from before the waiting, so the loop and the clock are ours.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import Redlock, { ExecutionError, type Lock as NodesLock, ResourceLockedError } from "redlock";
import { errorFields, type Log } from "../telemetry/log.ts";
import { type Lease, type Lock, LockHeldError, QuorumLostError } from "./lock.ts";
import { connectNodes } from "./nodes.ts";
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

/** Bounds of the random delay between attempts; the upper one grows by the factor with every attempt. */
const DELAY_MS_MIN = 1;
const DELAY_MS_FIRST = 8;
const DELAY_MS_MAX = 60;
const DELAY_GROWTH = 1.5;
/** How long `close` waits for releases. */
const CLOSE_MS_MAX = 1000;

/** Delay before attempt `attempt + 1` (from 1): random, bounded, its bound growing. */
export function retryDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(DELAY_MS_FIRST * DELAY_GROWTH ** (attempt - 1), DELAY_MS_MAX);
  return DELAY_MS_MIN + random * (ceiling - DELAY_MS_MIN);
}

/** Dials the nodes and makes the lock over them. */
export function createRedlock(options: RedlockOptions): Lock {
  return new QuorumLock(options, connectNodes(options.urls, options.nodeTimeoutMs, options.random, options.log));
}

class QuorumLock implements Lock {
  readonly #options: RedlockOptions;
  readonly #nodes: readonly Redis[];
  readonly #redlock: Redlock;
  readonly #quorum: number;
  readonly #releasing = new Set<Promise<void>>();

  constructor(options: RedlockOptions, nodes: Redis[]) {
    this.#options = options;
    this.#nodes = nodes;
    this.#quorum = Math.floor(nodes.length / 2) + 1;
    this.#redlock = new Redlock(nodes, { retryCount: 0, driftFactor: DRIFT_FACTOR });
    for (const node of nodes) node.on("ready", () => this.#teach(node));
  }

  async acquire(goodsIds: readonly number[], waitMs: number, signal: AbortSignal): Promise<Lease> {
    const keys = goodsIds.map((goodsId) => `${this.#options.keyPrefix}${goodsId}`);
    const startedMs = performance.now();
    for (let attempt = 1;; attempt++) {
      signal.throwIfAborted();
      const outcome = await this.#attempt(keys);
      if (!(outcome instanceof Error)) {
        if (!signal.aborted) return outcome;
        outcome.release();
        throw signal.reason;
      }
      const delayMs = retryDelayMs(attempt, this.#options.random());
      // The next attempt must be able to hear from a silent node before the wait is over.
      if (performance.now() - startedMs + delayMs + this.#options.nodeTimeoutMs > waitMs) throw outcome;
      await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
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
      new Promise((resolve) => timer = setTimeout(resolve, CLOSE_MS_MAX)),
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

  async #attempt(keys: string[]): Promise<Lease | LockHeldError | QuorumLostError> {
    const { ttlMs } = this.#options;
    const startedMs = performance.now();
    try {
      const lock = await this.#redlock.acquire(keys, ttlMs);
      const lease = this.#lease(lock, startedMs);
      if (lease.remainingMs() >= usableValidityMs(ttlMs)) return lease;
      lease.release();
      return new QuorumLostError(
        `The votes came too late: ${Math.round(lease.remainingMs())} of ${ttlMs} ms were left`,
      );
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      return await this.#refusal(error);
    }
  }

  #lease(lock: NodesLock, startedMs: number): Lease {
    return {
      remainingMs: () => validityMs(this.#options.ttlMs, performance.now() - startedMs),
      release: () => {
        const released = this.#redlock.release(lock).then(
          () => {},
          (error) =>
            this.#options.log.debug({ error: errorFields(error) }, "a lease was not let go by a majority; it expires"),
        );
        this.#releasing.add(released);
        return released.finally(() => this.#releasing.delete(released));
      },
    };
  }

  async #refusal(error: ExecutionError): Promise<LockHeldError | QuorumLostError> {
    const votes = await error.attempts[0];
    if (votes === undefined) return new QuorumLostError("No votes were cast", { cause: error });
    const silent = [...votes.votesAgainst.values()].filter((reason) => !(reason instanceof ResourceLockedError));
    const asked = votes.membershipSize - silent.length;
    const tally = `${votes.votesFor.size} for, ${asked - votes.votesFor.size} held by others, ${silent.length} silent`;
    return asked >= this.#quorum
      ? new LockHeldError(`Goods are held by someone else: ${tally}`)
      : new QuorumLostError(`No quorum of Redis nodes: ${tally}`, { cause: silent[0] });
  }
}
