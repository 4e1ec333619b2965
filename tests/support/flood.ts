/**
 * Many raw connections at once, each of which sends the same bytes as fast as they are taken: the attacker's side of
 * tests about what connections may cost.
 */
import { Buffer } from "node:buffer";
import type net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connectTo } from "./caller_setup.ts";
import { PREFACE } from "./http2_frames.ts";

/** What to send, and whence. */
export interface FloodOptions {
  readonly port: number;
  readonly connections: number;
  /**
   * A loopback address other than 127.0.0.1 is somebody else; `tools/test/test_groups.ts` has those that tests may use.
   */
  readonly address?: string;
  /** Chunks that each connection sends. */
  readonly chunks: readonly Uint8Array[];
  /** True: in clear, whatever the server speaks. */
  readonly isClear?: boolean;
  /** True: what the server sends is not read. */
  readonly isDeaf?: boolean;
  /** How long the connections are kept after all was sent, in ms, unless the server closes them all before. */
  readonly lastMs: number;
  /** The connections are left before that, once this has resolved. */
  readonly until?: Promise<unknown>;
}

/** What became of it. */
export interface FloodEnd {
  /** Connections that were made. */
  readonly connected: number;
  /** Of these, connections that the server closed. */
  readonly closed: number;
}

/** All was sent, or the server takes no more, after this. */
const SEND_MS_MAX = 8_000;

/** Floods once. Resolves when all connections are closed, by the server or in the end by us; never rejects. */
export async function flood(options: FloodOptions): Promise<FloodEnd> {
  const peers = Array.from({ length: options.connections }, () => floodingPeer(options));
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(() => limit.resolve(), SEND_MS_MAX);
  await Promise.race([Promise.all(peers.map(({ sent }) => sent)), limit.promise]);
  clearTimeout(timer);
  let lasting: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => lasting = setTimeout(resolve, options.lastMs));
  await Promise.race([
    Promise.all(peers.map((peer) => peer.closed)),
    over,
    ...(options.until === undefined ? [] : [options.until]),
  ]);
  clearTimeout(lasting);
  const closed = peers.filter(({ isClosed }) => isClosed()).length;
  await Promise.all(peers.map(({ leave }) => leave()));
  return { connected: peers.filter(({ isConnected }) => isConnected()).length, closed };
}

/**
 * Floods again on a new connection each time one is cut, `connections` at once, for so long; answers how many were
 * made.
 */
export async function floodAgain(options: FloodOptions, forMs: number): Promise<number> {
  const until = performance.now() + forMs;
  let made = 0;
  await Promise.all(Array.from({ length: options.connections }, async () => {
    while (performance.now() < until) {
      made++;
      const peer = floodingPeer(options);
      await Promise.race([peer.closed, delay(1_000)]);
      await peer.leave();
      // Whoever is refused at once must not turn this into a loop that leaves nobody any time.
      await delay(5);
    }
  }));
  return made;
}

function floodingPeer({ port, address, chunks, isClear, isDeaf }: FloodOptions) {
  const isHttp2 = PREFACE.equals(Buffer.from(chunks[0]?.subarray(0, PREFACE.length) ?? []));
  const socket = connectTo({ port, address, protocol: isHttp2 ? "h2" : "http/1.1", isClear });
  let isConnected = false;
  let isClosed = false;
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  socket.once("connect", () => isConnected = true);
  if (isDeaf) socket.pause();
  else socket.on("data", () => {});
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => {
      isClosed = true;
      resolve();
    })
  );
  return {
    sent: Promise.race([sendAll(socket, chunks), closed]),
    closed,
    isConnected: () => isConnected,
    isClosed: () => isClosed,
    leave() {
      socket.destroy();
      return closed;
    },
  };
}

async function sendAll(socket: net.Socket, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(chunk as Buffer, () => resolve()));
  }
}
