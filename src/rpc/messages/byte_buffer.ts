/**
 * Bytes that come in parts and are kept as one. An array of parts would hold an object for each, which for parts of one
 * byte is some hundred times what the peer has sent.
 */

/** What room is made for at first: what comes in several parts is nearly always small. */
const ROOM_BYTES_MIN = 256;

/** Bytes kept in one piece, with room for more: as much again, so that each byte is copied a few times at most. */
export class ByteRoom {
  #room = new Uint8Array(0);
  #length = 0;

  /** Bytes kept. */
  get length(): number {
    return this.#length;
  }

  /** Keeps a copy of the part. */
  keep(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#room.length, ROOM_BYTES_MIN));
      larger.set(this.bytes());
      this.#room = larger;
    }
    this.#room.set(part, this.#length);
    this.#length = length;
  }

  /** What is kept, not copied: it is written over after `clear`. */
  bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /** Keeps nothing any more, but the room. */
  clear(): void {
    this.#length = 0;
  }
}
