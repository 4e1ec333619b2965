/**
 * The last place before the handler: requests are counted, and those over a limit are refused there, before anything is
 * made of them. Knows limits and statuses of HTTP, but nothing of what a request asks for.
 */
import http2 from "node:http2";
import type { Log } from "../telemetry/log.ts";
import { type Connection, type Connections, cut } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import { isHeaderOverLimit } from "./header_limits.ts";
import type { WireHandler } from "./http_handler.ts";
import type { ListenerLimits } from "./listener_limits.ts";
import type { OverLimitLog } from "./over_limit_log.ts";

/**
 * A peer may end all its streams and open as many new ones in one breath, before the ends are seen here. Beyond twice the
 * limit it is a flood: 450 streams that are opened and reset at once fit into one read from the socket, and each of them
 * was measured to hold 20 to 50 kB until its end is seen.
 */
const STREAMS_SEEN_FACTOR = 2;

/** What the gate needs. */
export interface RequestGateOptions {
  readonly connections: Connections;
  readonly limits: ListenerLimits;
  readonly handler: WireHandler;
  readonly overLimits: OverLimitLog;
  readonly log: Log;
  readonly isDraining: () => boolean;
  /** Makes the id of a request that brings none. Absent: requests get no ids. */
  readonly newRequestId: (() => string) | undefined;
}

/** Makes the gate: give it each exchange with its connection, and it goes to the handler or is refused. */
export function createRequestGate(
  options: RequestGateOptions,
): (connection: Connection, exchange: Exchange) => void {
  const { connections, limits, handler, overLimits, log, isDraining, newRequestId } = options;
  const refused = new WeakSet<Exchange>();
  return enter;

  function enter(connection: Connection, exchange: Exchange): void {
    const limit = limitPassed(connection, exchange.path);
    if (limit !== undefined) overLimits.note(limit, connection.socket.remoteAddress);
    if (limit === "pipelinedRequestsMax") return cut(connection);
    connections.begin(connection, exchange, () => ended(connection, exchange));
    if (newRequestId !== undefined) exchange.identify(newRequestId);
    if (isDraining()) exchange.sayClose();
    if (limit !== undefined) {
      refused.add(exchange);
      return exchange.refuse(503);
    }
    if (isHeaderOverLimit(exchange.rawHeaders, limits)) return exchange.refuse(431);
    const refusal = connection.http1 && exchange.refusal;
    if (refusal) return exchange.refuse(refusal);
    try {
      exchange.answer(handler);
    } catch (error) {
      // No URL can be made of path and host.
      log.debug({ error }, "Request refused as malformed");
      exchange.refuse(400);
    }
  }

  function limitPassed(
    connection: Connection,
    path: string,
  ): "requestsMax" | "requestsPerAddressMax" | "concurrentStreamsMax" | "pipelinedRequestsMax" | undefined {
    const { size } = connection.exchanges;
    if (connection.http1 && size >= limits.pipelinedRequestsMax) return "pipelinedRequestsMax";
    if (size >= limits.concurrentStreamsMax * STREAMS_SEEN_FACTOR) return "concurrentStreamsMax";
    const { requests } = connection.peer;
    if (requests < limits.requestsPerAddressMax && connections.requests < limits.requestsMax) return undefined;
    // A server under its full load is no sick one: who asks how it is would send its load to the others.
    const more = handler.answersAtOnce?.(path) ? limits.probesMax : 0;
    if (requests >= limits.requestsPerAddressMax + more) return "requestsPerAddressMax";
    return connections.requests >= limits.requestsMax + more ? "requestsMax" : undefined;
  }

  function ended(connection: Connection, exchange: Exchange): void {
    exchange.discardBody();
    if (isDraining() && connection.http1 && connection.exchanges.size === 0) connection.http1.destroySoon();
    if (!exchange.isReset) return;
    const now = performance.now();
    if (now - connection.resetsSince > limits.resetWindowMs) {
      connection.resets = 0;
      connection.resetsSince = now;
    }
    // A session that was destroyed ends its streams too, and throws at goaway().
    if (connection.http2!.destroyed) return;
    // Who was refused was not begun, and may have been one of many honest callers.
    const total = refused.has(exchange) ? undefined : connections.noteReset(connection);
    if (++connection.resets <= limits.resetsMax && total === undefined) return;
    overLimits.note(total ?? "resetsMax", connection.socket.remoteAddress);
    // What one address spreads over its connections is one flood.
    for (const each of total === "resetsPerAddressMax" ? connections.ofPeer(connection.peer) : [connection]) calm(each);
  }
}

function calm(connection: Connection): void {
  if (connection.http2?.destroyed === false) connection.http2.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  cut(connection);
}
