/**
 * gRPC-web as text (PROTOCOL-WEB, "Text-encoded (base64) streams"): the same bytes in base64, so that a page can read a stream
 * as it comes by XMLHttpRequest. It is what Google's client speaks by default. Each side may end a chunk with padding wherever
 * it likes, and go on behind it.
 *
 * Connect's handlers know only the bytes, so base64 is taken off in front of them and put on behind them.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { Base64Decoder, encodeBase64 } from "../transport/base64.ts";
import type { Receive } from "./http2_universal.ts";

/** Flags and length in front of each message. */
const PREFIX_BYTES = 5;

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
  // Four characters hold a byte at least, so that only white space can need more.
  const textBytesMax = 4 * (PREFIX_BYTES + bytesMax);
  for await (const chunk of chunks) {
    const bytes = decoder.decode(chunk);
    if (decoder.length > textBytesMax) {
      throw new ConnectError(`the body has more than ${textBytesMax} bytes of base64`, Code.ResourceExhausted);
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
