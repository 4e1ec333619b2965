/**
 * HTTP/1 and HTTP/2 behind one port: one known from the other, and each served by a server that does not listen itself.
 * A connection is handed to its server, is read in turns from then on, and each of its requests goes through admission
 * to the handler.
 *
 * Owns what node:http and node:http2 are set to, and knows what Deno 2.9.3 makes of it: it maps `maxHeaderListPairs`
 * and the settings, and ignores `maxSessionMemory` and `streamResetBurst`, so that those are kept elsewhere
 * (`connections.ts`). It also keeps every HTTP/2 session with its handle for good, some 17 kB, whatever is taken off
 * them at their end (repaired by denoland/deno pull request 36043), so that peers that connect anew for each call, such
 * as health probes, should do it over HTTP/1, which leaves nothing behind.
 */
import { Buffer } from "node:buffer";
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { invariant } from "../base/invariant.ts";
import type { Log } from "../telemetry/log.ts";
import type { Admission } from "./admission.ts";
import { type Connection, type Connections, cut } from "./connections.ts";
import type { Exchange, WireHandler } from "./exchange.ts";
import { WaitingAnswers } from "./http1/egress.ts";
import { answerAndCut, Http1Exchange, isNextAnswer } from "./http1/exchange.ts";
import { Cork, UnreadAnswers } from "./http2/egress.ts";
import { Http2Exchange } from "./http2/exchange.ts";
import { FrameWalk } from "./http2/frame_walk.ts";
import { StreamWindows } from "./http2/windows.ts";
import type { ListenerLimits } from "./limits.ts";
import type { CountedLimit, OverLimitLog } from "./over_limit_log.ts";
import type { ReadTurns } from "./read_turns.ts";

/** Start of the HTTP/2 connection preface (RFC 9113, section 3.4); no HTTP/1 method begins like it. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0", "latin1");

/** What a connection speaks. */
export type Protocol = "http1" | "http2";

/** What the protocols need. */
export interface ProtocolsOptions {
  readonly limits: ListenerLimits;
  readonly connections: Connections;
  readonly turns: ReadTurns;
  readonly admission: Admission;
  readonly handler: WireHandler;
  readonly overLimits: OverLimitLog;
  readonly log: Log;
  readonly isDraining: () => boolean;
  /** As that of a listener's options. */
  readonly carried: ((carrier: object, socket: TLSSocket) => void) | undefined;
}

/** The two servers. */
export class Protocols {
  readonly #http1: http.Server;
  readonly #http2: http2.Http2Server;
  /** By what carries its requests: the socket of HTTP/1, above TLS where there is TLS, or the session of HTTP/2. */
  readonly #byCarrier = new WeakMap<object, Connection>();
  /** Whose session node:http2 is making: it emits "session" before it has taken its socket over. */
  #starting: { readonly connection: Connection; readonly socket: Socket } | undefined;

