/**
 * The connections of one listener and the requests under way on each: who is admitted, what is counted, when all are
 * gone. Knows sockets and sessions, but neither the limits in time (`overstay.ts`) nor what requests are about.
 */
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";
import type { ListenerLimits } from "./listener_limits.ts";
import type { UntakenAnswers } from "./untaken_answers.ts";
import type { WriteBatch } from "./write_batch.ts";

/** One connection. Times are of `performance.now()`, in ms. */
export interface Connection {
  /** Carries the bytes: below TLS, where there is TLS. */
  readonly socket: Socket;
  /** What its remote address holds, on all its connections. */
  readonly peer: { connections: number; requests: number };
  /** Speaks HTTP/1, once that is known. */
  http1: Socket | undefined;
  /** Speaks HTTP/2, once that is known. */
  http2: ServerHttp2Session | undefined;
  /** HTTP/2: the writes of its session. */
  writes: WriteBatch | undefined;
  /** HTTP/2: what its peer was answered and has not taken. */
  untaken: UntakenAnswers | undefined;
  readonly exchanges: Set<Exchange>;
  /** Since when no request is under way; at first, since the connection was accepted or its protocol became known. */
  quietSince: number;
  /** HTTP/1: bytes read (above TLS) when it became quiet, and when the next request's header was first seen to have begun. */
  quietBytesRead: number;
  headerSince: number | undefined;
  /** HTTP/2: when the last PING went out, and whether its answer is still missing. */
  pingedAt: number;
  pingUnanswered: boolean;
  /** HTTP/2: streams that ended in a reset since `resetsSince`. */
  resets: number;
  resetsSince: number;
}

/** Why a connection was not admitted. */
export type OverLimit = "connectionsMax" | "connectionsPerAddressMax";

/** The connections of one listener. */
export class Connections {
  readonly #all = new Map<string, Connection>();
  readonly #perAddress = new Map<string, { connections: number; requests: number }>();
  #requests = 0;
  readonly #waitingForNone: (() => void)[] = [];

  constructor(private readonly limits: ListenerLimits) {}

  /** Connections held now. */
  get size(): number {
    return this.#all.size;
  }

  /** Requests under way on all of them. */
  get requests(): number {
    return this.#requests;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }

  /** Takes the socket in until it closes, or says why not; then the caller closes it. */
  admit(socket: Socket): Connection | OverLimit {
    const address = socket.remoteAddress ?? "";
    const peer = this.#perAddress.get(address) ?? { connections: 0, requests: 0 };
    if (this.#all.size >= this.limits.connectionsMax) return "connectionsMax";
    if (peer.connections >= this.limits.connectionsPerAddressMax) return "connectionsPerAddressMax";
    const now = performance.now();
    const connection: Connection = {
      socket,
      peer,
      http1: undefined,
      http2: undefined,
      writes: undefined,
      untaken: undefined,
      exchanges: new Set(),
      quietSince: now,
      quietBytesRead: 0,
      headerSince: undefined,
      pingedAt: now,
      pingUnanswered: false,
      resets: 0,
      resetsSince: now,
    };
    const key = keyOf(socket);
    this.#all.set(key, connection);
    peer.connections++;
    this.#perAddress.set(address, peer);
    socket.once("close", () => {
      // A peer may come again from the same port before this is told.
      if (this.#all.get(key) === connection) this.#all.delete(key);
      // Were an answer's close never told, its place among the requests would be lost for good.
      this.#requests -= connection.exchanges.size;
      peer.requests -= connection.exchanges.size;
      connection.exchanges.clear();
      if (--peer.connections === 0) this.#perAddress.delete(address);
      if (this.#all.size === 0) this.#waitingForNone.splice(0).forEach((resolve) => resolve());
    });
    return connection;
  }

  /** Notes a request until its answer has ended or its stream or connection is gone; then calls `ended`. */
  begin(connection: Connection, exchange: Exchange, ended: () => void): void {
    connection.exchanges.add(exchange);
    connection.headerSince = undefined;
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

  /** The connection below a TLS socket; absent where it has closed meanwhile. */
  find(socket: Socket): Connection | undefined {
    return this.#all.get(keyOf(socket));
  }

  /** Resolves when no connection is left; at once where there is none. */
  whenNone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForNone.push(resolve));
  }
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
