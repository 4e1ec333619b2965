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
import { Roll } from "../base/roll.ts";
import { TokenBucket } from "../base/token_bucket.ts";
import type { Log } from "../telemetry/log.ts";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";
import type { FrameWalk } from "./http2/frame_walk.ts";
import type { ListenerLimits } from "./limits.ts";
import { leaveAt } from "./connection_age.ts";
import { isOpen } from "./http2/open_session.ts";
import { endStreams } from "./leaving.ts";
import { type Peer, Peers } from "./peers.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";
import type { WaitingAnswers } from "./http1/egress.ts";
import type { UnreadOfAll } from "./http2/egress.ts";
import type { Outgoing } from "./http2/exchange.ts";

/** One connection. Times are of `performance.now()`, in ms. */
export interface Connection {
  /** Carries the bytes: below TLS, where there is TLS. */
  readonly socket: Socket;
  readonly peer: Peer;
  /**
   * When its peer is to be asked to go, and since when it is. HTTP/2: whether it has heard of it, and whether it was
   * said which stream is the last. `leavingSince` goes along while a stream stays.
   */
  readonly leaveAt: number;
  leavingSince: number | undefined;
  isHeard: boolean;
  isClosing: boolean;
  /** Speaks HTTP/1, once that is known. */
  http1: Socket | undefined;
  /** Speaks HTTP/2, once that is known. */
  http2: ServerHttp2Session | undefined;
  /** HTTP/1: what its peer was answered and the system has not taken. */
  waiting: WaitingAnswers | undefined;
  /** HTTP/2: what goes out, and what its peer was answered and has not read. */
  out: Outgoing | undefined;
  readonly exchanges: Roll<Exchange>;
  /** Since when no request is in progress; at first, since the connection was accepted or its protocol became known. */
  quietSince: number;
  /** HTTP/1: bytes read (above TLS) when it became quiet, and when the next header was first seen to have begun. */
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

/** The connections of one listener. */
export class Connections {
  readonly #all = new Map<string, Connection>();
  /** The addresses of the connections, and of the requests that proxies of ours pass on. */
  readonly peers: Peers;
  readonly #resets: TokenBucket;
  #requests = 0;
  #unreadBytes = 0;
  readonly #waitingForNone: (() => void)[] = [];

  constructor(private readonly limits: ListenerLimits, proxies: TrustedProxies | undefined) {
    this.peers = new Peers(proxies);
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
    const peer = this.peers.ofSocket(socket.remoteAddress);
    const ownMax = peer.proxy === undefined ? this.limits.connectionsPerAddressMax : Infinity;
    if (this.#all.size >= this.limits.connectionsMax) return "connectionsMax";
    if (peer.connections >= ownMax) return "connectionsPerAddressMax";
    if (now < peer.barredUntil) return "resetsPerAddressMax";
    const connection: Connection = {
      socket,
      peer,
      leaveAt: leaveAt(now, this.limits.connectionAgeMsMax, Math.random()),
      leavingSince: undefined,
      isHeard: false,
      isClosing: false,
      http1: undefined,
      http2: undefined,
      waiting: undefined,
      out: undefined,
      exchanges: new Roll(),
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
    this.peers.keep(peer);
    socket.once("close", () => {
      // A peer may come again from the same port before this is known.
      if (this.#all.get(key) === connection) this.#all.delete(key);
      // Did an answer's close never come, its place among the requests, and of its caller, would be lost for good.
      for (const exchange of connection.exchanges) {
        this.#end(connection, exchange);
        this.peers.leave(exchange.caller.peer);
        exchange.close();
      }
      connection.waiting?.end();
      connection.out?.unread.end();
      peer.connections--;
      this.peers.leave(peer);
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
    const { peer } = exchange.caller;
    peer.requests++;
    // A peer with a connection is kept already.
    if (peer !== connection.peer) this.peers.keep(peer);
    exchange.onceClosed(() => {
      this.#end(connection, exchange);
      connection.waiting?.look();
      if (connection.exchanges.size === 0) {
        connection.quietSince = performance.now();
        connection.quietBytesRead = connection.http1?.bytesRead ?? 0;
      }
      ended();
      // Behind the above, by which it may have something to answer for.
      if (peer !== connection.peer) this.peers.leave(peer);
    });
  }

  #end(connection: Connection, exchange: Exchange): void {
    if (!connection.exchanges.delete(exchange)) return;
    this.#requests--;
    exchange.caller.peer.requests--;
  }

  /**
   * Counts a stream that ended in a reset. Answers the limit that is passed with it; past that of its address the
   * address is barred for a while, and its connections, this one as well, are for the caller to cut: {@link ofPeer}.
   * Who came through a proxy of ours is barred past either limit: there is no connection of its own to be cut.
   */
  noteReset(
    connection: Connection,
    { caller: { peer } }: Exchange,
  ): "resetsPerAddressMax" | "resetsTotalMax" | undefined {
    const { resetsPerAddressMax, resetWindowMs } = this.limits;
    const now = performance.now();
    peer.resets ??= new TokenBucket(resetsPerAddressMax, resetWindowMs, now);
    const passed = !peer.resets.take(now)
      ? "resetsPerAddressMax"
      : this.#resets.take(now)
      ? undefined
      : "resetsTotalMax";
    const isBarred = passed === "resetsPerAddressMax" || (passed !== undefined && peer !== connection.peer);
    if (isBarred) peer.barredUntil = now + resetWindowMs;
    return passed;
  }

  /** The connections of an address. Looks through all: not for everyday use. */
  ofPeer(peer: Peer): Connection[] {
    return [...this.#all.values()].filter((connection) => connection.peer === peer);
  }

  /** What a peer, and all, have not read on all connections. One stream alone may have more than the limits. */
  unreadOf(peer: Peer): UnreadOfAll {
    const { unreadTotalBytesMax } = this.limits;
    const ownMax = peer.proxy === undefined ? this.limits.unreadPerAddressBytesMax : Infinity;
    return {
      add: (bytes, own) => {
        if (peer.unreadBytes > own) {
          if (peer.unreadBytes + bytes > ownMax) return "unreadPerAddressBytesMax";
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

/**
 * Asks the peer of an old connection to go: what streams over it ends, all else goes on, and so does what comes until
 * the peer has heard of it. An HTTP/1 connection that is used no more is closed as an idle one, and not before: whoever
 * is just sending a request would not know what came of it.
 */
export function askToLeave(connection: Connection, now: number): void {
  const { http1, http2, out, exchanges } = connection;
  connection.leavingSince = now;
  const carrier = http1 ?? http2;
  if (isOpen(http2)) {
    out!.writes.askToLeave();
    http2.ping((error: Error | null) => connection.isHeard = error === null);
  } else for (const exchange of exchanges) exchange.sayClose();
  if (carrier !== undefined) endStreams(carrier);
}

/** Takes no more streams of an HTTP/2 peer that was asked to go; those under way finish. */
export function closeSession(connection: Connection): void {
  connection.isClosing = true;
  connection.http2?.close();
}

/** Cuts the connection with everything on it. */
export function cut(connection: Connection): void {
  connection.http2?.destroy();
  connection.http1?.destroy();
  connection.socket.destroy();
}

/** Address and port of the peer: one live connection, and the same for a TLS socket and the one that carries it. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