  constructor(private readonly options: ProtocolsOptions) {
    this.#http1 = createHttp1Server(options.limits, this.#answerHttp1);
    // Left to itself, node:http answers these before anybody has counted them.
    this.#http1.on("checkExpectation", this.#answerHttp1);
    this.#http1.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
      options.log.debug({ error }, "HTTP/1 connection closed for a malformed request");
      const connection = this.#byCarrier.get(socket);
      if (connection !== undefined && !isNextAnswer(connection)) return cut(connection);
      answerAndCut(socket, error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400);
    });
    this.#http2 = createHttp2Server(options.limits);
    this.#http2.on("session", (session: http2.ServerHttp2Session) => this.#beginSession(session));
    this.#http2.on("stream", this.#answerHttp2);
  }

  /** Has the connection served from now on; `socket` brings what is above TLS, where there is TLS. */
  handOver(connection: Connection, socket: Socket, protocol: Protocol): void {
    invariant(!connection.http1 && !connection.http2, "a connection that speaks a protocol was handed over again");
    if (socket !== connection.socket) {
      socket.on("error", (error: Error) => this.options.log.debug({ error }, "Connection broken"));
      socket.once("close", () => connection.socket.destroy());
    }
    connection.quietSince = performance.now();
    if (protocol === "http1") this.#beginHttp1(connection, socket);
    else this.#beginHttp2(connection, socket);
  }

  #beginHttp1(connection: Connection, socket: Socket): void {
    const { limits, connections } = this.options;
    connection.http1 = socket;
    connection.waiting = new WaitingAnswers(
      limits,
      connections.unreadOf(connection.peer),
      () => keptOn(connection, socket),
      this.#passedOn(connection),
    );
    this.#carry(socket, connection, socket);
    readByData(socket);
    this.#http1.emit("connection", socket);
    this.options.turns.take(connection, socket);
  }

  #beginHttp2(connection: Connection, socket: Socket): void {
    const { limits, connections, turns } = this.options;
    const passed = this.#passedOn(connection);
    const windows = new StreamWindows(() => streamsOf(connection));
    const writes = new Cork(socket);
    connection.out = {
      writes,
      unread: new UnreadAnswers(limits, connections.unreadOf(connection.peer), writes, passed),
      windows,
      limits,
      stalled: () => passed("unreadStreamMs"),
    };
    connection.frames = new FrameWalk(windows);
    this.#starting = { connection, socket };
    hideBuffer(socket);
    this.#http2.emit("connection", socket);
    this.#starting = undefined;
    turns.take(connection, socket, connection.frames);
  }

  #beginSession(session: http2.ServerHttp2Session): void {
    invariant(this.#starting !== undefined, "an HTTP/2 session of no connection");
    const { connection, socket } = this.#starting;
    connection.http2 = session;
    this.#carry(session, connection, socket);
    session.on("error", (error: Error) => {
      this.options.log.debug({ error }, "HTTP/2 connection closed for a protocol error");
      connection.socket.destroy();
    });
    session.on("close", () => connection.socket.destroySoon());
    if (this.options.isDraining()) session.close();
  }

  #passedOn({ socket }: Connection): (limit: CountedLimit) => void {
    return (limit) => this.options.overLimits.note(limit, socket.remoteAddress);
  }

  #carry(carrier: object, connection: Connection, socket: Socket): void {
    this.#byCarrier.set(carrier, connection);
    if (socket !== connection.socket) this.options.carried?.(carrier, socket as TLSSocket);
  }

  readonly #answerHttp1 = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const connection = this.#byCarrier.get(request.socket);
    if (connection === undefined || connection.socket.destroyed) return void request.destroy();
    const { connections, turns, admission, handler } = this.options;
    turns.noteHttp1(connection.peer);
    const caller = connections.peers.callerOf(connection.peer, request.headers);
    const exchange = new Http1Exchange(caller, connection, request, response);
    if (!admission.admits(connection, exchange)) return;
    try {
      const later = handler.http1(request, response, exchange);
      if (later !== undefined) later.catch((error) => this.#refuseMalformed(exchange, error));
    } catch (error) {
      this.#refuseMalformed(exchange, error);
    }
  };

  readonly #answerHttp2 = (
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    // Without a listener an error would end the process. What it means for the exchange shows in "close".
    stream.on("error", this.#noteBroken);
    // A stream whose session broke in the same read has lost it already.
    const connection = stream.session && this.#byCarrier.get(stream.session);
    if (connection === undefined) return void stream.destroy();
    const { peer, out } = connection;
    const caller = this.options.connections.peers.callerOf(peer, headers);
    const exchange = new Http2Exchange(caller, out!, stream, headers, rawHeaders);
    if (!this.options.admission.admits(connection, exchange)) return;
    try {
      exchange.sayContinue();
      const later = this.options.handler.http2(exchange);
      if (later !== undefined) later.catch((error) => this.#refuseMalformed(exchange, error));
    } catch (error) {
      this.#refuseMalformed(exchange, error);
    }
  };

  readonly #noteBroken = (error: Error): void => this.options.log.debug({ error }, "HTTP/2 stream broken");

  /** No URL can be made of its path and host. */
  #refuseMalformed(exchange: Exchange, error: unknown): void {
    this.options.log.debug({ error }, "Request refused as malformed");
    exchange.refuse(400);
  }
}

