/** How far HTTP/2 frames are, whatever chunks they come in. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { FrameWalk } from "../../src/rpc/frame_walk.ts";
import { call, many, oversizeHeaders } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, opening, PREFACE } from "../support/http2_frames.ts";

const PATH = "/a.B/C";

Deno.test("streams and progress are the same however the bytes are cut", () => {
  const bytes = Buffer.concat([
    opening(),
    ...many(10, (i) => call(PATH, 2 * i + 1)),
    ...oversizeHeaders(PATH, 21, 40_000),
    frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  ]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 20_000 })), (sizes) => {
    const walk = new FrameWalk();
    let streams = 0;
    let from = 0;
    for (const size of [...sizes, bytes.length]) {
      const chunk = bytes.subarray(from, from + size);
      assertEquals(walk.walk(chunk, 0, Infinity), chunk.length);
      streams += walk.streams;
      from += chunk.length;
    }
    // SETTINGS, ten times HEADERS and DATA, one header block over several frames, PING.
    assertEquals([streams, walk.progress, walk.isMidway], [11, 23, false]);
  }));
});

Deno.test("it goes up to the HEADERS of one stream too many, and on from there", () => {
  const calls = many(5, (i) => call(PATH, 2 * i + 1));
  const bytes = Buffer.concat([opening(), ...calls]);
  const walk = new FrameWalk();
  const first = walk.walk(bytes, 0, 2);
  assertEquals([first, walk.streams], [opening().length + calls[0]!.length + calls[1]!.length, 2]);
  assertEquals([walk.walk(bytes, first, 3), walk.streams], [bytes.length, 3]);
  assertEquals([walk.walk(calls[0]!, 0, 0), walk.streams], [0, 0]);
});

Deno.test("midway: half a preface, no SETTINGS, half a frame, a header block without its end; not half a message", () => {
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  const midway = (...chunks: Uint8Array[]) => {
    const walk = new FrameWalk();
    for (const chunk of chunks) walk.walk(chunk, 0, Infinity);
    return walk.isMidway;
  };
  assertEquals(midway(PREFACE.subarray(0, 20)), true);
  assertEquals(midway(PREFACE), true);
  assertEquals(midway(opening()), false);
  assertEquals(midway(opening(), ping.subarray(0, 3)), true);
  assertEquals(midway(opening(), ping.subarray(0, 12)), true);
  assertEquals(midway(opening(), frame(FRAME.headers, FLAG.endStream, 1, Buffer.alloc(3))), true);
  assertEquals(
    midway(
      opening(),
      frame(FRAME.headers, FLAG.endHeaders, 1),
      frame(FRAME.data, 0, 1, Buffer.alloc(9)).subarray(0, 12),
    ),
    false,
  );
});
