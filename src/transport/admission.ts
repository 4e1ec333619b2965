/**
 * The last place before the handler: requests get their ids and are counted, and those over a limit are refused here,
 * before anything is made of them. Knows limits and statuses of HTTP, but nothing of what a request asks for.
 */
import type { IncomingHttpHeaders } from "node:http";
import http2 from "node:http2";
import { type Connection, type Connections, cut } from "./connections.ts";
import { type Exchange, type RefusalStatus, REQUEST_ID_HEADER, type WireHandler } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";
import type { OverLimitLog } from "./over_limit_log.ts";

/**
 * A peer may end all its streams and open as many new ones in one turn of the event loop, before the ends are seen
 * here. Beyond twice the limit it is a flood: 450 streams that are opened and reset at once fit into one read from the
 * socket, and each of them was measured to take 20 to 50 kB until its end is seen.
 */
const STREAMS_SEEN_FACTOR = 2;

/** What a field costs beside its name and value (RFC 9113, section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
const FIELD_OVERHEAD_BYTES = 32;

const AUTHORIZATION = "authorization";
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;

/** What admission needs. */
export interface AdmissionOptions {
  readonly connections: Connections;
  readonly limits: ListenerLimits;
  /** Says which paths it answers at once. */
  readonly handler: Pick<WireHandler, "answersAtOnce">;
  readonly overLimits: OverLimitLog;
  readonly isDraining: () => boolean;
  /** Makes the id of a request that brings none. Absent: requests get no ids. */
  readonly newRequestId: (() => string) | undefined;
}

/** Who may go on to the handler of a listener. */
export class Admission {
  readonly #refused = new WeakSet<Exchange>();

  constructor(private readonly options: AdmissionOptions) {}

  /**
   * Counts the exchange until it has ended. True: it may go to the handler. False: it is refused, or its connection
   * cut.
   */
  admits(connection: Connection, exchange: Exchange): boolean {
    const { connections, limits, overLimits, isDraining, newRequestId } = this.options;
    const limit = this.#limitPassed(connection, exchange);
    if (limit !== undefined) overLimits.note(limit, exchange.caller.peer.key);
    if (limit === "pipelinedRequestsMax" || limit === "unreadAnswerBytesMax") {
      cut(connection);
      return false;
    }
    connections.begin(connection, exchange, () => this.#ended(connection, exchange));
    if (newRequestId !== undefined) exchange.carryId(identifyRequest(exchange.headers, newRequestId));
    if (isDraining() || connection.leavingSince !== undefined) exchange.sayClose();
    if (limit !== undefined) this.#refused.add(exchange);
    const refusal = limit !== undefined ? 503 : refusalOfHeader(exchange, limits);
    if (refusal === undefined) return true;
    exchange.refuse(refusal);
    return false;
  }

  #limitPassed(
    connection: Connection,
    { caller: { peer }, path }: Exchange,
  ):
    | "requestsMax"
    | "requestsPerAddressMax"
    | "concurrentStreamsMax"
    | "pipelinedRequestsMax"
    | "unreadAnswerBytesMax"
    | "resetsPerAddressMax"
    | undefined {
    const { connections, limits, handler } = this.options;
    const { size } = connection.exchanges;
    if (connection.http1 && size >= limits.pipelinedRequestsMax) return "pipelinedRequestsMax";
    if (connection.out?.unread.isFlooded) return "unreadAnswerBytesMax";
    if (size >= limits.concurrentStreamsMax * STREAMS_SEEN_FACTOR) return "concurrentStreamsMax";
    if (peer !== connection.peer && performance.now() < peer.barredUntil) return "resetsPerAddressMax";
    const { requests } = peer;
    if (requests < limits.requestsPerAddressMax && connections.requests < limits.requestsMax) return undefined;
    // A server under its full load is no sick one: who asks how it is would send its load to the others.
    const more = handler.answersAtOnce?.(path) ? limits.probesMax : 0;
    if (requests >= limits.requestsPerAddressMax + more) return "requestsPerAddressMax";
    return connections.requests >= limits.requestsMax + more ? "requestsMax" : undefined;
  }

  #ended(connection: Connection, exchange: Exchange): void {
    const { connections, limits, overLimits, isDraining } = this.options;
    exchange.discardBody();
    if (isDraining() && connection.http1 && connection.exchanges.size === 0) connection.http1.destroySoon();
    if (!exchange.isReset) return;
    // A session that was destroyed ends its streams too, and throws at goaway().
    if (connection.http2!.destroyed) return;
    // Who was refused was not begun, and may have been one of many honest callers.
    const total = this.#refused.has(exchange) ? undefined : connections.noteReset(connection, exchange);
    if (connection.peer.proxy !== undefined) {
      // Streams of many callers end on it: those of each are counted, and not those of the connection.
      if (total !== undefined) overLimits.note(total, exchange.caller.peer.key);
      return;
    }
    const now = performance.now();
    if (now - connection.resetsSince > limits.resetWindowMs) {
      connection.resets = 0;
      connection.resetsSince = now;
    }
    if (++connection.resets <= limits.resetsMax && total === undefined) return;
    overLimits.note(total ?? "resetsMax", exchange.caller.peer.key);
    // What one address spreads over its connections is one flood.
    for (const each of total === "resetsPerAddressMax" ? connections.ofPeer(connection.peer) : [connection]) calm(each);
  }
}

/**
 * The id of a request: the caller's, or one made here, on every answer, whatever becomes of the request. It is given
 * before anything else is made of the request, so that one that is refused has it too. Only what could not be read as a
 * request at all, and so has neither header nor log line of its own, is answered without. The header has it from then
 * on.
 */
function identifyRequest(headers: IncomingHttpHeaders, newId: () => string): string {
  const given = headers[REQUEST_ID_HEADER];
  const id = typeof given === "string" && REQUEST_ID_PATTERN.test(given) ? given : newId();
  headers[REQUEST_ID_HEADER] = id;
  return id;
}

function refusalOfHeader(exchange: Exchange, limits: ListenerLimits): RefusalStatus | undefined {
  if (isHeaderOverLimit(exchange.rawHeaders, limits)) return 431;
  if (exchange.headers.authorization !== undefined && isAuthorizedTwice(exchange.rawHeaders)) return 400;
  return exchange.refusal;
}

/**
 * Whether there are two fields of credentials. Node takes the first of them; a proxy in front may have judged another,
 * so that it is not to be guessed who calls.
 */
function isAuthorizedTwice(raw: readonly string[]): boolean {
  let fields = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) fields++;
  }
  return fields > 1;
}

/**
 * Whether a header, given as names and values by turns, has too many fields or too many bytes of them. It is a second
 * look at what has arrived: node:http and node:http2 have limits of their own, but node:http drops the fields over its
 * count in silence, and nghttp2 limits a peer to the size only once that peer has acknowledged the SETTINGS, which a
 * rude one never does.
 */
function isHeaderOverLimit(raw: readonly string[], limits: ListenerLimits): boolean {
  if (raw.length > 2 * limits.headerFieldsMax) return true;
  let bytes = raw.length / 2 * FIELD_OVERHEAD_BYTES;
  for (const text of raw) bytes += text.length;
  return bytes > limits.headerBytesMax;
}

function calm(connection: Connection): void {
  if (connection.http2?.destroyed === false) connection.http2.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  cut(connection);
}
