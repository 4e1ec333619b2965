/** How far HTTP/2 frames are, whatever chunks they come in. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { FrameWalk } from "../../src/transport/http2/frame_walk.ts";
import { call, many, oversizeHeaders } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, opening, PREFACE } from "../support/http2_frames.ts";

const PATH = "/a.B/C";
/** The DATA frame of such a call, with an empty message. */
const DATA_BYTES = 9 + 5;

Deno.test("work and progress are the same however the bytes are cut", () => {
  const bytes = Buffer.concat([
    opening(),
    ...many(10, (i) => call(PATH, 2 * i + 1)),
    ...oversizeHeaders(PATH, 21, 40_000),
    frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  ]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 20_000 })), (sizes) => {
    const walk = new FrameWalk();
    let work = 0;
    let from = 0;
    for (const size of [...sizes, bytes.length]) {
      const chunk = bytes.subarray(from, from + size);
      assertEquals(walk.walk(chunk, 0, Infinity), chunk.length);
      work += walk.work;
      from += chunk.length;
    }
    // SETTINGS, ten times HEADERS and DATA, one header block over three frames, PING.
    assertEquals([work, walk.progress, walk.isMidway], [11 + 4 / 16, 23, false]);
  }));
});

Deno.test("it goes up to the frame before which there is work enough, and on from there", () => {
  const calls = many(5, (i) => call(PATH, 2 * i + 1));
  const bytes = Buffer.concat(calls);
  const walk = new FrameWalk();
  assertEquals([walk.walk(opening(), 0, 1), walk.work], [opening().length, 1 / 16]);
  const first = walk.walk(bytes, 0, 2);
  assertEquals([first, walk.work], [calls[0]!.length + calls[1]!.length, 2]);
  const headers = calls[0]!.length - DATA_BYTES;
  assertEquals([walk.walk(bytes, first, 0.5), walk.work], [first + headers, 0.5]);
  assertEquals([walk.walk(bytes, first + headers, 3), walk.work], [bytes.length, 2.5]);
  assertEquals([walk.walk(calls[0]!, 0, 0), walk.work], [0, 0]);
});

Deno.test("what frames cost: half a request its beginning, half its end, little any other", () => {
  const cost = (...frames: Uint8Array[]) => {
    const walk = new FrameWalk();
    walk.walk(opening(), 0, Infinity);
    walk.walk(Buffer.concat(frames), 0, Infinity);
    return walk.work;
  };
  assertEquals(cost(frame(FRAME.headers, FLAG.endHeaders, 1)), 1 / 2);
  assertEquals(cost(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1)), 1);
  assertEquals(cost(frame(FRAME.data, FLAG.endStream, 1)), 1 / 2);
  assertEquals(cost(...many(160, () => frame(FRAME.data, 0, 1, Buffer.alloc(1)))), 10);
  // The flag that ends a stream has another meaning in other frames.
  for (const type of [FRAME.settings, FRAME.ping, FRAME.windowUpdate, FRAME.priority, FRAME.reset, 0x99]) {
    assertEquals(cost(frame(type, FLAG.ack, 0)), 1 / 16);
  }
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
