/**
 * A bounded pool of PostgreSQL connections, each a postgres.js client of its own with one connection.
 *
 * Why not the driver's own pool (3.4.9): it waits for a connection without a limit, a statement has no limit of ours,
 * after many killed backends it loses connections for good, and a fresh one can be handed the error that killed the one
 * before. Here a client that was lost or silent is thrown away, and its place is filled anew.
 *
 * A statement alone is a transaction by itself; see transaction_block.ts for several.
 *
 *     (none) --asked for, while there are fewer than the most--> lent
 *     free   --asked for--> lent
 *     lent   --back, and somebody waits--> lent
 *     lent   --back, and nobody waits--> free
 *     lent   --back, but lost, not fit any more, or the pool is closed--> discarded
 *     free   --lost, not fit any more, or the pool is closed--> discarded
 */
import type { EventEmitter } from "node:events";
import type postgres from "postgres";
import { settledWithin } from "../../base/bounded_wait.ts";
import { invariant } from "../../base/invariant.ts";
import { NEVER } from "../../base/never.ts";
import { ConnectionWaits } from "./connection_waits.ts";
import { type Block, runBlock, type Statement } from "./transaction_block.ts";
import { Client, type ClientOptions } from "./client.ts";
import { Judge } from "./judge.ts";
import {
  DatabaseUnavailableError,
  notLetIn,
  OutcomeUnknownError,
  PoolQueueFullError,
  StatementTimeoutError,
} from "../errors.ts";
import { refusesSettings, Sessions } from "./sessions.ts";

/** Limits of the pool; times in ms. */
export interface PoolOptions extends ClientOptions {
  /** Connections at most. */
  readonly max: number;
  /** Callers that may wait for a connection. */
  readonly waitersMax: number;
}

/** How long past its own time limit, or past its cancellation, a statement may stay silent. */
const SILENCE_MS_MAX = 500;
/** How long `close` waits for statements under way. */
export const POOL_CLOSE_MS_MAX = 5000;

interface Waiter {
  grant(client: Client): void;
  fail(reason: unknown): void;
}

