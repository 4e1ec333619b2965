/**
 * A TCP link from one process to one server, through this program, which can be cut, stalled, slowed, half-closed, made
 * to drop answers after the request went through, to bring a packet seconds late, and to fall silent for good.
 *
 *     open   --one side ends its sending----> half-closed   the other side hears of it, and may still send
 *     open   --one side is reset, cut-------> closed        both sides hear of it
 *     open   --vanishAfter's bytes are over-> silent        nothing passes, and nobody hears of anything
 *     silent --SILENT_MS_MAX, close()-------> closed        as keepalives would find it
 */
import { setTimeout as delay } from "node:timers/promises";
import { closeQuietly, writeAll } from "../../support/tcp_ends.ts";

/** What a link does at a text in what its client sends. */
export interface Cut {
  readonly at: string;
  /** Whether the server still gets it. */
  readonly when: "before" | "after";
}

/** What a link does with the first packets in which clients send one of the texts. */
export interface LatePacket {
  readonly at: readonly string[];
  /** What it waits for, and all behind it on its connection. */
  readonly comesAfter: () => Promise<unknown>;
}

interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** Bytes that its client still gets through before it falls silent. */
  bytesLeft: number;
  /** Set when it fell silent. */
  silence: ReturnType<typeof setTimeout> | undefined;
}

/** The link. It listens on a loopback port of its own. */
export class Link {
  readonly #listener: Deno.TcpListener;
  readonly #target: () => number;
  readonly #pairs = new Set<Pair>();
  #refuses = false;
  #delayMs = 0;
  #dropsAnswers = false;
  #cut: Cut | undefined;
  #late: LatePacket | undefined;
  #bytesMax = Infinity;
  #lates = 0;
  #lateNow = 0;
  #stalled: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #cuts = 0;

