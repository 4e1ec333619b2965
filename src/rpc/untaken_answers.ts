/**
 * What one connection's peer was answered and has not taken. Deno's node:http2 takes whatever is written to a stream and
 * keeps it until the peer's window lets it out, and a write calls back at once; that all was taken shows only in the end, as
 * the stream's "close". So a stream counts with all that it was given since its start.
 */

/** The untaken answers of one connection, in bytes of their messages. */
export class UntakenAnswers {
  #bytes = 0;

  /**
   * @param bytesMax of all streams together; one stream alone may have more
   * @param passed told when a stream wants more than there is room for
   */
  constructor(private readonly bytesMax: number, private readonly passed: () => void) {}

  /** Counts bytes that are about to be written to a stream which has `own` already. False: there is no room for them. */
  add(bytes: number, own: number): boolean {
    if (this.#bytes > own && this.#bytes + bytes > this.bytesMax) {
      this.passed();
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /** A stream with so many of the bytes is over. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
