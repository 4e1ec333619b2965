/**
 * One port for HTTP/1.1 and HTTP/2, cleartext (HTTP/2 by prior knowledge) or TLS (by ALPN): accepts connections,
 * tells the protocols apart, and drains. Who is admitted is counted in `connections.ts`, who overstays is found in
 * `reaper.ts`, and requests go through `request_admission.ts`. It must not know what is served.
 */
import type http from "node:http";
import type http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { answerAndCut, Http1Exchange } from "./http1/http1_exchange.ts";
import { Http2Exchange } from "./http2/http2_exchange.ts";
import type { WireHandler } from "./http_handler.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { type Connection, Connections, cut } from "./connections.ts";
import { withCors } from "./cors/cors.ts";
import { corsRules, type CorsSettings } from "./cors/cors_rules.ts";
import { drainConnections } from "./drain.ts";
import { sniffProtocol } from "./first_bytes.ts";
import { LISTENER_LIMITS, type ListenerLimits } from "./listener_limits.ts";
import { FrameWalk } from "./http2/frame_walk.ts";
import { createSweep } from "./reaper.ts";
import { dialPort, watchOwnPort } from "./own_port.ts";
import { createHttp1Server, createHttp2Server, readByData } from "./protocol_servers.ts";
import { OverLimitLog } from "./over_limit_log.ts";
import { ReadTurns } from "./read_turns.ts";
import { createRequestGate } from "./request_admission.ts";
import { UntakenAnswers } from "./http2/unread_answers.ts";
import { WriteBatch } from "./cork.ts";

/** How to listen. */
export interface ListenerOptions {
  /** Name or address to bind to. */
  readonly host: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** True: processes of the same user that say so too share the port (SO_REUSEPORT); the system spreads connections. */
  readonly reusePort?: boolean | undefined;
  /** Certificate chain and private key as PEM text; cleartext where absent. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly handler: WireHandler;
  /** Which pages may call. */
  readonly cors: CorsSettings;
  /** Makes the id of a request that brings none, as `x-request-id` on its answer. Absent: requests get no ids. */
  readonly newRequestId?: (() => string) | undefined;
  /** Overrides of {@link LISTENER_LIMITS}, one by one. */
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** Processes that share the port, this one included; 1 where it is not shared. */
  readonly sharers?: number | undefined;
  /** Told when the port has gone deaf (`own_port.ts`) and could not be listened on anew: nobody will be accepted any more. */
  readonly onDeaf?: ((error: unknown) => void) | undefined;
  /** How often it is looked at whether the port is deaf, in ms; for tests. */
  readonly lookEveryMs?: number | undefined;
  readonly log: Log;
}

/** A port that is being listened on. */
export interface Listener {
  /** `http://127.0.0.1:8080`, with the port that was really bound. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /**
   * Stops accepting, tells every HTTP/2 peer to go away, and lets requests under way finish; what is left after
   * `graceMs` is cut. Resolves when every connection is gone. A second call waits for the same end.
   */
  drain(graceMs: number): Promise<void>;
  /** From now on handshakes are made with this certificate; connections that are there stay. Only where TLS is spoken. */
  useCertificate(pair: { readonly cert: string; readonly key: string }): void;
}