  /** `target` answers the port of the server, which may change. */
  constructor(target: () => number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Connections that are open now; of one that fell silent nobody knows any more. */
  get open(): number {
    return [...this.#pairs].filter(({ silence }) => silence === undefined).length;
  }

  /** Connections that fell silent, and of which the server does not know yet. */
  get silent(): number {
    return this.#pairs.size - this.open;
  }

  /** Packets that are late now. */
  get lateNow(): number {
    return this.#lateNow;
  }

  /** How many packets were late. */
  get lates(): number {
    return this.#lates;
  }

  /** How often it has cut at a text. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts what is open, and lets nobody through. */
  sever(): void {
    this.#refuses = true;
    this.cutAll();
  }

  /** Cuts what is open; who comes again gets through. */
  cutAll(): void {
    for (const pair of this.#pairs) if (pair.silence === undefined) this.#close(pair);
  }

  /** Nothing goes through in either direction, and nobody hears of it. */
  stall(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled ??= { over: promise, end: resolve };
  }

  /** Everything takes so much longer in each direction. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Requests go through; at the first byte of an answer the connection is cut. */
  dropAnswers(): void {
    this.#dropsAnswers = true;
  }

  /** Cuts each connection whose client sends the text. */
  cutAt(cut: Cut): void {
    this.#cut = cut;
  }

  /**
   * The next packet that has one of the texts comes late, as one that TCP has to send again: even where its client has
   * closed meanwhile. Other connections go on.
   */
  delayOne(late: LatePacket): void {
    this.#late = late;
  }

  /**
   * Each connection that is open, or comes, gets so many bytes more of its client through. Then it is silent in both
   * directions for the rest of its life, as where a machine loses its power: neither side hears of it, whatever the
   * other does. A message that is cut in two is to its reader one that has not come.
   */
  vanishAfter(bytes: number): void {
    this.#bytesMax = bytes;
    for (const pair of this.#pairs) pair.bytesLeft = bytes;
  }

  /** The servers hear that their clients will send no more, which these don't know. */
  halfClose(): void {
    for (const { server, silence } of this.#pairs) if (silence === undefined) server.closeWrite().catch(() => {});
  }

  /** What comes from now on passes. What is late already stays so, and what is silent. */
  heal(): void {
    this.#refuses = false;
    this.#delayMs = 0;
    this.#dropsAnswers = false;
    this.#cut = undefined;
    this.#late = undefined;
    this.#bytesMax = Infinity;
    for (const pair of this.#pairs) pair.bytesLeft = Infinity;
    this.#stalled?.end();
    this.#stalled = undefined;
  }

  close(): void {
    this.heal();
    this.#listener.close();
    for (const pair of this.#pairs) this.#close(pair);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#refuses) closeQuietly(client);
      else void this.#connect(client);
    }
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target() });
    } catch {
      // It is away, which a client of its own would see as well.
      closeQuietly(client);
      return;
    }
    client.setNoDelay();
    server.setNoDelay();
    const pair: Pair = { client, server, bytesLeft: this.#bytesMax, silence: undefined };
    this.#pairs.add(pair);
    await Promise.all([this.#requests(pair), this.#answers(pair)]);
    this.#close(pair);
  }

  async #requests(pair: Pair): Promise<void> {
    await this.#pump(pair, pair.client, pair.server, async (bytes) => {
      const late = this.#late;
      if (late !== undefined && late.at.some((text) => LATIN1.decode(bytes).includes(text))) {
        this.#late = undefined;
        this.#lates++;
        this.#lateNow++;
        await late.comesAfter();
        this.#lateNow--;
      }
      const cut = this.#cut;
      if (cut !== undefined && LATIN1.decode(bytes).includes(cut.at)) {
        this.#cuts++;
        if (cut.when === "after") await writeAll(pair.server, bytes);
        this.#close(pair);
        return undefined;
      }
      const passed = bytes.subarray(0, pair.bytesLeft);
      pair.bytesLeft -= passed.length;
      if (passed.length < bytes.length) this.#silence(pair);
      return passed;
    });
  }

  async #answers(pair: Pair): Promise<void> {
    await this.#pump(pair, pair.server, pair.client, (bytes) => {
      if (!this.#dropsAnswers) return Promise.resolve(bytes);
      this.#close(pair);
      return Promise.resolve(undefined);
    });
  }

  /**
   * Passes on what `passes` leaves of what comes, until it leaves nothing or one side ends. Each chunk is late by the
   * delay from when it came: waited for one after another, delays would add up, and what is slow would be slower the
   * more is sent.
   */
  async #pump(
    pair: Pair,
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    passes: (bytes: Uint8Array) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const late: Promise<boolean>[] = [];
    let last = Promise.resolve(true);
    const passOn = async (before: Promise<boolean>, bytes: Uint8Array, dueMs: number): Promise<boolean> => {
      if (!await before) return false;
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) await delay(leftMs);
      await this.#stalled?.over;
      if (pair.silence !== undefined) return true;
      try {
        const passed = await passes(bytes);
        if (passed === undefined) return false;
        await writeAll(to, passed);
        return true;
      } catch {
        // Cut, here or by one of the two; whoever still reads is to see it.
        this.#close(pair);
        return false;
      }
    };
    /** Shows the other side how this one ended, behind all that it sent. */
    const endAfter = async (before: Promise<boolean>, pass: () => Promise<void> | void): Promise<void> => {
      if (!await before) return;
      await this.#stalled?.over;
      if (pair.silence === undefined) await pass();
      else closeQuietly(from);
    };
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        last = passOn(last, buffer.slice(0, count), performance.now() + this.#delayMs);
        if (late.push(last) > LATE_CHUNKS_MAX && !await late.shift()) return;
      }
    } catch {
      // Reset, or closed here.
      await endAfter(last, () => this.#close(pair));
      return;
    }
    await endAfter(last, () => to.closeWrite().catch(() => this.#close(pair)));
  }

  #silence(pair: Pair): void {
    pair.silence ??= setTimeout(() => this.#close(pair), SILENT_MS_MAX);
  }

  #close(pair: Pair): void {
    clearTimeout(pair.silence);
    this.#pairs.delete(pair);
    closeQuietly(pair.client);
    closeQuietly(pair.server);
  }
}

const LATIN1 = new TextDecoder("latin1");
const CHUNK_BYTES = 64 * 1024;
/** So many chunks of one direction may be late at a time; then nothing more is read of it. */
const LATE_CHUNKS_MAX = 64;
/** Longer than any session may keep its rows; shorter than the sessions of a server last that loses a few at a time. */
const SILENT_MS_MAX = 30_000;
