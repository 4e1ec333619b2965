/**
 * One request and its answer, in both protocols: as the listener sees them (how far they are, and how to end them), and
 * as whatever answers them does. Knows neither what is asked nor who answers.
 *
 * Over HTTP/1.1 a handler gets a request and a response of node:http, over HTTP/2 the stream itself: the objects that
 * node:http2 makes to look like node:http cost more than a whole small call, so they are never made.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders as Http2Headers, ServerHttp2Stream } from "node:http2";
import type { Member } from "../base/roll.ts";
import type { Caller } from "./peers.ts";

/** Header that carries the id of a request and of its answer. */
export const REQUEST_ID_HEADER = "x-request-id";

/** A status that refuses a request before a handler sees it. */
export type RefusalStatus = 400 | 405 | 417 | 431 | 501 | 503;

/**
 * From the header of a request to the end of its answer, or to its reset. Times are of `performance.now()`, in ms.
 *
 *     (new)          -> refused        over a limit or malformed (`admission.ts`), or no URL can be made of it
 *     (new)          -> with handler   it is admitted
 *     with handler   -> answered       the handler has ended its answer, which the peer may not have read yet
 *     with handler, answered -> given up   over a limit of time, or one too many (`reaper.ts`)
 *     any            -> closed         its answer has ended, or its stream or connection is gone: it counts no more
 */
export interface Exchange extends Member {
  /** Whose request it is. */
  readonly caller: Caller;
  readonly startedAt: number;
  /** When the handler was first seen to have ended its answer, which the peer has not read yet. */
  answeredAt: number | undefined;
  /** What is asked for, as sent. */
  readonly path: string;
  /** The request's header by lower-case name. May be added to. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values of the request's header, by turns, as they came. */
  readonly rawHeaders: readonly string[];
  /** Whether the whole request has arrived, or no more of it will. */
  readonly isRequestComplete: boolean;
  /** Whether the handler has ended its answer, read by the peer or not. */
  readonly isAnswerEnded: boolean;
  /** The status that its header must be answered with, whatever is asked for; absent for good ones. */
  readonly refusal: RefusalStatus | undefined;
  /** HTTP/2: whether the stream ended in a reset, by either side. HTTP/1 has none. */
  readonly isReset: boolean;
  /** Calls back once, when the answer has ended or the stream or connection is gone. */
  onceClosed(closed: () => void): void;
  /** Has its answer carry the id of the request. */
  carryId(id: string): void;
  /** Refuses it, before or instead of an answer: 503 as not begun, which every HTTP/2 client may try again. */
  refuse(status: RefusalStatus): void;
  /**
   * Ends it, over a limit; once its answer has begun the stream is reset with CANCEL, or the HTTP/1 connection cut.
   * Before:
   *
   * - `"slow"`: the peer was given its time. CANCEL, which gRPC clients don't try again, or 408.
   * - `"surplus"`: it is one too many, whose request no handler has got whole. REFUSED_STREAM or 503, which say that it
   *   may be tried again.
   */
  giveUp(why: "slow" | "surplus"): void;
  /**
   * Its connection has closed. HTTP/1: has its response say so where node:http does not, as it does of the first of
   * several in a row alone, so that whoever waits for its end never waits in vain.
   */
  close(): void;
  /** HTTP/1: asks the peer to send no more on this connection, where it is not too late. HTTP/2 has GOAWAY for that. */
  sayClose(): void;
  /** HTTP/1: has what is left of a body that nobody wants read off, or the next request is never seen. */
  discardBody(): void;
}

/** One request over HTTP/1, beside its request and response of node:http. */
export interface Http1Call {
  /** Key of the caller's address, from `addresses.ts`. */
  readonly address: string;
  /**
   * Counts bytes of an answer that are about to be written. False: the peer leaves too much unread; nothing must be
   * written, and the connection has been cut.
   */
  handOver(bytes: number): boolean;
  /** What the system has taken of what was handed over counts no more. Looked at by itself once an answer has ended. */
  countTaken(): void;
}

/** One request over HTTP/2. */
export interface Http2Call {
  readonly stream: ServerHttp2Stream;
  /** Key of the caller's address, from `addresses.ts`. */
  readonly address: string;
  /** The request's header as node:http2 gives it, pseudo-header fields included. May be added to. */
  readonly headers: Http2Headers;
  /** Fields that whatever answers the call must send, by lower-case name, under those of the answer itself. */
  readonly answerHeaders: Record<string, string>;
  /**
   * Counts bytes of a message that is about to be written. False: the peer leaves too much on its connection unread;
   * nothing must be written, and the stream has been reset.
   */
  handOver(bytes: number): boolean;
  /**
   * Whether all that was handed over has left for the peer: undefined where it has, else a promise of whether it did in
   * the end. False: the stream is closed, and has been reset where its peer read nothing of it for too long.
   */
  letOut(): Promise<boolean> | undefined;
  /** Has what is written to the stream from here on go out together with what soon follows. */
  cork(): void;
  /** Calls back once, when the stream has closed. */
  onceClosed(closed: () => void): void;
}

/** What answers requests of both protocols. Both may throw, or reject, where no URL can be made of a request. */
export interface WireHandler {
  /** Whether whatever is asked for at this path is answered at once. Absent: nothing is. */
  answersAtOnce?(path: string): boolean;
  http1(...asked: Http1Asked): void | Promise<void>;
  http2(call: Http2Call): void | Promise<void>;
}

/** What a handler is given of a request over HTTP/1. */
export type Http1Asked = readonly [request: IncomingMessage, response: ServerResponse, call: Http1Call];