/**
 * Listens. Resolves when the port is bound.
 *
 * @throws the error of the bind (EADDRINUSE, EACCES) or of an unusable certificate
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { log } = options;
  const limits: ListenerLimits = { ...LISTENER_LIMITS, ...options.limits };
  const connections = new Connections(limits);
  const byCarrier = new WeakMap<object, Connection>();
  const overLimits = new OverLimitLog(log);
  const handler = withCors(options.handler, corsRules(options.cors), log);
  const enter = createRequestGate({
    connections,
    limits,
    handler,
    overLimits,
    log,
    isDraining: () => drained !== undefined,
    newRequestId: options.newRequestId,
  });
  const turns = new ReadTurns(limits, (connection, limit) => {
    overLimits.note(limit, connection.socket.remoteAddress);
    cut(connection);
  });
  const http1Server = createHttp1Server(limits, handleHttp1);
  const http2Server = createHttp2Server(limits);
  let drained: Promise<void> | undefined;
  let starting: Connection | undefined;
  let accepted = 0;
  let certificate = options.tls;

  http1Server.on("clientError", (error: Error & { code?: string }, socket: net.Socket) => {
    log.debug({ error }, "HTTP/1 connection closed for a malformed request");
    answerAndCut(socket, error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400);
  });
  // Left to itself, node:http answers these before anybody has counted them.
  http1Server.on("checkExpectation", handleHttp1);
  http2Server.on("stream", handleHttp2);
  // "session" is emitted within emit("connection"), so `starting` is the connection that it belongs to.
  http2Server.on("session", (session: http2.ServerHttp2Session) => {
    const connection = starting!;
    connection.http2 = session;
    byCarrier.set(session, connection);
    session.on("error", (error: Error) => {
      log.debug({ error }, "HTTP/2 connection closed for a protocol error");
      connection.socket.destroy();
    });
    session.on("close", () => connection.socket.destroySoon());
    if (drained) session.close();
  });

  let port = await openPort(options.port);
  const bound = (port.address() as net.AddressInfo).port;
  const cutOverstayers = createSweep(connections, limits, log);
  const sweep = setInterval(() => {
    cutOverstayers();
    connections.forgetPeers(performance.now());
    overLimits.log();
  }, limits.sweepMs);

  const stopWatching = watchOwnPort({
    sharers: options.sharers ?? 1,
    accepted: () => accepted,
    dial: () => dialPort(options.host, bound),
    async listenAnew() {
      port.close();
      port = await openPort(bound);
      // It may have been renewed meanwhile.
      if (certificate) (port as tls.Server).setSecureContext(certificate);
    },
    givenUp(error) {
      log.error({ error: errorFields(error) }, "the port accepts nobody any more and can't be listened on anew");
      options.onDeaf?.(error);
    },
    log,
    lookEveryMs: options.lookEveryMs,
  });
  const name = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls ? "https" : "http"}://${name}:${bound}`,
    host: options.host,
    port: bound,
    drain: (graceMs) => drained ??= drain(graceMs),
    useCertificate(pair) {
      certificate = pair;
      (port as tls.Server).setSecureContext(pair);
    },
  };

  /** Listens, and hands every connection on. */
  async function openPort(number: number): Promise<net.Server> {
    const opened = certificate
      ? tls.createServer({ ...certificate, ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: limits.handshakeMs })
      : net.createServer();
    opened.on("connection", accept);
    if (certificate) {
      opened.on("secureConnection", (socket: tls.TLSSocket) => {
        const connection = connections.find(socket);
        if (connection === undefined) return void socket.destroy();
        hand(connection, socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
      });
      opened.on("tlsClientError", (error: Error, socket: net.Socket) => {
        log.debug({ error }, "TLS handshake failed");
        socket.destroy();
      });
    }
    await new Promise<void>((resolve, reject) => {
      opened.once("error", reject);
      opened.listen({ port: number, host: options.host, reusePort: options.reusePort === true }, resolve);
    });
    opened.on("error", (error: Error) => log.error({ error }, "Accepting connections failed"));
    return opened;
  }

  function accept(socket: net.Socket): void {
    accepted++;
    socket.on("error", (error: Error) => log.debug({ error }, "Connection broken"));
    const connection = connections.admit(socket);
    if (typeof connection === "string") {
      overLimits.note(connection, socket.remoteAddress);
      return void socket.destroy();
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.pingMs);
    if (!options.tls) sniffProtocol(socket, (protocol) => hand(connection, socket, protocol));
  }

  function hand(connection: Connection, socket: net.Socket, protocol: "http1" | "http2"): void {
    if (socket !== connection.socket) {
      socket.on("error", (error: Error) => log.debug({ error }, "Connection broken"));
      socket.once("close", () => connection.socket.destroy());
    }
    connection.quietSince = performance.now();
    if (protocol === "http1") {
      connection.http1 = socket;
      byCarrier.set(socket, connection);
      readByData(socket);
      http1Server.emit("connection", socket);
      turns.take(connection, socket);
    } else {
      connection.writes = new WriteBatch(socket);
      connection.untaken = new UntakenAnswers(
        limits,
        connections.untakenOf(connection.peer),
        (limit) => overLimits.note(limit, connection.socket.remoteAddress),
      );
      starting = connection;
      connection.frames = new FrameWalk();
      http2Server.emit("connection", socket);
      turns.take(connection, socket, connection.frames);
    }
  }

  function handleHttp1(request: http.IncomingMessage, response: http.ServerResponse): void {
    const connection = byCarrier.get(request.socket);
    if (connection === undefined || connection.socket.destroyed) return void request.destroy();
    turns.noteHttp1(connection.peer);
    enter(connection, new Http1Exchange(connection, request, response));
  }

  function handleHttp2(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void {
    // Without a listener an error would end the process. What it means for the exchange, "close" tells.
    stream.on("error", (error: Error) => log.debug({ error }, "HTTP/2 stream broken"));
    // A stream whose session broke in the same read has lost it already.
    const connection = stream.session && byCarrier.get(stream.session);
    if (connection === undefined) return void stream.destroy();
    const { peer, writes, untaken } = connection;
    enter(connection, new Http2Exchange(peer.key, writes!, untaken!, stream, headers, rawHeaders));
  }

  async function drain(graceMs: number): Promise<void> {
    stopWatching();
    port.close();
    await drainConnections(connections, graceMs, log);
    clearInterval(sweep);
    overLimits.log();
  }
}
