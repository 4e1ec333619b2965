/**
 * The connections of one listener and the requests in progress on each: who is admitted, what is counted, how they end
 * when the listener stops. Knows sockets and sessions, but neither the limits in time (`reaper.ts`) nor what requests
 * are about.
 *
 *     (new)    -> refused        over a limit of connections, or its address is barred
 *     (new)    -> accepted       it is counted, with its address
 *     accepted -> http1, http2   its first bytes or its TLS handshake say which (`protocols.ts`)
 *     any      -> gone           its socket has closed: neither it nor its requests count any more
 */
import type { Log } from "../telemetry/log.ts";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";
import { addressKey } from "./addresses.ts";
import type { FrameWalk } from "./http2/frame_walk.ts";
import type { ListenerLimits } from "./limits.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { Cork, UnreadAnswers, UnreadOfAll } from "./http2/egress.ts";

/** One remote address, and what it has and did on all its connections. */
export interface Peer {
  /** From `addresses.ts`. */
  readonly key: string;
  connections: number;
  requests: number;
  /** Bytes of answers that it has not read. */
  unreadBytes: number;
  /** Streams that may yet end in a reset; absent as long as none has. */
  resets: TokenBucket | undefined;
  /** Until when it is refused connections, by `performance.now()`. */
  barredUntil: number;
  /** Requests begun in this turn of the event loop, and which turn that is (`read_turns.ts`). */
  begun: number;
  turn: number;
}

/** One connection. Times are of `performance.now()`, in ms. */
export interface Connection {
  /** Carries the bytes: below TLS, where there is TLS. */
  readonly socket: Socket;
  readonly peer: Peer;
  /** Speaks HTTP/1, once that is known. */
  http1: Socket | undefined;
  /** Speaks HTTP/2, once that is known. */
  http2: ServerHttp2Session | undefined;
  /** HTTP/2: the writes of its session. */
  writes: Cork | undefined;
  /** HTTP/2: what its peer was answered and has not read. */
  unread: UnreadAnswers | undefined;
  readonly exchanges: Set<Exchange>;
  /** Since when no request is in progress; at first, since the connection was accepted or its protocol became known. */
  quietSince: number;
  /**
   * HTTP/1: bytes read (above TLS) when it became quiet, and when the next request's header was first seen to have
   * begun.
   */
  quietBytesRead: number;
  headerSince: number | undefined;
  /** HTTP/1: bytes read since the latest request began. */
  requestBytes: number;
  /** HTTP/2: its frames, and how far they were when the sweep first saw that something has begun and not ended. */
  frames: FrameWalk | undefined;
  midwayProgress: number;
  /** HTTP/2: when the last PING went out, and whether its answer is still missing. */
  pingedAt: number;
  pingUnanswered: boolean;
  /** HTTP/2: streams that ended in a reset since `resetsSince`. */
  resets: number;
  resetsSince: number;
}

/** Why a connection was not admitted. */
export type OverLimit = "connectionsMax" | "connectionsPerAddressMax" | "resetsPerAddressMax";

/** Addresses that are remembered without a connection, for their resets; of more the first are forgotten. */
const ADDRESSES_REMEMBERED_MAX = 10_000;

/** The connections of one listener. */
export class Connections {
  readonly #all = new Map<string, Connection>();
  readonly #perAddress = new Map<string, Peer>();
  /** Addresses without a connection whose bucket is not full yet. */
  readonly #remembered = new Set<Peer>();
  readonly #resets: TokenBucket;
  #requests = 0;
  #unreadBytes = 0;
  readonly #waitingForNone: (() => void)[] = [];

  constructor(private readonly limits: ListenerLimits) {
    this.#resets = new TokenBucket(limits.resetsTotalMax, limits.resetWindowMs, performance.now());
  }

  /** Connections that there are now. */
  get size(): number {
    return this.#all.size;
  }

