/**
 * The independent Redis nodes. Each command has a time limit, nothing queues up for a node that is away, one that froze
 * is dropped and dialled again, and after every dial it has no vote before its uptime is known and long enough.
 *
 *     down --ready--> uptime unknown --known--> in quarantine --its TTL is over--> voting
 *     any  --close--> down
 */
import { Redis } from "ioredis";
import { errorSummary, type Log } from "../telemetry/log.ts";
import type { VotingNode } from "./attempt.ts";
import type { Vote } from "./ballot.ts";
import { DoubtfulVotes } from "./doubtful_votes.ts";
import { leastUptimeMs, quarantineLeftMs, type Uptime, uptimeMs } from "./quarantine.ts";
import { ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT, scriptHash } from "./scripts.ts";
import type { NodeStatus } from "./status.ts";

const ACQUIRE_HASH = scriptHash(ACQUIRE_SCRIPT);
const RELEASE_HASH = scriptHash(RELEASE_SCRIPT);

const REDIS_PORT = 6379;
/** A node's connection that took nothing in for this many node timeouts is dropped. */
const FROZEN_AFTER_TIMEOUTS = 8;
/** Bounds of the random delay before dialling again. */
const REDIAL_MS_MIN = 50;
const REDIAL_MS_MAX = 1000;
/** Pause before a node that did not tell its uptime is asked again, as long as its connection lives. */
const ASK_AGAIN_MS = 200;
/** At most one line in this time about the same node being away. */
const REPEAT_LOG_AFTER_MS = 60_000;

/** How nodes are dialled. */
export interface NodeOptions {
  /** Limit of every command. */
  readonly timeoutMs: number;
  /** A server that started less than this ago has no vote. */
  readonly quarantineMs: number;
  /** Answers in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** One node: its connection, its right to vote, and what it said so far. Never throws for a node that is away. */
export class Node implements VotingNode {
  /** For commands that are no votes. */
  readonly redis: Redis;
  readonly #number: number;
  readonly #address: string;
  readonly #options: NodeOptions;
  /** Of the server behind the connection that lives now. */
  #uptime: Uptime | undefined;
  #connected = false;
  readonly #votes: Record<Vote, number> = { yes: 0, no: 0, missing: 0 };
  readonly #doubtful = new DoubtfulVotes();
  #latencyMs: number | undefined;
  #away = false;
  #loggedAtMs = -Infinity;

  /** `number` is its place among the nodes, from 1. */
  constructor(url: string, number: number, options: NodeOptions) {
    const { timeoutMs, random } = options;
    this.#options = options;
    this.#number = number;
    const { hostname, port } = new URL(url);
    this.#address = `${hostname}:${port || REDIS_PORT}`;
    this.redis = new Redis(url, {
      connectionName: "holdfast",
      commandTimeout: timeoutMs,
      connectTimeout: timeoutMs * 2,
      socketTimeout: timeoutMs * FROZEN_AFTER_TIMEOUTS,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // A lease asked for on a connection that broke must not be asked for again on the next one: by then
      // nobody waits for the answer, and the key would stand until it expires.
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times: number) => {
        const ceiling = Math.min(REDIAL_MS_MIN * 2 ** Math.min(times, 10), REDIAL_MS_MAX);
        return REDIAL_MS_MIN + random() * (ceiling - REDIAL_MS_MIN);
      },
    });
    this.redis.on("ready", () => void this.#greet());
    this.redis.on("close", () => {
      this.#connected = false;
      this.#uptime = undefined;
    });
    this.redis.on("error", (error: Error) => this.#tellAway(error));
  }

  get noVoteReason(): string | undefined {
    if (!this.#connected) return "down";
    if (this.#uptime === undefined) return "its uptime is not known yet";
    return this.#quarantineLeftMs() > 0 ? "in quarantine" : undefined;
  }

  /** What is known of it. */
  get status(): NodeStatus {
    const quarantineLeft = this.#quarantineLeftMs();
    return {
      node: this.#number,
      address: this.#address,
      state: !this.#connected ? "down" : this.noVoteReason === undefined ? "up" : "quarantined",
      latencyMs: this.#latencyMs,
      uptimeMs: this.#uptime === undefined ? undefined : uptimeMs(this.#uptime, performance.now()),
      quarantineLeftMs: this.#connected ? quarantineLeft : 0,
      votesFor: this.#votes.yes,
      votesAgainst: this.#votes.no,
      votesMissing: this.#votes.missing,
    };
  }

  count(vote: Vote): void {
    this.#votes[vote]++;
  }

  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    return this.#told(hash, keyCount, args, this.redis.evalsha(hash, keyCount, ...args));
  }

  eval(script: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    return this.#told(scriptHash(script), keyCount, args, this.redis.eval(script, keyCount, ...args));
  }

  /** Notes what the node may have, and has no more. */
  async #told(hash: string, keyCount: number, args: (string | number)[], answer: Promise<unknown>): Promise<unknown> {
    const asked = { value: String(args[keyCount]), keys: args.slice(0, keyCount).map(String) };
    try {
      const result = await this.#timed(answer);
      if (hash === RELEASE_HASH) this.#doubtful.clear(asked);
      return result;
    } catch (error) {
      const isAnswer = (error as Error).name === "ReplyError";
      if (!isAnswer && (hash === ACQUIRE_HASH || hash === RELEASE_HASH)) this.#doubtful.add(asked);
      throw error;
    }
  }

  async #timed(answer: Promise<unknown>): Promise<unknown> {
    const askedMs = performance.now();
    const result = await answer;
    this.#latencyMs = performance.now() - askedMs;
    return result;
  }

  /** Uptime that is not known yet may be none at all. */
  #quarantineLeftMs(): number {
    const { quarantineMs } = this.#options;
    return this.#uptime === undefined ? quarantineMs : quarantineLeftMs(this.#uptime, quarantineMs, performance.now());
  }

  /**
   * Brings the scripts to a node that may have been restarted, before anything else is sent to it, lets go of what it may
   * have given unheard, and asks for how long it has run. To a node without the scripts redlock sends one a second time, as text, and then a release could
   * overtake the acquire that it undoes, and the keys would stand until they expire.
   */
  async #greet(): Promise<void> {
    if (this.#away) this.#options.log.info({ node: this.#number }, "Redis node is back");
    this.#away = false;
    this.#connected = true;
    for (const script of [ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT]) {
      // If this fails the script is sent as text, later and with the hazard above.
      this.redis.script("LOAD", script).catch(() => {});
    }
    for (const { value, keys } of this.#doubtful.takeAll()) {
      // If this fails they expire.
      this.redis.evalsha(RELEASE_HASH, keys.length, ...keys, value).catch(() => {});
    }
    const stream = this.redis.stream;
    while (this.#connected && this.redis.stream === stream) {
      const info = await this.redis.info("server").catch(() => "");
      if (!this.#connected || this.redis.stream !== stream) return;
      const leastMs = leastUptimeMs(String(info));
      if (leastMs !== undefined) {
        this.#uptime = { leastMs, readMs: performance.now() };
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  #tellAway(error: Error): void {
    const nowMs = performance.now();
    if (this.#away && nowMs - this.#loggedAtMs < REPEAT_LOG_AFTER_MS) return;
    this.#away = true;
    this.#loggedAtMs = nowMs;
    this.#options.log.warn({ node: this.#number, error: errorSummary(error) }, "Redis node is away");
  }
}
