/**
 * What one peer may take of the port: sizes, counts and times, each with the reason for its number.
 * Sizes of messages and deadlines of calls are not here: they belong to the RPC layer above.
 */

import { shareOf } from "./addresses.ts";

/** The limits of a listener. Times are milliseconds of the monotonic clock, sizes are bytes. */
export interface ListenerLimits {
  /** Connections at once; one more is closed before anything is read from it. */
  readonly connectionsMax: number;
  /** Of these, connections from one remote address; in IPv6, here and below, from one network of 64 bits. */
  readonly connectionsPerAddressMax: number;
  /** Accept to finished TLS handshake, and again to the bytes that decide between HTTP/1 and HTTP/2. */
  readonly handshakeMs: number;
  /**
   * First byte of an HTTP/1 request to the end of its header, dripping or not; answered 408. HTTP/2: the preface with
   * its SETTINGS, a header block, and any other frame but DATA; then the connection is cut.
   */
  readonly requestHeaderMs: number;
  /** Start of a request to the end of its body, dripping or not. Answered 408, or the stream is reset. */
  readonly requestBodyMs: number;
  /**
   * Requests at once whose body is not complete after `slowBodyMs`; one more is refused as not begun, unless its answer
   * has begun.
   */
  readonly slowBodiesMax: number;
  /** Of these, requests from one remote address that stay where there are more than `slowBodiesMax` in all. */
  readonly slowBodiesPerAddressMax: number;
  /** What is read off of an HTTP/1 body that was refused already, so that the connection can be used again. */
  readonly refusedBodyBytesMax: number;
  /**
   * HTTP/1: bytes read of one request in all, with the framing of its body, which may be all that comes; then the
   * connection is cut. At least twice the largest message.
   */
  readonly http1RequestBytesMax: number;
  /** From when on a body counts as slow. */
  readonly slowBodyMs: number;
  /**
   * End of an answer to the last of its bytes read by the peer; then the stream is reset or the connection cut. HTTP/2:
   * so is a connection of which the system takes nothing for so long, though something waits.
   */
  readonly responseMs: number;
  /**
   * Bytes of answers on one connection that its peer has not read. HTTP/2: a stream that would add to them is reset
   * with ENHANCE_YOUR_CALM. HTTP/1: what the system has not taken counts, and the connection is cut. One answer alone
   * may be larger. Where as much else waits, the next request has it cut.
   */
  readonly unreadAnswerBytesMax: number;
  /** The same for all connections of one address. */
  readonly unreadPerAddressBytesMax: number;
  /** The same for all connections. */
  readonly unreadTotalBytesMax: number;
  /**
   * A stream of many messages of whose last one nothing has left for the peer for so long is reset, or its HTTP/1
   * connection cut. One that reads slowly has its next message when it has room for it.
   */
  readonly unreadStreamMs: number;
  /** Bytes of one HTTP/2 connection that the system has not taken, beyond which its streams wait. */
  readonly socketWaitingBytesMax: number;
  /** A connection without any request in progress is closed after this; an open silent stream keeps it. */
  readonly idleMs: number;
  /**
   * How old a connection gets, less up to a tenth by chance, before its peer is asked to go (`connection_age.ts`);
   * Infinity: as old as it likes.
   */
  readonly connectionAgeMsMax: number;
  /** HTTP/2: how long requests may still be in progress after that, and an answer be missing; then it is cut. */
  readonly leaveMsMax: number;
  /** An HTTP/2 connection with requests in progress gets a PING this often, which finds peers that vanished. */
  readonly pingMs: number;
  /** A PING unanswered for this long closes the connection and cancels its requests. */
  readonly pingAckMs: number;
  /**
   * How often the times above are looked at, and so how late each of them may be; later by as much as the event loop
   * was blocked, which is no peer's fault.
   */
  readonly sweepMs: number;
  /** Streams open at once on one HTTP/2 connection (RFC 9113, SETTINGS_MAX_CONCURRENT_STREAMS). */
  readonly concurrentStreamsMax: number;
  /** Requests at once on one HTTP/1 connection, all but one of them pipelined; one more, and it is cut. */
  readonly pipelinedRequestsMax: number;
  /**
   * Requests, or what takes as long, that are read in one turn of the event loop; the others wait unread for the next,
   * by turns among addresses (`read_turns.ts`).
   */
  readonly requestsPerTurnMax: number;
  /** The same while there are several addresses. */
  readonly requestsPerSharedTurnMax: number;
  /** Requests in progress on all connections together; one more is refused as not begun (503, or REFUSED_STREAM). */
  readonly requestsMax: number;
  /** Of these, requests from one remote address. */
  readonly requestsPerAddressMax: number;
  /** Requests beyond these two that are taken where they are answered at once, as those of health are. */
  readonly probesMax: number;
  /** Header block of one request: names, values and 32 bytes a field (RFC 9113, SETTINGS_MAX_HEADER_LIST_SIZE). */
  readonly headerBytesMax: number;
  /** Header fields of one request. */
  readonly headerFieldsMax: number;
  /** Streams of one connection that end in a reset, by either side, within `resetWindowMs`. */
  readonly resetsMax: number;
  /**
   * The same for all connections of one address, at once; as many more come in even steps over `resetWindowMs`. Past it
   * all of them are cut, and the address is refused for `resetWindowMs`.
   */
  readonly resetsPerAddressMax: number;
  /** The same for all connections; past it the connection is cut on which it was passed. */
  readonly resetsTotalMax: number;
  /** The window in which resets are counted. */
  readonly resetWindowMs: number;
}

