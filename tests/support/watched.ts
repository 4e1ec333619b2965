/** Streams of changes in this process, on a database of a test. */
import { assert } from "@std/assert";
import { settledWithin } from "../../src/base/bounded_wait.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createStore, type PostgresStore } from "../../src/store/store.ts";
import type { InvEvent, MovementEvent } from "../../src/watch/events.ts";
import type { InvAsk, InvReads } from "../../src/watch/inv_stream.ts";
import type { MovementAsk } from "../../src/watch/movement_stream.ts";
import type { LivePosition, Position } from "../../src/watch/position.ts";
import { Watching } from "../../src/watch/watching.ts";
import type { TestDatabase } from "./database.ts";
import { TEST_LIMITS } from "./pool_probe.ts";

const AGE_MS = 600_000;
/** Heartbeats come more often; a stream with nothing else says nothing that a test waits for. */
const SILENCE_MS_MAX = 30_000;

/** A process that streams. `await using` ends it. */
export interface WatchProcess extends AsyncDisposable {
  readonly store: PostgresStore;
  readonly watching: Watching;
  inv(ask?: Partial<InvAsk>): InvClient;
  movements(ask?: Partial<MovementAsk>): MovementClient;
}

/** Opens it. `lateUsMax`: transactions that hang for a third of it are looked for once they are over. */
export function watchProcess({ serverUrl }: Pick<TestDatabase, "serverUrl">, lateUsMax?: number): WatchProcess {
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(serverUrl), statementTimeoutMs: 10_000 });
  const { past } = store.tail;
  const { log } = TEST_LIMITS;
  const watching = new Watching({ source: store.tail, log, random: Math.random, ageMsMax: AGE_MS, lateUsMax });
  const reads: InvReads = { ...past, levels: store.lists.levels };
  return {
    store,
    watching,
    inv: (ask = {}) =>
      new InvClient((signal) => watching.inv({ filter: {}, changesOnly: false, ...ask }, reads, signal)),
    movements: (ask = {}) => new MovementClient((signal) => watching.movements({ filter: {}, ...ask }, past, signal)),
    [Symbol.asyncDispose]: async () => {
      await watching.stop();
      await store.close();
    },
  };
}

/** Whoever takes the events of one stream in, as they come. */
abstract class Client<E extends { readonly kind: string; readonly position?: Position | undefined }> {
  readonly events: E[] = [];
  /** Of each goods at location 0. */
  readonly versions = new Map<number, number>();
  /** What was taken in last. */
  position: Position | undefined;
  /** The versions there: what came behind the last position comes again. */
  versionsAtPosition: ReadonlyMap<number, number> = new Map();
  readonly #leaving = new AbortController();
  readonly #ended: Promise<void>;
  #stopped = { ...Promise.withResolvers<void>(), promise: Promise.resolve() };
  #came = Promise.withResolvers<void>();
  #failure: unknown;

  constructor(open: (signal: AbortSignal) => AsyncGenerator<E>) {
    this.#ended = this.#take(open(this.#leaving.signal));
  }

  protected abstract takeIn(event: E): void;

  /** Resolves once this is so; rejects where the stream has failed before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#failure !== undefined) throw this.#failure;
      if (!await settledWithin(this.#came.promise, SILENCE_MS_MAX)) {
        throw new Error("the stream has nothing more to say");
      }
    }
  }

  /** Goes on from where another one ended. */
  protected goOnFrom({ versionsAtPosition }: { readonly versionsAtPosition: ReadonlyMap<number, number> }): this {
    for (const [goodsId, version] of versionsAtPosition) this.versions.set(goodsId, version);
    return this;
  }

  /** Takes nothing for now. */
  stop(): void {
    this.#stopped = Promise.withResolvers();
  }

  /** Goes on. */
  go(): void {
    this.#stopped.resolve();
  }

  /** Takes nothing more. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#ended;
  }

  async #take(events: AsyncGenerator<E>): Promise<void> {
    try {
      for await (const event of events) {
        this.events.push(event);
        this.takeIn(event);
        if (event.position !== undefined) {
          this.position = event.position;
          this.versionsAtPosition = new Map(this.versions);
        }
        this.#ring();
        await this.#stopped.promise;
      }
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#failure = error;
    }
    this.#ring();
  }

  #ring(): void {
    this.#came.resolve();
    this.#came = Promise.withResolvers();
  }
}

/** Has the versions of goods at location 0, and fails where one comes twice, too early, or is left out unsaid. */
export class InvClient extends Client<InvEvent> {
  get livePosition(): LivePosition | undefined {
    return this.position;
  }

  /** Goes on from where another one ended. */
  static after(ended: InvClient, open: (ask: Partial<InvAsk>) => InvClient, ask: Partial<InvAsk> = {}): InvClient {
    return open({ ...ask, from: ended.livePosition }).goOnFrom(ended);
  }

  get isComplete(): boolean {
    return this.events.some((event) => event.kind === "snapshot" && event.isComplete);
  }

  protected takeIn(event: InvEvent): void {
    if (event.kind === "snapshot") {
      for (const { goodsId, version } of event.levels) {
        assert(!this.versions.has(goodsId), `goods ${goodsId} came twice in the snapshot, or changed before it`);
        this.versions.set(goodsId, version);
      }
    }
    if (event.kind !== "changes") return;
    for (const { change: { level, movement }, folded } of event.changes) {
      const before = this.versions.get(level.goodsId) ?? 0;
      const expected = before + folded + 1;
      assert(level.version === expected, `goods ${level.goodsId}: ${level.version} (${folded} folded) after ${before}`);
      assert(movement.version === level.version && level.onHand === movement.onHandAfter);
      this.versions.set(level.goodsId, level.version);
    }
  }
}

/** The same of rows of the ledger. */
export class MovementClient extends Client<MovementEvent> {
  /** Goes on from where another one ended. */
  static after(ended: MovementClient, open: (ask: Partial<MovementAsk>) => MovementClient): MovementClient {
    return open({ from: ended.position }).goOnFrom(ended);
  }

  protected takeIn(event: MovementEvent): void {
    if (event.kind !== "movements") return;
    for (const { goodsId, version } of event.rows) {
      const before = this.versions.get(goodsId);
      assert(before === undefined || version === before + 1, `goods ${goodsId}: ${version} after ${before}`);
      this.versions.set(goodsId, version);
    }
  }
}
