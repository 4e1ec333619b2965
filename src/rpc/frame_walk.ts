/**
 * How far the HTTP/2 frames of one connection are (RFC 9113, section 4), told by their headers alone, so that bytes can be
 * handed on up to a count of streams and no further, and so that a peer is seen that never ends what it has begun. Pure.
 * Checks nothing: that is for whoever reads the frames.
 */

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const DATA = 0x0;
const HEADERS = 0x1;
const CONTINUATION = 0x9;
const END_HEADERS = 0x4;

/** The frames of one connection, from its preface on. */
export class FrameWalk {
  /** Streams begun in the last {@link walk}, counted by their HEADERS; trailers count as well. */
  streams = 0;
  /** Frames that ended outside of a header block, and header blocks that ended; stands still while one of them drags on. */
  progress = 0;
  #prefaceLeft = PREFACE_BYTES;
  #headerLength = 0;
  #length = 0;
  #type = DATA;
  #flags = 0;
  #payloadLeft = 0;
  #inHeaderBlock = false;

  /**
   * Whether something has begun that must end soon: the preface with its SETTINGS, a header block, a frame. Not a frame of DATA,
   * which belongs to a request that has its own time.
   */
  get isMidway(): boolean {
    if (this.progress === 0 || this.#inHeaderBlock || this.#headerLength > 0) return true;
    return this.#payloadLeft > 0 && this.#type !== DATA;
  }

  /**
   * Goes on from `from` to the end of the chunk, or to just before the HEADERS of a stream more than `streamsMax`.
   *
   * @returns where that is; one stream may be over where its HEADERS began in the chunk before
   */
  walk(chunk: Uint8Array, from: number, streamsMax: number): number {
    this.streams = 0;
    let at = from;
    const preface = Math.min(this.#prefaceLeft, chunk.length - at);
    this.#prefaceLeft -= preface;
    at += preface;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const bytes = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= bytes;
        at += bytes;
        if (this.#payloadLeft === 0) this.#end();
        continue;
      }
      const isWhole = this.#headerLength === 0 && chunk.length - at >= HEADER_BYTES;
      if (isWhole && this.streams >= streamsMax && chunk[at + 3] === HEADERS) return at;
      do this.#header(chunk[at++]!); while (this.#headerLength < HEADER_BYTES && at < chunk.length);
      if (this.#headerLength < HEADER_BYTES) break;
      this.#headerLength = 0;
      if (this.#type === HEADERS) {
        this.streams++;
        this.#inHeaderBlock = true;
      }
      this.#payloadLeft = this.#length;
      if (this.#payloadLeft === 0) this.#end();
    }
    return at;
  }

  #header(byte: number): void {
    const at = this.#headerLength++;
    if (at === 0) this.#length = byte;
    else if (at < 3) this.#length = this.#length * 256 + byte;
    else if (at === 3) this.#type = byte;
    else if (at === 4) this.#flags = byte;
  }

  #end(): void {
    if (this.#inHeaderBlock) {
      const isOfBlock = this.#type === HEADERS || this.#type === CONTINUATION;
      if (!isOfBlock || (this.#flags & END_HEADERS) === 0) return;
      this.#inHeaderBlock = false;
    }
    this.progress++;
  }
}