/** The pool. All its connections are made on first use. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #sessions: Sessions;
  readonly #judge: Judge;
  readonly #free: Client[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly waits = new ConnectionWaits();
  #lent = 0;
  #closed: ((value: void) => void) | undefined;

  /** Pools of one database share what is known of its `sessions`. */
  constructor(options: PoolOptions, sessions = new Sessions(options.log)) {
    this.#options = options;
    this.#sessions = sessions;
    this.#judge = new Judge(options.log);
  }

  /** Connections in use, idle and waited for. */
  get counts(): { readonly lent: number; readonly free: number; readonly waiting: number } {
    return { lent: this.#lent, free: this.#free.length, waiting: this.#waiters.size };
  }

  /**
   * Runs one statement on a connection of its own.
   *
   * When `signal` aborts, a caller that still waits leaves at once, and a statement under way is cancelled
   * in PostgreSQL; the promise settles only when its outcome is known or can't be known.
   *
   * Throws the signal's reason if it aborted before anything was sent, and the errors of errors.ts.
   */
  run<T>(statement: Statement<T>, signal: AbortSignal): Promise<T> {
    return this.#alone(statement, signal, signal);
  }

  /**
   * The same for a statement that writes. It is never cancelled: PostgreSQL answers a commit that waits for a standby,
   * and is cancelled, as if the standby had it, and shows it to everybody.
   */
  write<T>(statement: Statement<T>, signal: AbortSignal): Promise<T> {
    return this.#alone(statement, signal, NEVER);
  }

  /** `waiting`: of who waits for a connection; `running`: of the statement. */
  async #alone<T>(statement: Statement<T>, waiting: AbortSignal, running: AbortSignal): Promise<T> {
    for (let isAgain = false;; isAgain = true) {
      const client = await this.#take(waiting);
      try {
        return await this.#send(client, statement, running);
      } catch (error) {
        if (isAgain || !await this.#isAccessRenewed(client)) throw error;
      } finally {
        this.#putBack(client);
      }
    }
  }

  /**
   * Runs `work` in a transaction block on a connection of its own. What it did not commit is undone.
   *
   * When `signal` aborts, the statement under way is cancelled, but for the one that writes and its COMMIT. Throws what
   * `work` throws, and as `run` does.
   */
  async block<T>(work: (block: Block) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let isAgain = false;; isAgain = true) {
      const client = await this.#take(signal);
      client.dialer.sealed = true;
      try {
        return await runBlock({
          isLost: () => client.lost,
          send: (statement) => this.#send(client, statement, signal),
          write: (statement) => this.#send(client, statement, NEVER),
          undo: () => this.#send(client, (sql) => sql`rollback`, NEVER).then(() => {}, () => void (client.lost = true)),
        }, work);
      } catch (error) {
        if (isAgain || !await this.#isAccessRenewed(client)) throw error;
      } finally {
        client.dialer.sealed = false;
        this.#putBack(client);
      }
    }
  }

  /** Whether the client was not let in, so that nothing of ours was taken, and there is other access to try now. */
  async #isAccessRenewed({ dialer, access }: Client): Promise<boolean> {
    return !dialer.admitted && access !== undefined && await this.#options.access?.isOther(access) === true;
  }

  /** Runs one statement on a client; one that can't be trusted after it is marked as lost. */
  async #send<T>(client: Client, statement: Statement<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const query = statement(client.sql);
    try {
      return await this.#execute(client, query, signal);
    } catch (error) {
      const ours = this.#judge.errorOf(error, client.dialer.admitted);
      // After a failover a connection may be to a server that only reads now; a new one finds the right server.
      if (ours instanceof OutcomeUnknownError || ours instanceof DatabaseUnavailableError) {
        client.lost = true;
        client.dialer.forgetHost();
      }
      if (client.dialer.admitted || ours instanceof StatementTimeoutError) throw ours;
      if (refusesSettings(error)) this.#sessions.foundPooler(error.message);
      // The driver sends a statement only after PostgreSQL has let the connection in.
      throw client.refuse(notLetIn(error));
    }
  }

  /** Closes the connections that are idle, to a server that takes no writes: what runs next is on a new one. */
  dropIdle(): void {
    for (const client of this.#free.splice(0)) {
      client.dialer.forgetHost();
      client.discard();
    }
  }

  /** Waits for statements under way (bounded) and closes all connections. Waiting callers are refused. */
  async close(): Promise<void> {
    const idle = new Promise<void>((resolve) => this.#closed = resolve);
    for (const waiter of this.#waiters) waiter.fail(new DatabaseUnavailableError("the pool is closing"));
    this.#waiters.clear();
    this.dropIdle();
    if (this.#lent === 0) return;
    await settledWithin(idle, POOL_CLOSE_MS_MAX);
  }

  async #execute<T>(client: Client, query: postgres.PendingQuery<postgres.Row[] & T>, signal: AbortSignal): Promise<T> {
    const { promise: silent, reject } = Promise.withResolvers<never>();
    const waitNoMore = client.dialer.admitted ? undefined : client.untilAdmitted(reject);
    const giveUp = () => reject(new OutcomeUnknownError("PostgreSQL did not answer in time"));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUpAfter = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, ms);
    };
    const answerMsMax = this.#options.statementTimeoutMs + SILENCE_MS_MAX;
    if (client.dialer.admitted) giveUpAfter(answerMsMax);
    else {
      const admit = () => client.dialer.admitted ? giveUpAfter(answerMsMax) : giveUp();
      timer = setTimeout(admit, this.#options.connectTimeoutMs + SILENCE_MS_MAX);
    }
    const cancel = () => {
      client.cancel(query);
      giveUpAfter(SILENCE_MS_MAX);
    };
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const answer = await Promise.race([query, silent]);
      if (Array.isArray(answer)) return answer;
      // A stream: PostgreSQL began to copy something, which nobody asked for. Its error, when the connection goes, is
      // of no interest, and would otherwise end the process.
      (answer as EventEmitter).on("error", () => {});
      throw new OutcomeUnknownError("PostgreSQL answered what it was not asked");
    } finally {
      clearTimeout(timer);
      waitNoMore?.();
      signal.removeEventListener("abort", cancel);
    }
  }

  #take(signal: AbortSignal): Promise<Client> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#closed !== undefined) return Promise.reject(new DatabaseUnavailableError("the pool is closed"));
    if (this.#lent < this.#options.max) {
      this.#lent++;
      this.waits.seconds.observe(0);
      return Promise.resolve(this.#idle() ?? this.#connect());
    }
    if (this.#waiters.size >= this.#options.waitersMax) {
      this.waits.timeouts++;
      return Promise.reject(
        new PoolQueueFullError(`${this.#options.waitersMax} callers already wait for a connection`),
      );
    }
    const askedMs = performance.now();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waits.timeouts++;
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        grant: (client) => {
          signal.removeEventListener("abort", leave);
          this.waits.seconds.observeMs(performance.now() - askedMs);
          resolve(client);
        },
        fail: (reason) => {
          signal.removeEventListener("abort", leave);
          reject(reason);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #putBack(client: Client): void {
    invariant(this.#lent > 0, "a connection came back that was not lent");
    const usable = !client.lost && this.#isFit(client) ? client : undefined;
    if (usable === undefined) client.discard();
    const [next] = this.#waiters;
    if (next !== undefined) {
      this.#waiters.delete(next);
      next.grant(usable ?? this.#connect());
      return;
    }
    this.#lent--;
    if (usable !== undefined && this.#closed === undefined) this.#free.push(usable);
    else if (usable !== undefined) usable.discard();
    if (this.#lent === 0) this.#closed?.();
  }

  #connect(): Client {
    return new Client(this.#options, this.#sessions.kind, (client) => this.#lose(client));
  }

  /** Whether it was begun as sessions are now, and leads to the host that takes the writes now. */
  #isFit(client: Client): boolean {
    return client.kind === this.#sessions.kind && client.dialer.isAtPrimary;
  }

  /** A client that is idle; those that do not fit any more are closed. */
  #idle(): Client | undefined {
    for (let client = this.#free.pop(); client !== undefined; client = this.#free.pop()) {
      if (this.#isFit(client)) return client;
      client.discard();
    }
    return undefined;
  }

  /** The client lost its connection. */
  #lose(client: Client): void {
    const index = this.#free.indexOf(client);
    if (index < 0) return;
    this.#free.splice(index, 1);
    client.discard();
  }
}
