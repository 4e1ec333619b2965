/**
 * How far the HTTP/2 frames of one connection are (RFC 9113, section 4), seen by their headers alone, so that bytes can
 * be handed on up to so much work and no further, and so that a peer is seen that never ends what it has begun. Pure.
 * Checks nothing: that is for whoever reads the frames.
 */

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const DATA = 0x0;
const HEADERS = 0x1;
const CONTINUATION = 0x9;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

/**
 * What frames cost, in whole requests: half for beginning one, half for its end, on which its message is read. Any
 * other frame was measured to cost a tenth of that at most; a read from a socket can have 6,500 of one byte of a
 * message each.
 */
const BEGIN = 1 / 2;
const END = 1 / 2;
const OTHER = 1 / 16;

/** The frames of one connection, from its preface on. */
export class FrameWalk {
  /** What the frames of the last {@link walk} cost, in whole requests. */
  work = 0;
  /**
   * Frames that ended outside of a header block, and header blocks that ended; stands still while one of them drags on.
   */
  progress = 0;
  #prefaceLeft = PREFACE_BYTES;
  #headerLength = 0;
  #length = 0;
  #type = DATA;
  #flags = 0;
  #payloadLeft = 0;
  #inHeaderBlock = false;

  /**
   * Whether something has begun that must end soon: the preface with its SETTINGS, a header block, a frame. Not a frame
   * of DATA, which belongs to a request that has its own time.
   */
  get isMidway(): boolean {
    if (this.progress === 0 || this.#inHeaderBlock || this.#headerLength > 0) return true;
    return this.#payloadLeft > 0 && this.#type !== DATA;
  }

  /**
   * Goes on from `from` to the end of the chunk, or to just before the next frame once there is work for `workMax`.
   *
   * @returns where that is; one frame may be over where its header began in the chunk before
   */
  walk(chunk: Uint8Array, from: number, workMax: number): number {
    this.work = 0;
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
      if (isWhole && this.work >= workMax) return at;
      do this.#header(chunk[at++]!); while (this.#headerLength < HEADER_BYTES && at < chunk.length);
      if (this.#headerLength < HEADER_BYTES) break;
      this.#headerLength = 0;
      this.work += this.#cost();
      if (this.#type === HEADERS) this.#inHeaderBlock = true;
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

  #cost(): number {
    const isEnd = (this.#type === HEADERS || this.#type === DATA) && (this.#flags & END_STREAM) !== 0;
    return (this.#type === HEADERS ? BEGIN : isEnd ? 0 : OTHER) + (isEnd ? END : 0);
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
