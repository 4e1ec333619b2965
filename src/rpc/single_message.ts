/**
 * Reads the body of a unary gRPC request as long as it is what nearly all are: one message, not compressed. Gives up at
 * the first byte that says otherwise, and hands back what it has read.
 */
import type { ServerHttp2Stream } from "node:http2";
import type { BodyStart } from "./http2_universal.ts";

/** Flags and length in front of each message (the gRPC protocol over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

/**
 * Reads the body and calls one of both, once; neither where the stream is gone before its end.
 *
 * @param messageBytesMax larger messages are none that `single` gets
 * @param single the body was exactly one message, of these bytes
 * @param other the body is something else; its start, and the stream paused where it has not ended
 */
export function readSingleMessage(
  stream: ServerHttp2Stream,
  messageBytesMax: number,
  single: (message: Uint8Array, body: BodyStart) => void,
  other: (body: BodyStart) => void,
): void {
  let chunks: Uint8Array[] = [];
  let received = 0;
  let expected: number | undefined;
  stream.on("data", onData);
  stream.on("end", onEnd);

  function onData(chunk: Uint8Array): void {
    chunks.push(chunk);
    received += chunk.length;
    if (expected === undefined && received >= PREFIX_BYTES) {
      if (chunks.length > 1) chunks = [joined(chunks, received)];
      expected = expectedBytes(chunks[0]!, messageBytesMax);
    }
    if (expected === undefined || received <= expected) return;
    stream.off("data", onData);
    stream.off("end", onEnd);
    stream.pause();
    other({ chunks, ended: false });
  }

  function onEnd(): void {
    const body = { chunks, ended: true };
    if (received !== expected) return other(body);
    const bytes = chunks.length === 1 ? chunks[0]! : joined(chunks, received);
    // Not Buffer.subarray, which makes a Buffer: handlers get bytes of messages as Uint8Array.
    single(new Uint8Array(bytes.buffer, bytes.byteOffset + PREFIX_BYTES, received - PREFIX_BYTES), body);
  }
}

/** Bytes of prefix and message; none, so that the first byte is too many, where it is not a plain message of that size. */
function expectedBytes(start: Uint8Array, messageBytesMax: number): number {
  const length = new DataView(start.buffer, start.byteOffset, PREFIX_BYTES).getUint32(1);
  return start[0] === 0 && length <= messageBytesMax ? PREFIX_BYTES + length : 0;
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
