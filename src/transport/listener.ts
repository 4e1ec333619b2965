/**
 * One port for HTTP/1.1 and HTTP/2, cleartext (HTTP/2 by prior knowledge) or TLS (by ALPN): accepts connections, has
 * each served by its protocol (`protocols.ts`), and drains. Who is admitted is counted in `connections.ts`, who is
 * overdue is found in `reaper.ts`, and requests go through `admission.ts`. It must not know what is served.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { errorFields, type Log } from "../telemetry/log.ts";
import { Admission } from "./admission.ts";
import { askToLeave, Connections, cut } from "./connections.ts";
import { withCors } from "./cors/handler.ts";
import { corsRules, type CorsSettings } from "./cors/rules.ts";
import type { WireHandler } from "./exchange.ts";
import { LISTENER_LIMITS, type ListenerLimits } from "./limits.ts";
import { type CountedLimit, OverLimitLog } from "./over_limit_log.ts";
import { dialPort, watchOwnPort } from "./own_port.ts";
import { type CertificatePair, Port } from "./port.ts";
import { Protocols, sniffProtocol } from "./protocols.ts";
import { ReadTurns } from "./read_turns.ts";
import { createSweep } from "./reaper.ts";
import { TrustedProxies, type TrustedProxiesRules } from "./trusted_proxies.ts";

/** How to listen. */
export interface ListenerOptions {
  /** Name or address to bind to. */
  readonly host: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** True: processes of the same user that say so too share the port (SO_REUSEPORT); the system spreads connections. */
  readonly reusePort?: boolean | undefined;
  /** Cleartext where absent. */
  readonly tls?: CertificatePair | undefined;
  readonly handler: WireHandler;
  /**
   * Called for each connection whose TLS handshake is done, before its first request, with what its requests will come
   * by: the session of HTTP/2, or the socket itself.
   */
  readonly carried?: ((carrier: object, socket: TLSSocket) => void) | undefined;
  /** Which pages may call. */
  readonly cors: CorsSettings;
  /** The proxies that are believed about who called them. Absent: none is. */
  readonly proxies?: TrustedProxiesRules | undefined;
  /** Makes the id of a request that brings none, as `x-request-id` on its answer. Absent: requests get no ids. */
  readonly newRequestId?: (() => string) | undefined;
  /** Overrides of {@link LISTENER_LIMITS}, one by one. */
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** Processes that share the port, this one included; 1 where it is not shared. */
  readonly sharers?: number | undefined;
  /**
   * Called when the port has gone deaf (`own_port.ts`) and could not be listened on anew: nobody will be accepted any
   * more.
   */
  readonly onDeaf?: ((error: unknown) => void) | undefined;
  /** How often it is looked at whether the port is deaf, in ms; for tests. */
  readonly lookEveryMs?: number | undefined;
  readonly log: Log;
}

/** What a listener has now, and what it refused. */
export interface ListenerView {
  readonly connections: number;
  readonly connectionsMax: number;
  /** Requests in progress. */
  readonly requests: number;
  readonly requestsMax: number;
  /** Connections and requests that were refused or cut since the start, by the limit that they passed. */
  readonly overLimits: Readonly<Record<CountedLimit, number>>;
}

/** A port that is being listened on. */
export interface Listener {
  /** `http://127.0.0.1:8080`, with the port that was really bound. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly view: ListenerView;
  /**
   * Asks every peer that is there to make its next connection elsewhere; what streams to them ends. All else is served
   * on, new connections too.
   */
  askToLeave(): void;
  /**
   * Stops accepting, has every HTTP/2 peer go away, and lets requests in progress finish; what is left after
   * `graceMs` is cut. Resolves when every connection is gone. A second call waits for the same end.
   */
  drain(graceMs: number): Promise<void>;
  /**
   * From now on handshakes are made with this certificate; connections that are there stay. Only where TLS is spoken.
   */
  useCertificate(pair: CertificatePair): void;
}

/** What a listener is made of, beside its port. */
interface Parts {
  readonly limits: ListenerLimits;
  readonly connections: Connections;
  readonly overLimits: OverLimitLog;
  readonly protocols: Protocols;
  readonly log: Log;
}

