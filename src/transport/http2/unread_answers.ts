/**
 * What one connection's peer was answered and has not taken. Deno's node:http2 takes whatever is written to a stream and
 * keeps it until the peer's window lets it out, and a write calls back at once; that all was taken shows only in the end, as
 * the stream's "close". So a stream counts with all that it was given since its start.
 */

import type { ListenerLimits } from "../listener_limits.ts";

/** What the peer, and all, have untaken on all connections. */
export interface UntakenOfAll {
  /** Counts bytes of a stream that has `own` already; the limit that they would pass, if one. */
  add(bytes: number, own: number): keyof ListenerLimits | undefined;
  remove(bytes: number): void;
}

/** The untaken answers of one connection, in bytes of their messages. */
export class UntakenAnswers {
  #bytes = 0;

  /**
   * @param passed told when a stream wants more than there is room for
   */
  constructor(
    private readonly limits: Pick<ListenerLimits, "untakenAnswerBytesMax">,
    private readonly all: UntakenOfAll,
    private readonly passed: (limit: keyof ListenerLimits) => void,
  ) {}

  /**
   * Counts bytes that are about to be written to a stream which has `own` already. False: there is no room for them. One
   * stream alone may have more than there is room for.
   */
  add(bytes: number, own: number): boolean {
    const isOver = this.#bytes > own && this.#bytes + bytes > this.limits.untakenAnswerBytesMax;
    const limit = isOver ? "untakenAnswerBytesMax" : this.all.add(bytes, own);
    if (limit !== undefined) {
      this.passed(limit);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /** A stream with so many of the bytes is over. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.all.remove(bytes);
  }
}
