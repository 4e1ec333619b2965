/**
 * What goes out on one HTTP/2 connection: gathered into few writes, and counted until the peer has read it.
 *
 * Deno's node:http2 writes header, message and trailers of an answer each by itself, and the writes are the largest
 * part of what a small answer costs (measured: 27 % of all time on a core). So what is written to the socket in one
 * turn of the event loop goes out as one.
 *
 * It also takes whatever is written to a stream and keeps it until the peer's window lets it out, and a write calls
 * back at once; that all was let out shows only in the end, as the stream's "close". So a stream counts with all that
 * it was given since its start, or since the peer's windows have let all of it out (`windows.ts`), which is looked at
 * between the messages of those that have many. What windows let out the socket takes, however much it has already: of
 * a stream that has closed there counts on what the system has not taken.
 */
import http2, { type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { ListenerLimits } from "../limits.ts";
import type { CountedLimit } from "../over_limit_log.ts";

/** The unread answers of a peer, and of all, on all connections. */
export interface UnreadOfAll {
  /** Counts bytes of a stream that has `own` already; the limit that they would pass, if one. */
  add(bytes: number, own: number): CountedLimit | undefined;
  remove(bytes: number): void;
}

/**
 * GOAWAY with the largest id as the last stream: the peer is asked for no more streams, and those are served that it
 * opens before it has heard of it (RFC 9113, section 6.8). node:http2 can't be asked for it: by its own GOAWAY, of
 * whatever last stream, nghttp2 takes no more.
 */
const LEAVE_NOTICE = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** The writes to one socket. */
export class Cork {
  #isCorked = false;
  /** Bytes that the system had taken when it was looked, and since when it has taken no more. */
  #seenTaken = -1;
  #stuckSince = 0;

  constructor(private readonly socket: Socket) {}

  /**
   * Keeps back what is written from here on until {@link afterTrailers}. Within that time more calls of it change
   * nothing.
   */
  cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.socket.cork();
    afterTrailers(() => this.#uncork());
  }

  /** Asks the peer to open no more streams. node:http2 writes whole frames, so that one of ours fits between them. */
  askToLeave(): void {
    this.socket.write(LEAVE_NOTICE);
  }

  /** Bytes that the system has not taken yet: the peer reads no more of its connection. */
  get waiting(): number {
    return this.socket.writableLength;
  }

  /** Bytes that the system has taken. */
  get taken(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  /** For how long the system has taken nothing of what waits, in ms, by when this was asked before; 0: it takes. */
  stuckMs(now: number): number {
    const { taken } = this;
    if (this.waiting === 0 || taken !== this.#seenTaken) [this.#seenTaken, this.#stuckSince] = [taken, now];
    return now - this.#stuckSince;
  }

  /** Calls back once the system has taken all that waits. Of a few kilobytes it may never do. */
  onceTaken(callback: () => void): void {
    this.socket.once("drain", callback);
  }

  #uncork(): void {
    this.#isCorked = false;
    this.socket.uncork();
  }
}

/** The unread answers of one connection, in bytes of their messages. */
export class UnreadAnswers {
  /** In all; of these, of streams that have closed. */
  #bytes = 0;
  #closedBytes = 0;
  #isTakenAwaited = false;
  #isGone = false;

  /** @param passed called with the limit that a stream would pass */
  constructor(
    private readonly limits: Pick<ListenerLimits, "unreadAnswerBytesMax">,
    private readonly all: UnreadOfAll,
    private readonly writes: Pick<Cork, "waiting" | "onceTaken">,
    private readonly passed: (limit: CountedLimit) => void,
  ) {}

  /**
   * Whether more waits for the system beside messages than may of these: headers, trailers and refusals, of a peer that
   * asks on and on and reads nothing.
   */
  get isFlooded(): boolean {
    return this.writes.waiting - this.#bytes > this.limits.unreadAnswerBytesMax;
  }

  /**
   * Counts bytes that are about to be written to a stream which has `own` already. False: they are over a limit. One
   * stream alone may have more than the limit.
   */
  add(bytes: number, own: number): boolean {
    this.look();
    const isOver = this.#bytes > own && this.#bytes + bytes > this.limits.unreadAnswerBytesMax;
    const limit = isOver ? "unreadAnswerBytesMax" : this.all.add(bytes, own);
    if (limit !== undefined) {
      this.passed(limit);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /** So many of the bytes of a stream have been let out. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.all.remove(bytes);
  }

  /** A stream has closed that has so many of the bytes. */
  closed(bytes: number): void {
    this.#closedBytes += bytes;
    this.look();
    if (this.#closedBytes === 0 || this.#isTakenAwaited) return;
    this.#isTakenAwaited = true;
    this.writes.onceTaken(() => {
      this.#isTakenAwaited = false;
      this.look();
    });
  }

  /** Looks how much of what closed streams have left the system has taken since. */
  look(): void {
    if (this.#closedBytes === 0) return;
    const left = this.#isGone ? 0 : Math.min(this.#closedBytes, this.writes.waiting);
    this.remove(this.#closedBytes - left);
    this.#closedBytes = left;
  }

  /** The connection is gone, with whatever waited. */
  end(): void {
    this.#isGone = true;
    this.look();
  }
}

/**
 * Calls back in three turns of the event loop: node:http2 writes trailers two turns after the message, without any
 * event.
 */
function afterTrailers(callback: () => void): void {
  setImmediate(() => setImmediate(() => setImmediate(callback)));
}

/**
 * Closes the stream behind its answer where the request has not ended: what is left of it is nobody's, and a hundred
 * such streams would keep their connection from opening another one. Closed any sooner, it loses its trailers.
 */
export function closeOnceAnswered(stream: ServerHttp2Stream, isTrailed: boolean): void {
  if (stream.readableEnded || stream.closed) return;
  stream.once(
    isTrailed ? "wantTrailers" : "finish",
    () => afterTrailers(() => stream.close(http2.constants.NGHTTP2_NO_ERROR)),
  );
}
