/**
 * The connection to one node, and when it is given up: nothing queues up for a node that is away, what froze, what says
 * too much or what nobody asked for is dropped, and what was dropped is dialled again after a pause.
 *
 *     dialling --ready--> up
 *     any      --refused, ended, silent, dropped--> waiting --its pause is over--> dialling
 *     any      --close--> closed
 *
 * The limits are ours and not ioredis's (6.0.0), whose timers take a stall of our own loop for an outage of every node:
 * 2 s of it dropped all links.
 */
import process from "node:process";
import { Redis } from "ioredis";
import { type Backoff, backoffMs } from "../../base/backoff.ts";
import type { RedisAddress } from "../../config/redis_address.ts";
import type { Certificates } from "../../config/tls_files.ts";
import { nodeTls } from "./node_tls.ts";
import { watchReplies } from "./reply_watch.ts";
import type { ScriptCalls } from "./script_call.ts";
import { timeLimited } from "./time_limit.ts";

/** How a node is dialled, and what its connection reports. */
export interface NodeLinkOptions {
  /** Limit of every command, and a quarter of what the connection may be silent for. */
  readonly timeoutMs: number;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Of all nodes that are asked together. */
  readonly calls: ScriptCalls;
  /** It has come up. What is sent in this call is the first that is sent. */
  up(): void;
  /** It is gone, or was not had. */
  lost(error: Error | undefined): void;
}

/**
 * So many looks, a command's time limit apart, without a byte while one is waited for, and the connection is dropped.
 */
const SILENT_LOOKS_MAX = 8;
/** The same while it is dialled, and while it ends. */
const OPENING_LOOKS_MAX = 2;
/** The same under TLS, whose handshake is more round trips, and work for both sides. */
const OPENING_LOOKS_TLS_MAX = 4;
/** Looks are not closer together, so that a very short limit costs nothing. */
const LOOK_MS_MIN = 25;
/** Longest reply. The longest that is asked for is some 500 kB, the values of {@link KEYS_AT_ONCE} keys. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;
/** Most keys that are read in one question. */
const KEYS_AT_ONCE = 10_000;
/** Before dialling again. */
const REDIAL: Backoff = { leastMs: 50, firstMs: 100, growth: 2, maxMs: 1000 };
/** ioredis's name for a reply that nobody asked for. */
const UNASKED = "Command queue state error";

/** The connection to one node. Its commands reject when it is not up, and settle within their time limit. */
export class NodeLink {
  readonly #redis: Redis;
  readonly #options: NodeLinkOptions;
  readonly #openingLooksMax: number;
  readonly #looks: ReturnType<typeof setInterval>;
  /** Bytes that came since the last whole reply. */
  #replyBytes = 0;
  #heard = false;
  #silentLooks = 0;
  #error: Error | undefined;
  #closed = false;
  /** The socket that waits for more to send in this tick. */
  #gathering: Redis["stream"] | undefined;

