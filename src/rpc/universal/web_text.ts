/**
 * gRPC-web as text (PROTOCOL-WEB, "Text-encoded (base64) streams"): the same bytes in base64, so that a page can read a
 * stream as it comes by XMLHttpRequest. It is what Google's client speaks by default. Each side may end a chunk with
 * padding wherever it likes, and go on behind it.
 *
 * Connect's handlers know only the bytes, so base64 is taken off in front of them and put on behind them.
 */
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { encodeBase64 } from "../../transport/own_answer.ts";
import { notBase64, tooLarge } from "../errors.ts";
import { PREFIX_BYTES } from "../messages/envelopes.ts";
import type { Receive } from "./http2.ts";

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

/** Has a request taken out of base64 before it is received. @param bytesMax of one message */
export function receiveText(receive: Receive, bytesMax: number): Receive {
  return (chunks, given, values) => {
    const header = new Headers(given);
    header.set("content-type", given.get("content-type")!.replace(/grpc-web-text/i, "grpc-web"));
    // It counts the text.
    header.delete("content-length");
    return receive(decoded(chunks, bytesMax), header, values);
  };
}

/** Has an answer put into base64, each chunk by itself, so that it can be read when it comes. */
export function answerText(handler: UniversalHandlerFn): UniversalHandlerFn {
  return async (request) => {
    const answer = await handler(request);
    const type = answer.header?.get("content-type") ?? "";
    if (answer.body === undefined || !type.startsWith("application/grpc-web")) return answer;
    const header = new Headers(answer.header);
    header.set("content-type", type.replace("grpc-web", "grpc-web-text"));
    return { ...answer, header, body: encoded(answer.body) };
  };
}

async function* decoded(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  const decoder = new Base64Decoder();
  // Four characters are a byte at least, so that only white space can need more.
  const textBytesMax = 4 * (PREFIX_BYTES + bytesMax);
  for await (const chunk of chunks) {
    const bytes = decoder.decode(chunk);
    if (decoder.length > textBytesMax) {
      throw tooLarge(`the body has more than ${textBytesMax} bytes of base64`);
    }
    yield bytes;
  }
  decoder.end();
}

/** Not a generator, which hears of its end only when the chunk has come that it waits for. */
function encoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]();
      const encode = (result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> =>
        result.done ? result : { done: false, value: encodeBase64(result.value) };
      return {
        next: () => source.next().then(encode),
        ...(source.throw ? { throw: (error: unknown) => source.throw!(error).then(encode) } : {}),
        ...(source.return ? { return: (value: unknown) => source.return!(value).then(encode) } : {}),
      };
    },
  };
}

/**
 * Decodes one text that comes in chunks (RFC 4648, section 4): padding may stand behind any group, and what follows
 * begins a new one, as where several texts were joined. White space between characters is passed over. No I/O.
 */
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
        throw notBase64(`0x${chunk[i]!.toString(16).padStart(2, "0")} at byte ${this.#length + i + 1}`);
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
    if (this.#characters > 0) throw notBase64(`it ends after ${this.#length} bytes, within a group of four characters`);
  }
}
