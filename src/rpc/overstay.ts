/**
 * Who stays longer than the limits allow: peers that never finish a header or a body, never read their answer, never
 * ask for anything, or are no longer there. One pass over all connections instead of timers for each of them.
 */
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { type Connection, type Connections, cut, type Exchange } from "./connections.ts";
import type { ListenerLimits } from "./listener_limits.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

/** Looks at every connection once and ends what is over a limit. */
export function cutOverstayers(connections: Connections, limits: ListenerLimits, log: Log): void {
  const now = performance.now();
  let slowBodies = 0;
  for (const connection of connections) {
    for (const exchange of connection.exchanges) {
      if (!exchange.request.complete && now - exchange.startedAt > limits.slowBodyMs) slowBodies++;
      lookAtExchange(connection, exchange, slowBodies, now, limits, log);
    }
    const limit = overstayed(connection, now, limits);
    if (limit === undefined) continue;
    log.debug({ limit, address: connection.socket.remoteAddress }, "Connection closed, over a limit");
    if (limit === "requestHeaderMs") answerAndCut(connection.http1!, 408);
    else if (limit === "idleMs" && connection.http2?.closed === false) connection.http2.close();
    else cut(connection);
  }
}

/** Answers an HTTP/1 connection whose request never reached the handler, then closes it. */
export function answerAndCut(socket: Socket, status: number): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => {
    socket.destroy();
  });
}

/** The limit that a connection is over, if any. Sends the PINGs that are due. */
function overstayed(connection: Connection, now: number, limits: ListenerLimits): keyof ListenerLimits | undefined {
  const quietMs = now - connection.quietSince;
  if (!connection.http1 && !connection.http2) return quietMs > limits.handshakeMs ? "handshakeMs" : undefined;
  if (connection.exchanges.size > 0) return isPeerGone(connection, now, limits) ? "pingAckMs" : undefined;
  if (connection.http1 && connection.http1.bytesRead > connection.quietBytesRead) {
    // Node reads a refused body off by itself or for us; a header alone is never this long.
    if (connection.http1.bytesRead - connection.quietBytesRead > limits.refusedBodyBytesMax) {
      return "refusedBodyBytesMax";
    }
    connection.headerSince ??= now;
    if (now - connection.headerSince > limits.requestHeaderMs) return "requestHeaderMs";
  }
  return quietMs > limits.idleMs ? "idleMs" : undefined;
}

function isPeerGone(connection: Connection, now: number, limits: ListenerLimits): boolean {
  // A session that said GOAWAY drops its PINGs unanswered; it lives no longer than the grace of the drain anyway.
  if (!connection.http2 || connection.http2.closed) return false;
  const sinceMs = now - connection.pingedAt;
  if (connection.pingUnanswered) return sinceMs > limits.pingAckMs;
  if (sinceMs < limits.pingMs) return false;
  connection.pingedAt = now;
  connection.pingUnanswered = true;
  connection.http2.ping((error: Error | null) => {
    if (!error) connection.pingUnanswered = false;
  });
  return false;
}

function lookAtExchange(
  connection: Connection,
  exchange: Exchange,
  slowBodies: number,
  now: number,
  limits: ListenerLimits,
  log: Log,
): void {
  const { request, response } = exchange;
  if (response.writableEnded) exchange.answeredAt ??= now;
  const openMs = request.complete ? 0 : now - exchange.startedAt;
  const limit = openMs > limits.requestBodyMs
    ? "requestBodyMs"
    : openMs > limits.slowBodyMs && slowBodies > limits.slowBodiesMax
    ? "slowBodiesMax"
    : now - (exchange.answeredAt ?? now) > limits.responseMs
    ? "responseMs"
    : undefined;
  if (limit === undefined) return;
  log.debug({ limit }, "Request ended, over a limit");
  if ("stream" in request) request.stream.close(http2.constants.NGHTTP2_CANCEL);
  else if (response.headersSent) cut(connection);
  else answerAndCut(connection.http1!, 408);
}
