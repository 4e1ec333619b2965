/**
 * An exchange over HTTP/2: one stream of node:http2, without its compatibility request and response.
 */
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type Exchange, type Http2Call, type RefusalStatus, REQUEST_ID_HEADER } from "../exchange.ts";
import { Member } from "../../base/roll.ts";
import type { Caller } from "../peers.ts";
import type { ListenerLimits } from "../limits.ts";
import type { Cork, UnreadAnswers } from "./egress.ts";
import type { StreamWindows } from "./windows.ts";

/** How often it is looked whether bytes went out, in ms: on a connection that the system takes no more of; else. */
const LOOK_AT_SOCKET_MS = 50;
const LOOK_AT_WINDOWS_MS = 250;

/** What goes out on the connection of an exchange. */
export interface Outgoing {
  readonly writes: Cork;
  readonly unread: UnreadAnswers;
  readonly windows: StreamWindows;
  readonly limits: Pick<ListenerLimits, "socketWaitingBytesMax" | "unreadStreamMs">;
  /** A stream is given up, as its peer reads nothing of it. */
  readonly stalled: () => void;
}

/** What a stream that has closed says. */
function ignore(): void {}

/** One request over HTTP/2 and its answer. */
export class Http2Exchange extends Member implements Exchange, Http2Call {
  readonly startedAt = performance.now();
  answeredAt: number | undefined = undefined;
  readonly answerHeaders: Record<string, string> = {};
  /** Of its messages: in all, and what of these counts as unread. */
  #handedBytes = 0;
  #unreadBytes = 0;
  /** Who hears that the stream has closed, in this sequence. */
  #closed: (() => void)[] | undefined;

  constructor(
    readonly caller: Caller,
    private readonly out: Outgoing,
    readonly stream: ServerHttp2Stream,
    readonly headers: IncomingHttpHeaders,
    readonly rawHeaders: readonly string[],
  ) {
    super();
  }

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
    this.out.writes.cork();
  }

  handOver(bytes: number): boolean {
    if (!this.out.unread.add(bytes, this.#unreadBytes)) {
      this.stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    }
    if (this.#handedBytes === 0) {
      const id = this.stream.id!;
      this.onceClosed(() => {
        this.out.unread.closed(this.#unreadBytes);
        this.out.windows.forget(id);
      });
    }
    this.#handedBytes += bytes;
    this.#unreadBytes += bytes;
    return true;
  }

  letOut(): Promise<boolean> | undefined {
    if (!this.#isLetOut()) return this.#untilLetOut();
    this.#countAsRead();
    return undefined;
  }

  /** Whether the peer's windows, and the system, have taken all that was written to the stream. */
  #isLetOut(): boolean {
    const { stream, out } = this;
    if (this.#handedBytes > out.windows.of(stream.id!)) return false;
    if (out.writes.waiting > out.limits.socketWaitingBytesMax) return false;
    return (stream.session?.state.remoteWindowSize ?? 0) > 0;
  }

  #countAsRead(): void {
    if (this.stream.closed || this.stream.destroyed) return;
    this.out.unread.remove(this.#unreadBytes);
    this.#unreadBytes = 0;
  }

  async #untilLetOut(): Promise<boolean> {
    const { stream, out: { windows, writes, limits, stalled } } = this;
    const id = stream.id!;
    // Windows that open for others are no sign that this one is read; what goes out on the connection may be its own.
    const moved = () => this.#handedBytes > windows.of(id) ? windows.of(id) : writes.taken;
    let last = moved();
    let movedAt = performance.now();
    while (!stream.closed && !stream.destroyed) {
      if (this.#isLetOut()) {
        this.#countAsRead();
        return true;
      }
      const now = moved();
      if (now !== last) movedAt = performance.now();
      else if (performance.now() - movedAt > limits.unreadStreamMs) {
        stalled();
        stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
        return false;
      }
      last = now;
      await this.#woken(writes.waiting > 0 ? LOOK_AT_SOCKET_MS : LOOK_AT_WINDOWS_MS);
    }
    return false;
  }

  /** Ends when all was let out, the stream closes, or after a while. */
  #woken(afterMs: number): Promise<void> {
    const { stream, out: { windows } } = this;
    const id = stream.id!;
    return new Promise((resolve) => {
      let isAwake = false;
      const wake = () => {
        if (isAwake) return;
        isAwake = true;
        clearTimeout(timer);
        windows.wakeOn(id, undefined);
        stream.off("close", wake);
        resolve();
      };
      // The window that has opened may be another's, or too small: then there is nothing to wake up for.
      const look = () => {
        if (isAwake) return;
        if (stream.closed || stream.destroyed || this.#isLetOut()) wake();
        else windows.wakeOn(id, lookSoon);
      };
      // node:http2 knows of it only when it has been handed the bytes that say so.
      const lookSoon = () => void setImmediate(look);
      const timer = setTimeout(wake, afterMs);
      windows.wakeOn(id, lookSoon);
      stream.once("close", wake);
    });
  }

  /**
   * One listener for all of them: a stream of node:http2 looks at each that comes or goes by listeners of its own. By
   * the end there are none: streams are in a Map of node:http2, and so live on for long (`base/roll.ts`), with whatever
   * their listeners know. Those of node:http2 look at listeners alone, and make each that goes cost as one that comes.
   */
  onceClosed(closed: () => void): void {
    if (this.#closed !== undefined) return void this.#closed.push(closed);
    const all = this.#closed = [closed];
    this.stream.on("close", () => {
      for (const each of all) each();
      all.length = 0;
      this.stream.removeAllListeners("removeListener").removeAllListeners();
      // Without one an error would end the process.
      this.stream.on("error", ignore);
    });
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
