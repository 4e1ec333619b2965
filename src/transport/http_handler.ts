/**
 * What answers requests: over HTTP/1.1 a request and a response of node:http, over HTTP/2 the stream itself. The objects
 * that node:http2 makes to look like node:http cost more than a whole small call, so they are never made.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** One request over HTTP/2. */
export interface Http2Call {
  readonly stream: ServerHttp2Stream;
  /** Key of the caller's address, from `address_key.ts`. */
  readonly address: string;
  /** The request's header as node:http2 gives it, pseudo-header fields included. May be added to. */
  readonly headers: IncomingHttpHeaders;
  /** Fields that whatever answers the call must send, by lower-case name, under those of the answer itself. */
  readonly answerHeaders: Record<string, string>;
  /**
   * Counts bytes of a message that is about to be written. False: the peer leaves too much on its connection untaken; nothing
   * must be written, and the stream has been reset.
   */
  handOver(bytes: number): boolean;
  /** Has what is written to the stream from here on go out together with what soon follows. */
  batchWrites(): void;
}

/** What answers requests of both protocols. Both may throw where no URL can be made of a request. */
export interface WireHandler {
  /** Whether whatever is asked for at this path is answered at once. Absent: nothing is. */
  answersAtOnce?(path: string): boolean;
  http1(request: IncomingMessage, response: ServerResponse): void;
  http2(call: Http2Call): void;
}
