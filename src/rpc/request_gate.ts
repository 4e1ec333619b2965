/**
 * The last place before the handler: requests are counted, and those over a limit are refused there, before anything is
 * made of them. Knows limits and statuses of HTTP, but nothing of what a request asks for.
 */
import http2 from "node:http2";
import type { Log } from "../telemetry/log.ts";
import { type Connection, type Connections, cut } from "./connections.ts";
import { sayClose } from "./drain.ts";
import { isHeaderOverLimit } from "./header_limits.ts";
import type { Handler, HttpRequest, HttpResponse } from "./http_handler.ts";
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
  readonly handler: Handler;
  readonly overLimits: OverLimitLog;
  readonly log: Log;
  readonly isDraining: () => boolean;
}

/** Makes the gate: give it each request with its connection, and it goes to the handler or is refused. */
export function createRequestGate(
  options: RequestGateOptions,
): (connection: Connection, request: HttpRequest, response: HttpResponse) => void {
  const { connections, limits, handler, overLimits, log, isDraining } = options;
  return enter;

  function enter(connection: Connection, request: HttpRequest, response: HttpResponse): void {
    const limit = limitPassed(connection);
    if (limit !== undefined) overLimits.note(limit, connection.socket.remoteAddress);
    if (limit === "concurrentStreamsMax" && connection.http1) return cut(connection);
    connections.begin(connection, request, response, () => ended(connection, request));
    if (isDraining()) sayClose(response);
    if (limit !== undefined) return refuse(request, response, 503);
    if (isHeaderOverLimit(request, limits)) return refuse(request, response, 431);
    try {
      handler(request, response);
    } catch (error) {
      // The adapter throws where it cannot make a URL of path and host.
      log.debug({ error }, "Request refused as malformed");
      refuse(request, response, 400);
    }
  }

  function limitPassed(
    connection: Connection,
  ): "requestsMax" | "requestsPerAddressMax" | "concurrentStreamsMax" | undefined {
    const streamsMax = limits.concurrentStreamsMax * (connection.http2 ? STREAMS_SEEN_FACTOR : 1);
    if (connection.exchanges.size >= streamsMax) return "concurrentStreamsMax";
    if (connection.peer.requests >= limits.requestsPerAddressMax) return "requestsPerAddressMax";
    return connections.requests >= limits.requestsMax ? "requestsMax" : undefined;
  }

  function ended(connection: Connection, request: HttpRequest): void {
    // What is left of a body that was refused must be read off, or the connection's next request is never seen.
    if (connection.http1 && !request.complete) request.resume();
    if (isDraining() && connection.http1 && connection.exchanges.size === 0) connection.http1.destroySoon();
    if (!("stream" in request) || !request.stream.rstCode) return;
    const now = performance.now();
    if (now - connection.resetsSince > limits.resetWindowMs) {
      connection.resets = 0;
      connection.resetsSince = now;
    }
    // A session that was destroyed ends its streams too, and throws at goaway().
    if (++connection.resets <= limits.resetsMax || connection.http2!.destroyed) return;
    overLimits.note("resetsMax", connection.socket.remoteAddress);
    connection.http2!.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    cut(connection);
  }
}

/** Refuses: a busy server by resetting the stream as not begun, which every HTTP/2 client may try again; else by status. */
function refuse(request: HttpRequest, response: HttpResponse, status: 400 | 431 | 503): void {
  if (status === 503 && "stream" in request) return request.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  sayClose(response);
  response.writeHead(status);
  response.end();
}
