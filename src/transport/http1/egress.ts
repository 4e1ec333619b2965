/**
 * What was answered on one HTTP/1 connection, counted until the system has taken it.
 *
 * node:http keeps all that is written to an answer, and to those that are pipelined behind it, and shows what it keeps:
 * so nothing is counted twice here, and nothing is forgotten. Of 1 MiB each 400 answers, on 50 connections of which
 * nothing was read, were measured to make the process 400 MiB larger for as long as `responseMs`.
 */
import type { ListenerLimits } from "../limits.ts";
import type { CountedLimit } from "../over_limit_log.ts";
import type { UnreadOfAll } from "../http2/egress.ts";

/** The answers of one connection that wait for the system, in bytes. */
export class WaitingAnswers {
  #bytes = 0;
  #isGone = false;

  /**
   * @param kept bytes that node:http keeps, and the socket
   * @param passed called with the limit that an answer would pass
   */
  constructor(
    private readonly limits: Pick<ListenerLimits, "unreadAnswerBytesMax">,
    private readonly all: UnreadOfAll,
    private readonly kept: () => number,
    private readonly passed: (limit: CountedLimit) => void,
  ) {}

  /** Counts bytes that are about to be written. False: they are over a limit. One answer alone never is. */
  add(bytes: number): boolean {
    if (this.#isGone) return false;
    this.look();
    const isOver = this.#bytes > 0 && this.#bytes + bytes > this.limits.unreadAnswerBytesMax;
    const limit = isOver ? "unreadAnswerBytesMax" : this.all.add(bytes, 0);
    if (limit !== undefined) {
      this.passed(limit);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /** Looks how much waits by now. */
  look(): void {
    const bytes = this.#isGone ? 0 : this.kept();
    this.all.remove(this.#bytes - bytes);
    this.#bytes = bytes;
  }

  /** The connection is gone, with whatever waited. */
  end(): void {
    this.#isGone = true;
    this.look();
  }
}
