/**
 * The independent Redis nodes. After every dial a node has no vote before it is known which server it is and that this
 * has run for long enough, and none while it refuses what a lease would ask of it. From what is known follows where it
 * stands (standing.ts); what changes it:
 *
 *     unconnected --connected--> connected     its server is not known, nor whether it can vote
 *     connected   --identified--> connected    its server is known, and how long that has run
 *     connected   --refused--> connected       the probe says why it can't vote
 *     connected   --probed--> connected        it can
 *     any         --lost--> unconnected        all that was known of its server is forgotten
 *
 * A second connection beside the first throws. What was asked on a connection that is no more changes nothing.
 */
import { illegalTransition } from "../../base/invariant.ts";
import type { Reread } from "../../base/reread.ts";
import { redisAddressText } from "../../config/redis_address.ts";
import type { Log } from "../../telemetry/log.ts";
import type { VotingNode } from "../attempt.ts";
import type { Vote } from "../ballot.ts";
import { NodeAccess, type NodesAccess } from "./access.ts";
import { OrphanedKeys } from "./orphaned_keys.ts";
import { NodeLink } from "./node_link.ts";
import { Probes, probeVote, WrongAnswerError } from "./probe.ts";
import { noLogInReason, reasonOf } from "./reason.ts";
import { ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT, scriptHash } from "../scripts.ts";
import { NodeNews } from "./node_log.ts";
import {
  leastUptimeMs,
  quarantineLeftMs,
  runIdOf,
  type Servers,
  type Standing,
  standingOf,
  type Uptime,
  uptimeMs,
} from "./standing.ts";
import type { NodeStatus } from "../status.ts";
import type { ScriptCalls } from "./script_call.ts";
import { TimeLimitError } from "./time_limit.ts";

const ACQUIRE_HASH = scriptHash(ACQUIRE_SCRIPT);
const RELEASE_HASH = scriptHash(RELEASE_SCRIPT);

/** How nodes are dialled. */
export interface NodeOptions {
  /** Limit of every command. */
  readonly timeoutMs: number;
  /** What nodes are dialled with, this one by its number. */
  readonly access: Reread<NodesAccess>;
  /** A server that started less than this ago has no vote. */
  readonly quarantineMs: number;
  /** Prefix of the keys that a node is probed with; nobody else may use it. */
  readonly probePrefix: string;
  /** The servers of all nodes of the lock. */
  readonly servers: Servers;
  /** Of all of them, which are asked the same together. */
  readonly calls: ScriptCalls;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
  readonly log: Log;
}

/** One node: its connection, its right to vote, and what it said so far. Never throws for a node that is away. */
export class Node implements VotingNode {
  readonly #link: NodeLink;
  readonly #number: number;
  readonly #address: string;
  readonly #options: NodeOptions;
  readonly #probes: Probes;
  /** Of the server behind the connection that lives now. */
  #uptime: Uptime | undefined;
  /** Counts connections; undefined: there is none. */
  #connection: number | undefined;
  #connections = 0;
  /** Why the server refused the last probe. */
  #refusal: string | undefined;
  /** Why there is no connection. */
  #lostFor = "not connected yet";
  /** Why no log-in comes about. */
  #noLogInFor: string | undefined;
  readonly #access: NodeAccess;
  readonly #votes: Record<Vote, number> = { yes: 0, no: 0, missing: 0 };
  readonly #orphanedKeys = new OrphanedKeys();
  #latencyMs: number | undefined;
  readonly #news: NodeNews;

