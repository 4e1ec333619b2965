/**
 * One attempt of npm:redlock (5.0.0-beta.2) on all nodes at once, which ends at the vote that makes its result certain.
 *
 * Of the library is used: `acquire`, `extend` and `release` on all keys and all nodes at once, its random values, and
 * its sending of a script by hash, or as text to a node that does not know it. Not used are: its scripts (ours cost a
 * fraction, scripts.ts), its retries (they keep the votes of a minority, and count validity from before the waiting),
 * its `expiration` (by the time of day; ours is counted on the monotonic clock, validity.ts), `using` (its timer
 * extends the lease of a process that hangs), and its own count of the votes (it reports a refusal only when it has
 * released everywhere, and who voted how only when the last node has answered, which one that froze delays for its
 * whole time limit). It stays because it is the implementation that people know of the rules that this lock promises,
 * and what is used of it does what it should; the parts that are not used are those of which that is not so.
 *
 * So the library asks the nodes through voters, which fill in a ballot; a node without a vote is not asked.
 */
import Redlock, { ExecutionError, type Lock as NodesLock, type Settings } from "redlock";
import { Ballot, type Result, type Vote } from "./ballot.ts";
import { ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT, scriptHash } from "./scripts.ts";
import { DRIFT_FACTOR } from "./validity.ts";

/** Runs scripts. Every promise settles within the node's time limit. */
export interface Scripted {
  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown>;
  eval(script: string, keyCount: number, args: (string | number)[]): Promise<unknown>;
}

/** What an attempt needs of a node. */
export interface VotingNode extends Scripted {
  /** Why it has no vote now; undefined if it has. */
  readonly noVoteReason: string | undefined;
  /** Counts each of its votes, also those that come when the result is certain. */
  count(vote: Vote): void;
}

/** How an attempt ended. */
export interface Attempt {
  readonly result: Result;
  readonly ballot: Ballot;
  /** What was acquired; undefined unless the result says so. */
  readonly lock: NodesLock | undefined;
  /** Resolves when the nodes were asked to release what was not acquired; until then it is under way. */
  readonly settled: Promise<void>;
}

/** Single attempts only: the library's own retries keep minority votes, and count validity from before the waiting. */
const SETTINGS: Partial<Settings> = { retryCount: 0, driftFactor: DRIFT_FACTOR };
const HASHES = new Map(
  [ACQUIRE_SCRIPT, EXTEND_SCRIPT].map((script) => [script, scriptHash(script)]),
);
const SCRIPTS = {
  acquireScript: () => ACQUIRE_SCRIPT,
  extendScript: () => EXTEND_SCRIPT,
  releaseScript: () => RELEASE_SCRIPT,
};

/** The library over no node: a new one would hash its three scripts again. */
const OVER_NONE = new Redlock([{}] as unknown as ConstructorParameters<typeof Redlock>[0], SETTINGS, SCRIPTS);

/** The library over these nodes, without voters: for releases, which go to every node. */
export function redlockOver(nodes: readonly Scripted[]): Redlock {
  // It asks nothing else of its clients.
  return Object.create(OVER_NONE, { clients: { value: new Set(nodes) } });
}

/** Asks all nodes for all keys for `ttlMs`. Never rejects for what nodes say or don't say. */
export function tryAcquire(nodes: readonly VotingNode[], keys: string[], ttlMs: number): Promise<Attempt> {
  return attempt(nodes, ACQUIRE_SCRIPT, (redlock) => redlock.acquire(keys, ttlMs));
}

/** Asks all nodes to keep for another `ttlMs` what the lock has. Its own expiry must not have passed. */
export function tryExtend(nodes: readonly VotingNode[], lock: NodesLock, ttlMs: number): Promise<Attempt> {
  return attempt(nodes, EXTEND_SCRIPT, (redlock) => redlock.extend(lock, ttlMs));
}

async function attempt(
  nodes: readonly VotingNode[],
  script: string,
  ask: (redlock: Redlock) => Promise<NodesLock>,
): Promise<Attempt> {
  const ballot = new Ballot(nodes.length);
  const asked = ask(redlockOver(nodes.map((node, index) => new Voter(node, index, ballot, script))));
  const settled = asked.then(() => {}, () => {});
  const failed = asked.then(() => ballot.decided, (error) => {
    // Too few said yes, of which the ballot knows more. Anything else is no vote but a fault.
    if (error instanceof ExecutionError) return ballot.decided;
    throw error;
  });
  const result = await Promise.race([ballot.decided, failed]);
  return { result, ballot, lock: result === "acquired" ? await asked : undefined, settled };
}

/** A node as the library sees it. What is asked with the attempt's own script is a vote; all else just goes through. */
class Voter implements Scripted {
  readonly #node: VotingNode;
  readonly #index: number;
  readonly #ballot: Ballot;
  readonly #script: string;

  constructor(node: VotingNode, index: number, ballot: Ballot, script: string) {
    this.#node = node;
    this.#index = index;
    this.#ballot = ballot;
    this.#script = script;
  }

  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    const ask = () => this.#node.evalsha(hash, keyCount, args);
    return hash === HASHES.get(this.#script) ? this.#vote(keyCount, ask) : ask();
  }

  eval(script: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    const ask = () => this.#node.eval(script, keyCount, args);
    return script === this.#script ? this.#vote(keyCount, ask) : ask();
  }

  async #vote(keyCount: number, ask: () => Promise<unknown>): Promise<unknown> {
    const { noVoteReason } = this.#node;
    let answer: unknown;
    try {
      if (noVoteReason !== undefined) throw new Error(noVoteReason);
      answer = await ask();
    } catch (error) {
      const { message } = error as Error;
      // The library then sends the script as text, and that is the vote.
      if (!message.startsWith("NOSCRIPT")) this.#cast("missing", message);
      throw error;
    }
    this.#cast(answer === keyCount ? "yes" : "no");
    return answer;
  }

  #cast(vote: Vote, reason?: string): void {
    this.#node.count(vote);
    this.#ballot.cast(this.#index, vote, reason);
  }
}
