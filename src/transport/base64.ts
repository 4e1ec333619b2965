/**
 * Base64 that comes in chunks (RFC 4648, section 4): padding may stand behind any group, and what follows begins a new one, as
 * where several texts were joined. White space between characters is passed over. Pure.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { Buffer } from "node:buffer";

/** What a byte of text is, where it is none of the 64 characters. */
const PADDING = 64;
const SPACE = 65;
const OTHER = 66;

const VALUES = new Uint8Array(256).fill(OTHER);
[..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].forEach((character, value) => {
  VALUES[character.charCodeAt(0)] = value;
});
VALUES["=".charCodeAt(0)] = PADDING;
for (const space of " \t\r\n") VALUES[space.charCodeAt(0)] = SPACE;

/** The text of these bytes, padded, as bytes of its own. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"), "latin1");
}

/** Decodes one text. */
export class Base64Decoder {
  #length = 0;
  /** Of the group that has begun: its bits, its characters, and how many of them are padding. */
  #bits = 0;
  #characters = 0;
  #padding = 0;

  /** Bytes of text so far, white space included. */
  get length(): number {
    return this.#length;
  }

  /** The bytes that are complete with this chunk. @throws ConnectError INVALID_ARGUMENT */
  decode(chunk: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(Math.ceil((chunk.length + 3) / 4) * 3);
    let filled = 0;
    for (let i = 0; i < chunk.length; i++) {
      const value = VALUES[chunk[i]!]!;
      if (value === SPACE) continue;
      const isPadding = value === PADDING;
      if (value === OTHER || (isPadding ? this.#characters < 2 : this.#padding > 0)) {
        throw broken(`0x${chunk[i]!.toString(16).padStart(2, "0")} at byte ${this.#length + i + 1}`);
      }
      if (isPadding) this.#padding++;
      this.#bits = this.#bits << 6 | (isPadding ? 0 : value);
      if (++this.#characters < 4) continue;
      bytes[filled++] = this.#bits >> 16 & 0xff;
      if (this.#padding < 2) bytes[filled++] = this.#bits >> 8 & 0xff;
      if (this.#padding < 1) bytes[filled++] = this.#bits & 0xff;
      this.#bits = this.#characters = this.#padding = 0;
    }
    this.#length += chunk.length;
    return bytes.subarray(0, filled);
  }

  /** The text has ended. @throws ConnectError INVALID_ARGUMENT where it ended within a group of four characters */
  end(): void {
    if (this.#characters > 0) throw broken(`it ends after ${this.#length} bytes, within a group of four characters`);
  }
}

function broken(why: string): ConnectError {
  return new ConnectError(`the body is not base64: ${why}`, Code.InvalidArgument);
}