/** The limits where nothing else is asked for. */
export const LISTENER_LIMITS: ListenerLimits = Object.freeze({
  // An idle HTTP/2 connection was measured to take 30 to 116 kB of resident memory, so 460 MB in all.
  connectionsMax: 4_000,
  // What one address may have of a total is a quarter, here and below: one alone leaves enough for all others, and it
  // is ten times what a pool of gRPC clients opens. A proxy in front, whose address all share, needs more: see
  // `limitsWithShare`.
  connectionsPerAddressMax: 1_000,
  handshakeMs: 10_000,
  requestHeaderMs: 15_000,
  // Twice the longest deadline of a call (30 s). A call that brings a deadline is answered DEADLINE_EXCEEDED at it, its
  // body complete or not; for one without, this is all that ends a body that never is.
  requestBodyMs: 60_000,
  // What of them is kept is bounded by the budget of messages, and over that they are refused with a reason; a request
  // itself was measured to take 49 kB. With 128, of 260 batches of 0.8 MB at once on a busy machine 57 were reset.
  slowBodiesMax: 1_000,
  slowBodiesPerAddressMax: 250,
  slowBodyMs: 2_000,
  refusedBodyBytesMax: 1024 * 1024,
  // Chunk extensions are no part of a body: 100 MB of them in one request were read to the end.
  http1RequestBytesMax: 4 * 1024 * 1024,
  // An answer of 1 MiB at 140 kbit/s. In total, and not since the last byte read: Deno shows nothing of a stream's
  // window, and it takes whatever is written to one without waiting for the peer (measured: 8 MiB at once).
  responseMs: 60_000,
  // Four times the largest answer. 60 answers of 2.7 MB, on one connection whose windows were never opened, were
  // measured to make the process 984 MB large, for as long as responseMs.
  unreadAnswerBytesMax: 16 * 1024 * 1024,
  unreadPerAddressBytesMax: 32 * 1024 * 1024,
  unreadTotalBytesMax: 128 * 1024 * 1024,
  // As long as for an answer. A page that sleeps is cut with its connection by PING; what is left reads on purpose.
  unreadStreamMs: 60_000,
  socketWaitingBytesMax: 256 * 1024,
  // Longer than clients' pools keep connections as a rule (Go 90 s, browsers some minutes less), so that the side that
  // can retry is the side that closes.
  idleMs: 300_000,
  // Who balances connections, and not calls, sets one; of each that is made anew Deno keeps some 17 kB.
  connectionAgeMsMax: Infinity,
  leaveMsMax: 10_000,
  pingMs: 30_000,
  pingAckMs: 20_000,
  sweepMs: 1_000,
  // Deno's own default was measured to accept 5,000 streams, each with its buffers. 100 is what RFC 9113 recommends as
  // the least, and what gRPC clients are tuned for.
  concurrentStreamsMax: 100,
  // Hardly a client pipelines. 20 connections with 20,000 requests each were measured to block the event loop for 4.2
  // s.
  pipelinedRequestsMax: 8,
  // A request that is begun and reset was measured to cost 0.1 ms. 198,000 of them on 200 connections blocked everybody
  // for over 20 s when each socket was read to its end. Beside a flood of one address a turn takes 4 ms, and an honest
  // call needs some six turns from its first byte to its last. Who is alone delays nobody else by longer ones.
  requestsPerTurnMax: 256,
  requestsPerSharedTurnMax: 64,
  // A request in progress was measured to take 49 kB, most of it in the RPC layer, so 590 MB in all. Above the usual
  // limit of a queue of work (10,000), whose refusal says more than one of the transport.
  requestsMax: 12_000,
  requestsPerAddressMax: 3_000,
  // Answered at once, and yet kept for as long as a peer leaves it no window to answer in.
  probesMax: 100,
  headerBytesMax: 16 * 1024,
  headerFieldsMax: 100,
  // A client with 100 calls that all time out at 1 s makes 1,000 in this window; a rapid reset makes them in a blink.
  resetsMax: 1_000,
  // 300 a second of one address, which 256 callers whose calls all time out at 1 s don't make.
  resetsPerAddressMax: 3_000,
  resetsTotalMax: 12_000,
  resetWindowMs: 10_000,
});

/**
 * The limits where one address may have `share` (over 0, up to 1) of every total, and where there may be so many
 * connections.
 */
export function limitsWithShare(share: number, connectionsMax = LISTENER_LIMITS.connectionsMax): ListenerLimits {
  const { slowBodiesMax, requestsMax, unreadTotalBytesMax, resetsTotalMax } = LISTENER_LIMITS;
  return {
    ...LISTENER_LIMITS,
    connectionsMax,
    connectionsPerAddressMax: shareOf(connectionsMax, share),
    slowBodiesPerAddressMax: shareOf(slowBodiesMax, share),
    requestsPerAddressMax: shareOf(requestsMax, share),
    unreadPerAddressBytesMax: shareOf(unreadTotalBytesMax, share),
    resetsPerAddressMax: shareOf(resetsTotalMax, share),
  };
}
