/**
 * How far the HTTP/2 frames of one connection are (RFC 9113, section 4), seen by their headers and by what of them is
 * about windows, so that bytes can be handed on up to so much work and no further, so that a peer is seen that never
 * ends what it has begun, and so that answers go out as fast as the peer reads. Pure. Checks nothing: that is for
 * whoever reads the frames.
 */

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const DATA = 0x0;
const HEADERS = 0x1;
const SETTINGS = 0x4;
const WINDOW_UPDATE = 0x8;
const CONTINUATION = 0x9;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;

/**
 * What frames cost, in whole requests: half for beginning one, half for its end, on which its message is read. Any
 * other frame was measured to cost a tenth of that at most; a read from a socket can have 6,500 of one byte of a
 * message each.
 */
const BEGIN = 1 / 2;
const END = 1 / 2;
const OTHER = 1 / 16;

/** One of SETTINGS: an identifier of two bytes and a value of four. */
const SETTING_BYTES = 6;
const INITIAL_WINDOW_SIZE = 0x4;
/** Of a window's bytes and of a stream's id the first bit says nothing. */
const LOW_31_BITS = 2 ** 31;

/** What a peer says of its windows. */
export interface SaidOfWindows {
  setInitial(bytes: number): void;
  /** Of stream 0: of all streams together. */
  open(stream: number, bytes: number): void;
}

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
  #stream = 0;
  #payloadLeft = 0;
  #inHeaderBlock = false;
  #isOfWindows = false;
  #setting = 0;
  #value = 0;

  /** @param windows hear what the peer says of them, before whoever reads the frames does. Absent: nobody does */
  constructor(private readonly windows?: SaidOfWindows) {}

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
        if (this.#isOfWindows) this.#heed(chunk, at, at + bytes);
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
      this.#isOfWindows = this.windows !== undefined && this.#saysWindows();
      this.#value = 0;
      if (this.#payloadLeft === 0) this.#end();
    }
    return at;
  }

  #header(byte: number): void {
    const at = this.#headerLength++;
    if (at === 0) {
      this.#length = byte;
      this.#stream = 0;
    } else if (at < 3) this.#length = this.#length * 256 + byte;
    else if (at === 3) this.#type = byte;
    else if (at === 4) this.#flags = byte;
    else this.#stream = this.#stream * 256 + byte;
  }

  #saysWindows(): boolean {
    return this.#type === WINDOW_UPDATE || (this.#type === SETTINGS && (this.#flags & ACK) === 0);
  }

  /** Takes in bytes of a payload that is about windows. */
  #heed(chunk: Uint8Array, from: number, end: number): void {
    const first = this.#length - this.#payloadLeft;
    for (let at = from; at < end; at++) {
      this.#value = this.#value * 256 + chunk[at]!;
      const place = first + at - from;
      if (this.#type === SETTINGS) this.#heedSetting(place % SETTING_BYTES);
      else if (place === 3) this.windows!.open(this.#stream % LOW_31_BITS, this.#value % LOW_31_BITS);
    }
  }

  #heedSetting(place: number): void {
    if (place === 1) {
      this.#setting = this.#value;
      this.#value = 0;
    } else if (place === SETTING_BYTES - 1) {
      if (this.#setting === INITIAL_WINDOW_SIZE) this.windows!.setInitial(this.#value);
      this.#value = 0;
    }
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