  /** Requests in progress on all of them. */
  get requests(): number {
    return this.#requests;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }

  /** Takes the socket in until it closes, or says why not; then the caller closes it. */
  admit(socket: Socket): Connection | OverLimit {
    const now = performance.now();
    const peer = this.#perAddress.get(addressKey(socket.remoteAddress)) ?? newPeer(addressKey(socket.remoteAddress));
    if (this.#all.size >= this.limits.connectionsMax) return "connectionsMax";
    if (peer.connections >= this.limits.connectionsPerAddressMax) return "connectionsPerAddressMax";
    if (now < peer.barredUntil) return "resetsPerAddressMax";
    const connection: Connection = {
      socket,
      peer,
      http1: undefined,
      http2: undefined,
      writes: undefined,
      unread: undefined,
      exchanges: new Set(),
      quietSince: now,
      quietBytesRead: 0,
      headerSince: undefined,
      requestBytes: 0,
      frames: undefined,
      midwayProgress: 0,
      pingedAt: now,
      pingUnanswered: false,
      resets: 0,
      resetsSince: now,
    };
    const key = keyOf(socket);
    this.#all.set(key, connection);
    peer.connections++;
    this.#perAddress.set(peer.key, peer);
    this.#remembered.delete(peer);
    socket.once("close", () => {
      // A peer may come again from the same port before this is known.
      if (this.#all.get(key) === connection) this.#all.delete(key);
      // Did an answer's close never come, its place among the requests would be lost for good.
      this.#requests -= connection.exchanges.size;
      peer.requests -= connection.exchanges.size;
      connection.exchanges.clear();
      if (--peer.connections === 0) this.#forget(peer);
      if (this.#all.size === 0) this.#waitingForNone.splice(0).forEach((resolve) => resolve());
    });
    return connection;
  }

  /** Notes a request until its answer has ended or its stream or connection is gone; then calls `ended`. */
  begin(connection: Connection, exchange: Exchange, ended: () => void): void {
    connection.exchanges.add(exchange);
    connection.headerSince = undefined;
    connection.requestBytes = 0;
    this.#requests++;
    connection.peer.requests++;
    exchange.onceClosed(() => {
      if (connection.exchanges.delete(exchange)) {
        this.#requests--;
        connection.peer.requests--;
      }
      if (connection.exchanges.size === 0) {
        connection.quietSince = performance.now();
        connection.quietBytesRead = connection.http1?.bytesRead ?? 0;
      }
      ended();
    });
  }

  /**
   * Counts a stream that ended in a reset. Answers the limit that is passed with it; past that of its address the
   * address is barred for a while, and its connections, this one as well, are for the caller to cut: {@link ofPeer}.
   */
  noteReset({ peer }: Connection): "resetsPerAddressMax" | "resetsTotalMax" | undefined {
    const { resetsPerAddressMax, resetWindowMs } = this.limits;
    const now = performance.now();
    peer.resets ??= new TokenBucket(resetsPerAddressMax, resetWindowMs, now);
    if (!peer.resets.take(now)) {
      peer.barredUntil = now + resetWindowMs;
      return "resetsPerAddressMax";
    }
    return this.#resets.take(now) ? undefined : "resetsTotalMax";
  }

  /** The connections of an address. Looks through all: not for everyday use. */
  ofPeer(peer: Peer): Connection[] {
    return [...this.#all.values()].filter((connection) => connection.peer === peer);
  }

  /** What a peer, and all, have not read on all connections. One stream alone may have more than the limits. */
  unreadOf(peer: Peer): UnreadOfAll {
    const { unreadPerAddressBytesMax, unreadTotalBytesMax } = this.limits;
    return {
      add: (bytes, own) => {
        if (peer.unreadBytes > own) {
          if (peer.unreadBytes + bytes > unreadPerAddressBytesMax) return "unreadPerAddressBytesMax";
          if (this.#unreadBytes + bytes > unreadTotalBytesMax) return "unreadTotalBytesMax";
        }
        peer.unreadBytes += bytes;
        this.#unreadBytes += bytes;
      },
      remove: (bytes) => {
        peer.unreadBytes -= bytes;
        this.#unreadBytes -= bytes;
      },
    };
  }

  /** Forgets the addresses without a connection that have nothing to answer for any more. */
  forgetPeers(now: number): void {
    for (const peer of this.#remembered) {
      if (!peer.resets!.isFull(now) || now < peer.barredUntil) continue;
      this.#remembered.delete(peer);
      this.#perAddress.delete(peer.key);
    }
  }

  /** Whoever comes anew for each reset is still the same. */
  #forget(peer: Peer): void {
    if (peer.resets === undefined) return void this.#perAddress.delete(peer.key);
    this.#remembered.add(peer);
    if (this.#remembered.size <= ADDRESSES_REMEMBERED_MAX) return;
    const [first] = this.#remembered;
    this.#remembered.delete(first!);
    this.#perAddress.delete(first!.key);
  }

  /** The connection below a TLS socket; absent where it has closed meanwhile. */
  find(socket: Socket): Connection | undefined {
    return this.#all.get(keyOf(socket));
  }

  /** Resolves when no connection is left; at once where there is none. */
  whenNone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForNone.push(resolve));
  }

  /**
   * Peers are asked to go, requests in progress finish, idle connections go, and what takes longer than the grace is
   * cut. Resolves when every connection is gone, at the latest a little after `graceMs`. Takes no notice of new
   * connections: the port is closed before.
   */
  async drain(graceMs: number, log: Log): Promise<void> {
    for (const connection of this) {
      if (connection.http2) connection.http2.close();
      else if (connection.exchanges.size === 0) cut(connection);
      else for (const exchange of connection.exchanges) exchange.sayClose();
    }
    const grace = setTimeout(() => {
      log.warn({ connections: this.size }, "Grace is over, what is left is cut");
      for (const connection of this) cut(connection);
    }, graceMs);
    await this.whenNone();
    clearTimeout(grace);
  }
}

/** Cuts the connection with everything on it. */
export function cut(connection: Connection): void {
  connection.http2?.destroy();
  connection.http1?.destroy();
  connection.socket.destroy();
}

function newPeer(key: string): Peer {
  return { key, connections: 0, requests: 0, unreadBytes: 0, resets: undefined, barredUntil: 0, begun: 0, turn: 0 };
}

/** Address and port of the peer: one live connection, and the same for a TLS socket and the one that carries it. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
