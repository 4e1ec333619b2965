/**
 * An exchange over HTTP/2: one stream of node:http2, without its compatibility request and response.
 */
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Exchange } from "../exchange.ts";
import type { Http2Call, WireHandler } from "../http_handler.ts";
import { identifyRequest, REQUEST_ID_HEADER } from "../request_id.ts";
import type { UntakenAnswers } from "./unread_answers.ts";
import type { WriteBatch } from "../cork.ts";

/** One request over HTTP/2 and its answer. */
export class Http2Exchange implements Exchange, Http2Call {
  readonly startedAt = performance.now();
  answeredAt: number | undefined = undefined;
  readonly answerHeaders: Record<string, string> = {};
  #handedBytes = 0;

  constructor(
    /** Key of the caller's address. */
    readonly address: string,
    private readonly writes: WriteBatch,
    private readonly untaken: UntakenAnswers,
    readonly stream: ServerHttp2Stream,
    readonly headers: IncomingHttpHeaders,
    readonly rawHeaders: readonly string[],
  ) {}

  get path(): string {
    return this.headers[":path"] ?? "";
  }

  get isRequestComplete(): boolean {
    return this.stream.readableEnded || this.stream.aborted || this.stream.destroyed;
  }

  get isAnswerEnded(): boolean {
    return this.stream.writableEnded;
  }

  get isReset(): boolean {
    // A peer's reset that tells of no error has no code.
    return Boolean(this.stream.rstCode) || this.stream.aborted;
  }

  batchWrites(): void {
    this.writes.hold();
  }

  handOver(bytes: number): boolean {
    if (!this.untaken.add(bytes, this.#handedBytes)) {
      this.stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    }
    if (this.#handedBytes === 0) this.stream.once("close", () => this.untaken.remove(this.#handedBytes));
    this.#handedBytes += bytes;
    return true;
  }

  onceClosed(closed: () => void): void {
    this.stream.once("close", closed);
  }

  identify(newId: () => string): void {
    this.answerHeaders[REQUEST_ID_HEADER] = identifyRequest(this.headers, newId);
  }

  /** As node:http2 does for a request listener: CONNECT and what is expected beside "100-continue" go no further. */
  answer(handler: WireHandler): void {
    if (this.headers[":method"] === "CONNECT") return this.#answerStatus(405);
    if (this.headers.expect !== undefined) {
      if (this.headers.expect !== "100-continue") return this.#answerStatus(417);
      this.stream.additionalHeaders({ ":status": 100 });
    }
    handler.http2(this);
  }

  refuse(status: 400 | 417 | 431 | 501 | 503): void {
    if (status === 503) this.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    else this.#answerStatus(status);
  }

  giveUp(why: "slow" | "crowded"): void {
    const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;
    this.stream.close(why === "crowded" && !this.stream.headersSent ? NGHTTP2_REFUSED_STREAM : NGHTTP2_CANCEL);
  }

  sayClose(): void {}

  discardBody(): void {}

  #answerStatus(status: number): void {
    if (this.stream.headersSent || this.stream.closed || this.stream.destroyed) return;
    this.stream.respond({ ...this.answerHeaders, ":status": status });
    this.stream.end();
  }
}
