/**
 * A TCP link from one process to one server, through this program, which can be cut, stalled, slowed, half-closed, and
 * made to drop answers after the request went through.
 */

/** What a link does at a text in what its client sends. */
export interface Cut {
  readonly at: string;
  /** Whether the server still gets it. */
  readonly when: "before" | "after";
}

interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
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

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
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
    for (const pair of this.#pairs) this.#close(pair);
  }

  /** Nothing goes through, either way, and nobody is told. */
  stall(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled ??= { over: promise, end: resolve };
  }

  /** Everything takes so much longer, each way. */
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

  /** The servers are told that their clients will send no more, which these don't know. */
  halfClose(): void {
    for (const { server } of this.#pairs) server.closeWrite().catch(() => {});
  }

  heal(): void {
    this.#refuses = false;
    this.#delayMs = 0;
    this.#dropsAnswers = false;
    this.#cut = undefined;
    this.#stalled?.end();
    this.#stalled = undefined;
  }

  close(): void {
    this.heal();
    this.#listener.close();
    this.cutAll();
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
      // It is away, which a client of its own would see in the same way.
      closeQuietly(client);
      return;
    }
    client.setNoDelay();
    server.setNoDelay();
    const pair = { client, server };
    this.#pairs.add(pair);
    await Promise.all([this.#requests(pair), this.#answers(pair)]);
    this.#close(pair);
  }

  async #requests(pair: Pair): Promise<void> {
    await this.#pump(pair, pair.client, pair.server, async (bytes) => {
      const cut = this.#cut;
      if (cut === undefined || !LATIN1.decode(bytes).includes(cut.at)) return true;
      this.#cuts++;
      if (cut.when === "after") await write(pair.server, bytes);
      this.#close(pair);
      return false;
    });
  }

  async #answers(pair: Pair): Promise<void> {
    await this.#pump(pair, pair.server, pair.client, () => {
      if (!this.#dropsAnswers) return Promise.resolve(true);
      this.#close(pair);
      return Promise.resolve(false);
    });
  }

  /**
   * Passes on what comes, as long as `passes` says so, until one side ends. Each chunk is late by the delay from when it
   * came: waited for one after another, delays would add up, and what is slow would be slower the more is sent.
   */
  async #pump(
    pair: Pair,
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    passes: (bytes: Uint8Array) => Promise<boolean>,
  ): Promise<void> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const late: Promise<boolean>[] = [];
    let last = Promise.resolve(true);
    const passOn = async (before: Promise<boolean>, bytes: Uint8Array, dueMs: number): Promise<boolean> => {
      if (!await before) return false;
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
      await this.#stalled?.over;
      try {
        if (!await passes(bytes)) return false;
        await write(to, bytes);
        return true;
      } catch {
        // Cut, here or by one of the two; whoever still reads is to see it.
        this.#close(pair);
        return false;
      }
    };
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        last = passOn(last, buffer.slice(0, count), performance.now() + this.#delayMs);
        if (late.push(last) > LATE_CHUNKS_MAX && !await late.shift()) return;
      }
      if (await last) await to.closeWrite();
    } catch {
      // Cut, here or by one of the two.
      await last;
    }
  }

  #close(pair: Pair): void {
    this.#pairs.delete(pair);
    closeQuietly(pair.client);
    closeQuietly(pair.server);
  }
}

const LATIN1 = new TextDecoder("latin1");
const CHUNK_BYTES = 64 * 1024;
/** So many chunks of one direction may be late at a time; then nothing more is read of it. */
const LATE_CHUNKS_MAX = 64;

async function write(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