/**
 * Listens. Resolves when the port is bound.
 *
 * @throws the error of the bind (EADDRINUSE, EACCES) or of an unusable certificate
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { host, reusePort, tls, sharers = 1, onDeaf, lookEveryMs, log } = options;
  /** The end of all connections, once the listener drains, which is for good. */
  let drained: Promise<void> | undefined;
  let accepted = 0;
  const parts = partsOf(options, () => drained !== undefined);
  const port = await Port.open(options.port, {
    host,
    reusePort,
    tls,
    handshakeMs: parts.limits.handshakeMs,
    accept(socket) {
      accepted++;
      accept(parts, socket, tls !== undefined);
    },
    secured: (socket) => secured(parts, socket),
    log,
  });
  const bound = port.number;
  const stopSweeping = startSweeping(parts);
  const stopWatching = watchOwnPort({
    sharers,
    accepted: () => accepted,
    dial: () => dialPort(host, bound),
    listenAnew: () => port.openAnew(bound),
    givenUp(error) {
      log.error({ error: errorFields(error) }, "the port accepts nobody any more and can't be listened on anew");
      onDeaf?.(error);
    },
    log,
    lookEveryMs,
  });

  async function drain(graceMs: number): Promise<void> {
    stopWatching();
    port.close();
    await parts.connections.drain(graceMs, log);
    stopSweeping();
    parts.overLimits.log();
  }

  return {
    url: `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    host,
    port: bound,
    get view() {
      const { connections, limits, overLimits } = parts;
      return {
        connections: connections.size,
        connectionsMax: limits.connectionsMax,
        requests: connections.requests,
        requestsMax: limits.requestsMax,
        overLimits: overLimits.totals,
      };
    },
    askToLeave() {
      for (const connection of parts.connections) askToLeave(connection, performance.now());
    },
    drain: (graceMs) => drained ??= drain(graceMs),
    useCertificate: (pair) => port.useCertificate(pair),
  };
}

function partsOf(options: ListenerOptions, isDraining: () => boolean): Parts {
  const { log, newRequestId, carried } = options;
  const limits: ListenerLimits = { ...LISTENER_LIMITS, ...options.limits };
  const connections = new Connections(limits, options.proxies && new TrustedProxies(options.proxies));
  const overLimits = new OverLimitLog(log);
  const handler = withCors(options.handler, corsRules(options.cors), log);
  const turns = new ReadTurns(limits, (connection, limit) => {
    overLimits.note(limit, connection.socket.remoteAddress);
    cut(connection);
  });
  const admission = new Admission({ connections, limits, handler, overLimits, isDraining, newRequestId });
  const protocols = new Protocols({
    limits,
    connections,
    turns,
    admission,
    handler,
    overLimits,
    log,
    isDraining,
    carried,
  });
  return { limits, connections, overLimits, protocols, log };
}

/** Takes a connection in, and hands it to its protocol, or under TLS to the handshake. */
function accept({ limits, connections, overLimits, protocols, log }: Parts, socket: Socket, isTls: boolean): void {
  socket.on("error", (error: Error) => log.debug({ error }, "Connection broken"));
  const connection = connections.admit(socket);
  if (typeof connection === "string") {
    overLimits.note(connection, socket.remoteAddress);
    return void socket.destroy();
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, limits.pingMs);
  if (!isTls) sniffProtocol(socket, (protocol) => protocols.handOver(connection, socket, protocol));
}

/** Hands a connection to its protocol whose TLS handshake is done. */
function secured({ connections, protocols }: Parts, socket: TLSSocket): void {
  const connection = connections.find(socket);
  // A newer connection from the same port may be found in its place, and be served already.
  if (connection === undefined || connection.http1 || connection.http2) return void socket.destroy();
  protocols.handOver(connection, socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
}

/** Looks at all that takes time, now and then, until the function is called that it returns. */
function startSweeping({ limits, connections, overLimits, log }: Parts): () => void {
  const endOverdue = createSweep(connections, limits, log);
  const timer = setInterval(() => {
    endOverdue();
    connections.peers.forget(performance.now());
    overLimits.log();
  }, limits.sweepMs);
  return () => clearInterval(timer);
}