  /** `number` is its place among the nodes, from 1. */
  constructor(number: number, options: NodeOptions) {
    this.#options = options;
    this.#number = number;
    this.#access = new NodeAccess(options.access, number);
    const { address, certificates } = this.#access;
    this.#address = redisAddressText(address);
    this.#news = new NodeNews(number, this.#address, options.log);
    this.#link = new NodeLink(address, certificates, {
      timeoutMs: options.timeoutMs,
      random: options.random,
      calls: options.calls,
      up: () => void this.#handshake(),
      lost: (error) => this.#lose(error),
    });
    this.#probes = new Probes(() => this.#probeNow(), options.nowMs);
  }

  get noVoteReason(): string | undefined {
    return this.#standing().reason;
  }

  /** What is known of it. */
  get status(): NodeStatus {
    const { state, reason } = this.#standing();
    return {
      node: this.#number,
      address: this.#address,
      state,
      reason,
      latencyMs: this.#latencyMs,
      uptimeMs: this.#uptime === undefined ? undefined : uptimeMs(this.#uptime, this.#options.nowMs()),
      quarantineLeftMs: state === "quarantined" ? this.#quarantineLeftMs() : 0,
      votesFor: this.#votes.yes,
      votesAgainst: this.#votes.no,
      votesMissing: this.#votes.missing,
    };
  }

  count(vote: Vote): void {
    this.#votes[vote]++;
  }

  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    return this.#noted(hash, keyCount, args, this.#link.evalsha(hash, keyCount, args));
  }

  eval(script: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    return this.#noted(scriptHash(script), keyCount, args, this.#link.eval(script, keyCount, args));
  }

  /**
   * The values of keys, in their sequence; null for a key that is not there. Rejects for a node that does not answer.
   */
  values(keys: readonly string[]): Promise<(string | null)[]> {
    return this.#link.values(keys);
  }

  /** Sets all keys to the value, for `ttlMs`. Rejects for a node that does not answer. */
  set(keys: readonly string[], value: string, ttlMs: number): Promise<void> {
    return this.#link.set(keys, value, ttlMs);
  }

  /** Tries whether it can vote. Why it has no vote, or did not answer this time; undefined if it can. Never rejects. */
  probe(): Promise<string | undefined> {
    return this.#probes.ask();
  }

  /** Begins no more probes; resolves when the one under way has released its key. Never rejects. */
  endProbes(): Promise<void> {
    return this.#probes.close();
  }

  /** Ends its connection for good. */
  close(): void {
    this.#link.close();
  }

  #standing(): Standing {
    return standingOf({
      noLogInFor: this.#noLogInFor,
      lostFor: this.#connection === undefined ? this.#lostFor : undefined,
      refusal: this.#refusal,
      twin: this.#options.servers.twinOf(this.#number),
      isKnown: this.#uptime !== undefined,
      quarantineLeftMs: this.#quarantineLeftMs(),
    });
  }

  /** Notes what the node may have, and has no more. */
  async #noted(hash: string, keyCount: number, args: (string | number)[], answer: Promise<unknown>): Promise<unknown> {
    // Nearly always there is nothing to note, and to copy all keys for it takes its time.
    const asked = () => ({ value: String(args[keyCount]), keys: args.slice(0, keyCount).map(String) });
    try {
      const result = await this.#timed(answer);
      if (hash === RELEASE_HASH && !this.#orphanedKeys.isEmpty) this.#orphanedKeys.clear(asked());
      return result;
    } catch (error) {
      if (!isAnswer(error) && (hash === ACQUIRE_HASH || hash === RELEASE_HASH)) this.#orphanedKeys.add(asked());
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
    const { quarantineMs, nowMs } = this.#options;
    return this.#uptime === undefined ? quarantineMs : quarantineLeftMs(this.#uptime, quarantineMs, nowMs());
  }

  /**
   * Brings the scripts to a node that may have been restarted, before anything else is sent to it, releases what it may
   * have given unheard, and asks which server it is and whether it can vote. To a node without the scripts redlock
   * sends one a second time, as text, and then a release could overtake the acquire that it undoes, and the keys would
   * stand until they expire.
   */
  async #handshake(): Promise<void> {
    if (this.#connection !== undefined) illegalTransition(`node ${this.#number}`, "connected", "connected");
    this.#connection = ++this.#connections;
    this.#noLogInFor = undefined;
    for (const script of [ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT]) {
      // If this fails the script is sent as text, later and with the hazard above.
      this.#link.loadScript(script).catch(() => {});
    }
    for (const { value, keys } of this.#orphanedKeys.takeAll()) {
      // If this fails they expire.
      this.#link.evalsha(RELEASE_HASH, keys.length, [...keys, value]).catch(() => {});
    }
    await this.probe();
  }

  #lose(error: Error | undefined): void {
    const wasUp = this.#connection !== undefined;
    this.#connection = undefined;
    this.#uptime = undefined;
    this.#refusal = undefined;
    this.#options.servers.set(this.#number, undefined);
    this.#lostFor = error === undefined ? "the connection was closed" : reasonOf(error, this.#access.secrets);
    // Of a log-in that is closed without a word, why may have been lost with the close: what was said last stands.
    const isMute = error === undefined && !wasUp;
    if (!isMute) this.#noLogInFor = error === undefined ? undefined : noLogInReason(error, this.#access.secrets);
    if (this.#noLogInFor !== undefined) void this.#renewAccess();
    this.#report();
  }

  /** From the next dial on it is whoever stands in the files now. */
  async #renewAccess(): Promise<void> {
    if (await this.#access.renew()) this.#link.use(this.#access.address, this.#access.certificates);
  }

  async #probeNow(): Promise<string | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return this.noVoteReason;
    try {
      if (this.#uptime === undefined) await this.#identify(connection);
      const probe = () => probeVote(this.#link, `${this.#options.probePrefix}${crypto.randomUUID()}`);
      await probe().catch((error) => {
        // Somebody may have deleted the key in between, as FLUSHALL does.
        if (error instanceof WrongAnswerError) return probe();
        throw error;
      });
      if (connection === this.#connection) this.#refusal = undefined;
    } catch (error) {
      if (connection !== this.#connection) return this.noVoteReason;
      // A node that is slow now and then keeps its vote: each of its votes has a limit. One that froze is dropped.
      if (error instanceof TimeLimitError) return "it did not answer in time";
      this.#refuse(error as Error);
    }
    this.#report();
    return this.noVoteReason;
  }

  /** Which server it is, and for how long it has run. Throws what the node says instead. */
  async #identify(connection: number): Promise<void> {
    const info = await this.#link.info();
    if (connection !== this.#connection) return;
    const [leastMs, runId] = [leastUptimeMs(info), runIdOf(info)];
    if (leastMs === undefined || runId === undefined) {
      throw new WrongAnswerError("INFO server tells no uptime_in_seconds, or no run_id");
    }
    this.#options.servers.set(this.#number, runId);
    this.#uptime = { leastMs, readMs: this.#options.nowMs() };
  }

  #refuse(error: Error): void {
    // The user was taken away, or may not be anybody any more: the next dial is a log-in.
    if (noLogInReason(error, this.#access.secrets) !== undefined) return this.#link.drop(error);
    this.#refusal = reasonOf(error, this.#access.secrets);
    // A replica's keys are another server's: what it granted before it became one is forgotten.
    if (error.message.startsWith("READONLY")) this.#uptime = { leastMs: 0, readMs: this.#options.nowMs() };
    // An answer to another question than ours, or none that fits: a new connection begins with the first of them.
    if (!isAnswer(error)) this.#link.drop(error);
  }

  #report(): void {
    this.#news.report(this.#standing(), this.#options.nowMs());
  }
}

/** True if the node itself said so. */
function isAnswer(error: unknown): boolean {
  return (error as Error).name === "ReplyError";
}
