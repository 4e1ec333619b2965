/**
 * An exchange over HTTP/2: one stream of node:http2, without its compatibility request and response.
 */
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type Exchange, type Http2Call, type RefusalStatus, REQUEST_ID_HEADER } from "../exchange.ts";
import type { Caller } from "../peers.ts";
import type { Cork, UnreadAnswers } from "./egress.ts";

/** One request over HTTP/2 and its answer. */
export class Http2Exchange implements Exchange, Http2Call {
  readonly startedAt = performance.now();
  answeredAt: number | undefined = undefined;
  readonly answerHeaders: Record<string, string> = {};
  #handedBytes = 0;

  constructor(
    readonly caller: Caller,
    private readonly writes: Cork,
    private readonly unread: UnreadAnswers,
    readonly stream: ServerHttp2Stream,
    readonly headers: IncomingHttpHeaders,
    readonly rawHeaders: readonly string[],
  ) {}

  get address(): string {
    return this.caller.address;
  }

  get path(): string {
    return this.headers[":path"] ?? "";
  }

  get isRequestComplete(): boolean {
    return this.stream.readableEnded || this.stream.aborted || this.stream.destroyed;
  }

  get isAnswerEnded(): boolean {
    return this.stream.writableEnded;
  }

  /** As node:http2 has it for a request listener: CONNECT and what is expected beside "100-continue" go no further. */
  get refusal(): 405 | 417 | undefined {
    if (this.headers[":method"] === "CONNECT") return 405;
    const { expect } = this.headers;
    return expect === undefined || expect === "100-continue" ? undefined : 417;
  }

  get isReset(): boolean {
    // A peer's reset that brings no error has no code.
    return Boolean(this.stream.rstCode) || this.stream.aborted;
  }

  cork(): void {
    this.writes.cork();
  }

  handOver(bytes: number): boolean {
    if (!this.unread.add(bytes, this.#handedBytes)) {
      this.stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    }
    if (this.#handedBytes === 0) this.stream.once("close", () => this.unread.remove(this.#handedBytes));
    this.#handedBytes += bytes;
    return true;
  }

  onceClosed(closed: () => void): void {
    this.stream.once("close", closed);
  }

  carryId(id: string): void {
    this.answerHeaders[REQUEST_ID_HEADER] = id;
  }

  /** Has a peer that waits for it send its body. */
  sayContinue(): void {
    if (this.headers.expect !== undefined) this.stream.additionalHeaders({ ":status": 100 });
  }

  refuse(status: RefusalStatus): void {
    if (status === 503) return this.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    if (this.stream.headersSent || this.stream.closed || this.stream.destroyed) return;
    this.stream.respond({ ...this.answerHeaders, ":status": status });
    this.stream.end();
  }

  giveUp(why: "slow" | "surplus"): void {
    const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;
    this.stream.close(why === "surplus" && !this.stream.headersSent ? NGHTTP2_REFUSED_STREAM : NGHTTP2_CANCEL);
  }

  close(): void {}

  sayClose(): void {}

  discardBody(): void {}
}
