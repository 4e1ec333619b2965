/**
 * Reads the body of a unary gRPC request as long as it is what nearly all are: one message, not compressed. Gives up at
 * the first byte that says otherwise, and hands back what it has read.
 */
import type { ServerHttp2Stream } from "node:http2";
import { ByteRoom } from "./byte_buffer.ts";
import type { BodyStart } from "../http2_universal.ts";

/** Flags and length in front of each message (the gRPC protocol over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;
const NONE = new Uint8Array(0);

/**
 * Reads the body and calls one of both, once; neither where the stream is gone before its end.
 *
 * @param messageBytesMax larger messages are none that `single` gets
 * @param received told of so many bytes as they come; false: there is no room, and no more must be read
 * @param single the body was exactly one message, of these bytes
 * @param other the body is something else; its start, and the stream paused where it has not ended
 * @returns stops reading: neither is called any more; answers what was read
 */
export function readSingleMessage(
  stream: ServerHttp2Stream,
  messageBytesMax: number,
  received: (bytes: number) => boolean,
  single: (message: Uint8Array, body: BodyStart) => void,
  other: (body: BodyStart) => void,
): () => BodyStart {
  /** The whole body so far: nearly always its only chunk. */
  let bytes: Uint8Array = NONE;
  let room: ByteRoom | undefined;
  let expected: number | undefined;
  stream.on("data", onData);
  stream.on("end", onEnd);
  return stop;

  function stop(): BodyStart {
    stream.off("data", onData);
    stream.off("end", onEnd);
    stream.pause();
    return { chunks: [taken()], ended: false };
  }

  /** What there is of the body: whoever has it may let go of it. */
  function taken(): Uint8Array {
    const all = bytes;
    bytes = NONE;
    room = undefined;
    return all;
  }

  function onData(chunk: Uint8Array): void {
    bytes = bytes.length === 0 ? chunk : kept(chunk);
    if (expected === undefined && bytes.length >= PREFIX_BYTES) expected = expectedBytes(bytes, messageBytesMax);
    if (received(chunk.length) && (expected === undefined || bytes.length <= expected)) return;
    other(stop());
  }

  function onEnd(): void {
    const all = taken();
    const body = { chunks: [all], ended: true };
    if (all.length !== expected) return other(body);
    // Not Buffer.subarray, which makes a Buffer: handlers get bytes of messages as Uint8Array.
    single(new Uint8Array(all.buffer, all.byteOffset + PREFIX_BYTES, all.length - PREFIX_BYTES), body);
  }

  function kept(chunk: Uint8Array): Uint8Array {
    if (room === undefined) {
      room = new ByteRoom();
      room.keep(bytes);
    }
    room.keep(chunk);
    return room.bytes();
  }
}

/** Bytes of prefix and message; none, so that the first byte is too many, where it is not a plain message of that size. */
function expectedBytes(start: Uint8Array, messageBytesMax: number): number {
  const length = new DataView(start.buffer, start.byteOffset, PREFIX_BYTES).getUint32(1);
  return start[0] === 0 && length <= messageBytesMax ? PREFIX_BYTES + length : 0;
}