  /** `certificates`: for a node that is spoken to under TLS. */
  constructor(address: RedisAddress, certificates: Certificates, options: NodeLinkOptions) {
    const { timeoutMs, random } = options;
    this.#options = options;
    const { host, port, user, password, database, tls } = address;
    this.#openingLooksMax = tls ? OPENING_LOOKS_TLS_MAX : OPENING_LOOKS_MAX;
    this.#redis = new Redis({
      host,
      port,
      db: database,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: nodeTls(host, certificates) } : {}),
      connectionName: "holdfast",
      connectTimeout: 0,
      // What a node may do is found out by doing it. ioredis's own look writes to the console and takes INFO to be
      // allowed.
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // A lease asked for on a connection that broke must not be asked for again on the next one: by then
      // nobody waits for the answer, and the key would stand until it expires.
      autoResendUnfulfilledCommands: false,
      // We subscribe to nothing. A node that says we did would have ioredis do it again, with nobody to catch its
      // failure.
      autoResubscribe: false,
      retryStrategy: (times: number) => backoffMs(REDIAL, times, random()),
    });
    watchReplies(this.#redis, {
      replied: () => this.#replyBytes = 0,
      failed: (error) => this.drop(new Error("a reply that can't be handled", { cause: error })),
    });
    this.#redis.on("connect", () => this.#listen());
    this.#redis.on("ready", () => this.#redis.stream.destroyed || options.up());
    this.#redis.on("error", (error: Error) => this.#fail(error));
    this.#redis.on("close", () => {
      const error = this.#error;
      this.#error = undefined;
      if (!this.#closed) options.lost(error);
    });
    this.#looks = setInterval(() => this.#look(), this.#lookMs(timeoutMs));
  }

  /** From the next dial on it is this user, by these certificates. The host stays as it is. */
  use({ host, user, password, tls }: RedisAddress, certificates: Certificates): void {
    const { options } = this.#redis;
    // ioredis looks at them at each dial.
    Object.assign(options, { username: user ?? null, password: password ?? null });
    if (tls) options.tls = nodeTls(host, certificates);
  }

  /** Runs a script by its hash. */
  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    this.#gather();
    return this.#limited(
      this.#redis.sendCommand(this.#options.calls.evalsha(hash, keyCount, args)) as Promise<unknown>,
    );
  }

  /** Runs a script by its text. */
  eval(script: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    this.#gather();
    return this.#limited(this.#redis.eval(script, keyCount, ...args));
  }

  /** Has the node keep a script. */
  loadScript(script: string): Promise<unknown> {
    return this.#limited(this.#redis.script("LOAD", script));
  }

  /** The section `server` of what the node reports of itself. */
  async info(): Promise<string> {
    return String(await this.#limited(this.#redis.info("server")));
  }

  /** The values of keys, in their sequence; null for a key that is not there. */
  async values(keys: readonly string[]): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
      values.push(...await this.#limited(this.#redis.mget(keys.slice(first, first + KEYS_AT_ONCE))));
    }
    return values;
  }

  /** Sets all keys to the value, for `ttlMs`. */
  async set(keys: readonly string[], value: string, ttlMs: number): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const key of keys) pipeline.set(key, value, "PX", ttlMs);
    await this.#limited(pipeline.exec());
  }

  /** Gives the connection up; it is dialled again. */
  drop(error: Error): void {
    this.#error ??= error;
    this.#redis.stream?.destroy(error);
  }

  /** Ends it for good. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#looks);
    this.#redis.disconnect();
  }

  /**
   * What else is sent to the node by the end of this tick goes in one write: mostly a release, and the request for the
   * lease of the next batch.
   */
  #gather(): void {
    const { stream } = this.#redis;
    if (stream === undefined || stream === this.#gathering) return;
    this.#gathering = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.#gathering === stream) this.#gathering = undefined;
      stream.uncork();
    });
  }

  #limited<T>(answer: Promise<T>): Promise<T> {
    return timeLimited(answer, this.#options.timeoutMs);
  }

  #lookMs(timeoutMs: number): number {
    return Math.max(timeoutMs, LOOK_MS_MIN);
  }

  /** Each connection anew, behind ioredis's own listener. */
  #listen(): void {
    this.#replyBytes = 0;
    this.#silentLooks = 0;
    this.#error = undefined;
    // ioredis listens to the first error of a socket only. Under TLS a second one follows a log-in that the node breaks
    // off, and nobody would catch it.
    this.#redis.stream.on("error", () => {});
    this.#redis.stream.on("data", (data: Uint8Array) => {
      this.#heard = true;
      this.#replyBytes += data.length;
      if (this.#replyBytes <= REPLY_BYTES_MAX) return;
      this.drop(new Error(`a reply of more than ${REPLY_BYTES_MAX} bytes`));
    });
  }

  #fail(error: Error): void {
    // The next question might be taken to be answered by what was meant for none.
    if (error.message.startsWith(UNASKED)) return this.drop(new Error("a reply that nobody asked for"));
    this.#error ??= error;
    // The database of the address does not exist, and ioredis would go on in another one.
    if ((error as { command?: { name?: string } }).command?.name === "select") this.drop(error);
  }

  /** Counts looks and no time: after a stall of our own loop there is one look more, and not a node that froze. */
  #look(): void {
    const { status, stream, commandQueue } = this.#redis as unknown as {
      status: string;
      stream: Redis["stream"] | undefined;
      commandQueue: { readonly length: number };
    };
    // Between two dials the stream is still the last one, and nobody is waited for.
    const isThere = status === "connect" || status === "ready";
    const isOpening = status === "connecting" || (isThere && stream?.writable === false);
    const isWaiting = isOpening || status === "connect" || (status === "ready" && commandQueue.length > 0);
    if (!isWaiting || (this.#heard && !isOpening)) this.#silentLooks = 0;
    else this.#silentLooks++;
    this.#heard = false;
    const looksMax = isOpening ? this.#openingLooksMax : SILENT_LOOKS_MAX;
    if (this.#silentLooks < looksMax) return;
    this.#silentLooks = 0;
    this.drop(new Error(`no answer for ${looksMax * this.#lookMs(this.#options.timeoutMs)} ms`));
  }
}