/** Bytes of answers that the system has not taken of an HTTP/1 connection. */
function keptOn({ exchanges }: Connection, { writableLength }: Socket): number {
  let bytes = writableLength;
  for (const exchange of exchanges) if (exchange instanceof Http1Exchange) bytes += exchange.keptBytes;
  return bytes;
}

/** The ids of the streams of a connection that have not ended. */
function* streamsOf({ exchanges }: Connection): Iterable<number> {
  for (const exchange of exchanges) if (exchange instanceof Http2Exchange) yield exchange.stream.id!;
}

/**
 * Decides whether a cleartext connection is HTTP/2 by prior knowledge or HTTP/1, by its first bytes, and leaves those
 * bytes where the protocol's own server will read them. Calls back once, as soon as the bytes decide: at the first byte
 * that differs from the preface, or after the last one that does not. Never calls back where the connection ends
 * before; knows no time: whoever asks closes connections that never say enough.
 */
export function sniffProtocol(socket: Socket, decided: (protocol: Protocol) => void): void {
  let first: Buffer = Buffer.alloc(0);
  socket.on("readable", look);

  function look(): void {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
    const length = Math.min(first.length, HTTP2_PREFACE.length);
    const alike = first.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (alike && length < HTTP2_PREFACE.length) return;
    socket.off("readable", look);
    socket.unshift(first);
    decided(alike ? "http2" : "http1");
  }
}

/** Gets its connections by `emit("connection", socket)`, and keeps them alive between requests. */
function createHttp1Server(limits: ListenerLimits, handle: http.RequestListener): http.Server {
  const server = http.createServer({ maxHeaderSize: limits.headerBytesMax }, handle);
  // One more than allowed: the fields over this count are dropped in silence, and must still be seen to be too many.
  server.maxHeadersCount = limits.headerFieldsMax + 1;
  server.keepAliveTimeout = limits.idleMs;
  server.timeout = 0;
  // Deno closes a connection after each answer of a server that does not listen itself (denoland/deno issue 35609)
  Object.defineProperty(server, "listening", { get: () => true });
  return server;
}

/**
 * Has node:http read what the socket brings from its "data" events, where it can be kept back. Else it reads the
 * socket's handle itself, past everybody, which it leaves be where the handle says that somebody else does so already.
 */
function readByData(socket: Socket): void {
  const { _handle } = socket as Socket & { _handle?: { _consumed?: boolean } | null };
  if (_handle) _handle._consumed = true;
}

/**
 * Has the socket say until the next tick that nothing is in its buffer. At that tick node:http2 of Deno 2.9.3 takes
 * what is there for its session, past whoever listens to the socket: before what waits for its turn, and once more with
 * it.
 */
function hideBuffer(socket: Socket): void {
  Object.defineProperty(socket, "readableLength", { value: 0, configurable: true });
  // Behind what node:http2 does in that tick, as that is asked for first.
  setImmediate(() => Reflect.deleteProperty(socket, "readableLength"));
}

/**
 * Gets its connections by `emit("connection", socket)`, and reads their preface. It emits "stream" for each request and
 * must be given no "request" listener, or it makes a request and a response object for each as well.
 */
function createHttp2Server(limits: ListenerLimits): http2.Http2Server {
  return http2.createServer({
    settings: { maxConcurrentStreams: limits.concurrentStreamsMax, maxHeaderListSize: limits.headerBytesMax },
    maxHeaderListPairs: limits.headerFieldsMax,
  });
}
