/**
 * Whose time is over: peers that never finish a header or a body, never read their answer, never
 * ask for anything, or are no longer there. One pass over all connections instead of timers for each of them.
 */
import type { Log } from "../telemetry/log.ts";
import { ageStep } from "./connection_age.ts";
import { askToLeave, closeSession, type Connection, cut } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import type { FrameWalk } from "./http2/frame_walk.ts";
import { isOpen } from "./http2/open_session.ts";
import { isStayedOn } from "./leaving.ts";
import { answerAndCut } from "./http1/exchange.ts";
import type { ListenerLimits } from "./limits.ts";
import type { Peer } from "./peers.ts";

/**
 * Makes the pass: call it every `limits.sweepMs`, and it looks at every connection once and ends what is over a limit.
 *
 * While the event loop is blocked, what peers send in time waits unread, bodies and PINGs alike, and timers go off
 * before it is read. So a pass that is late takes its lag for nobody's time, and one that is late by more than
 * `sweepMs` looks at nothing: at the next one all that waited has been read.
 *
 * @param now the time, as `performance.now()` has it
 */
export function createSweep(
  connections: Iterable<Connection>,
  limits: ListenerLimits,
  log: Log,
  now: () => number = () => performance.now(),
): () => void {
  let sweptAt = now();

  return function sweep() {
    const at = now();
    const lagMs = Math.max(0, at - sweptAt - limits.sweepMs);
    sweptAt = at;
    if (lagMs > limits.sweepMs) log.debug({ lagMs }, "Event loop blocked, nobody's time is looked at");
    else endOverdue(connections, at - lagMs, limits, log);
  };
}

function endOverdue(connections: Iterable<Connection>, now: number, limits: ListenerLimits, log: Log): void {
  const surplus = surplusBodies(connections, now, limits);
  for (const connection of connections) {
    connection.waiting?.look();
    connection.out?.unread.look();
    for (const exchange of connection.exchanges) lookAtExchange(exchange, surplus.has(exchange), now, limits, log);
    const limit = lastStep(connection, now, limits) ?? overdueLimit(connection, now, limits);
    if (limit === undefined) continue;
    log.debug({ limit, address: connection.socket.remoteAddress }, "Connection closed, over a limit");
    if (limit === "requestHeaderMs" && connection.http1) answerAndCut(connection.http1, 408);
    else if (limit === "idleMs" && isOpen(connection.http2)) connection.http2.close();
    else cut(connection);
  }
}

/**
 * The slow bodies that are too many: none as long as all are no more than may be; else those beyond the share of their
 * address, so that nobody drives out others, and whatever is too many then.
 */
function surplusBodies(connections: Iterable<Connection>, now: number, limits: ListenerLimits): Set<Exchange> {
  const slow: Exchange[] = [];
  for (const { exchanges } of connections) {
    for (const exchange of exchanges) {
      if (!exchange.isRequestComplete && now - exchange.startedAt > limits.slowBodyMs) slow.push(exchange);
    }
  }
  const surplus = new Set<Exchange>();
  if (slow.length <= limits.slowBodiesMax) return surplus;
  const own = new Map<Peer, number>();
  let kept = 0;
  for (const exchange of slow) {
    const { peer } = exchange.caller;
    const count = (own.get(peer) ?? 0) + 1;
    own.set(peer, count);
    if (count <= limits.slowBodiesPerAddressMax && kept < limits.slowBodiesMax) kept++;
    else surplus.add(exchange);
  }
  return surplus;
}

/** Has an old connection go, step by step; answers the limit by which it is cut in the end. */
function lastStep(connection: Connection, now: number, limits: ListenerLimits): "leaveMsMax" | undefined {
  const carrier = connection.http1 ?? connection.http2;
  if (!carrier) return undefined;
  if (connection.leavingSince !== undefined && isStayedOn(carrier)) connection.leavingSince = now;
  const step = ageStep(connection, now, limits);
  if (step === "leave") askToLeave(connection, now);
  // Whoever speaks HTTP/1 has one request at a time, which has limits of its own, and hears of it with its answer.
  else if (step === "close" && connection.http2) closeSession(connection);
  return step === "cut" && connection.http2 ? "leaveMsMax" : undefined;
}

/** The limit that a connection is over, if any. Sends the PINGs that are due. */
function overdueLimit(connection: Connection, now: number, limits: ListenerLimits): keyof ListenerLimits | undefined {
  const quietMs = now - connection.quietSince;
  if (!connection.http1 && !connection.http2) return quietMs > limits.handshakeMs ? "handshakeMs" : undefined;
  if (connection.frames && dragsOn(connection, connection.frames, now, limits)) return "requestHeaderMs";
  if (connection.out && connection.out.writes.stuckMs(now) > limits.responseMs) return "responseMs";
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

/** Whether what an HTTP/2 peer has begun beside its requests has not ended for too long. */
function dragsOn(connection: Connection, frames: FrameWalk, now: number, limits: ListenerLimits): boolean {
  if (!frames.isMidway || frames.progress !== connection.midwayProgress) connection.headerSince = undefined;
  connection.midwayProgress = frames.progress;
  if (!frames.isMidway) return false;
  connection.headerSince ??= now;
  return now - connection.headerSince > limits.requestHeaderMs;
}

function isPeerGone(connection: Connection, now: number, limits: ListenerLimits): boolean {
  // A session that said its last GOAWAY drops its PINGs unanswered; it lives no longer than the grace of the drain, or
  // than leaveMsMax, anyway.
  if (!isOpen(connection.http2)) return false;
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
  exchange: Exchange,
  isSurplus: boolean,
  now: number,
  limits: ListenerLimits,
  log: Log,
): void {
  if (exchange.isAnswerEnded) exchange.answeredAt ??= now;
  const openMs = exchange.isRequestComplete ? 0 : now - exchange.startedAt;
  const limit = openMs > limits.requestBodyMs
    ? "requestBodyMs"
    : isSurplus
    ? "slowBodiesMax"
    : now - (exchange.answeredAt ?? now) > limits.responseMs
    ? "responseMs"
    : undefined;
  if (limit === undefined) return;
  log.debug({ limit }, "Request ended, over a limit");
  exchange.giveUp(limit === "slowBodiesMax" ? "surplus" : "slow");
}
