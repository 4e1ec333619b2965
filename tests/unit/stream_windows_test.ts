/** What a peer's frames say of its windows, however they are cut. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { FrameWalk } from "../../src/transport/http2/frame_walk.ts";
import { StreamWindows } from "../../src/transport/http2/windows.ts";
import { call, many } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, PREFACE, uint32 } from "../support/http2_frames.ts";

const setting = (id: number, value: number) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)]);
const opens = (stream: number, bytes: number) => frame(FRAME.windowUpdate, 0, stream, uint32(bytes));

Deno.test("windows are as the frames say, in whatever pieces these come", () => {
  const bytes = Buffer.concat([
    PREFACE,
    frame(FRAME.settings, 0, 0, Buffer.concat([setting(0x3, 100), setting(0x4, 1_000), setting(0x5, 16_384)])),
    // An acknowledgement says nothing, whatever it has.
    frame(FRAME.settings, FLAG.ack, 0, setting(0x4, 7)),
    call("/a/B", 1),
    opens(1, 20),
    opens(0, 5_000),
    // The first bit is reserved.
    opens(1, 0x80000000 + 300),
    call("/a/B", 70_001),
    opens(70_001, 0x7fffffff),
  ]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (sizes) => {
    const windows = new StreamWindows(() => [1, 70_001]);
    let wakes = 0;
    const wakeOnNext = () =>
      windows.wakeOn(1, () => {
        wakes++;
        wakeOnNext();
      });
    wakeOnNext();
    const walk = new FrameWalk(windows);
    let from = 0;
    for (const size of [...sizes, bytes.length]) {
      const chunk = bytes.subarray(from, from + size);
      assertEquals(walk.walk(chunk, 0, Infinity), chunk.length);
      from += chunk.length;
    }
    assertEquals([windows.of(1), windows.of(70_001), windows.of(3)], [1_320, 1_000 + 0x7fffffff, 1_000]);
    // By the SETTINGS, twice for itself, and once for all.
    assertEquals(wakes, 4);
  }));
});

Deno.test("whoever waits is woken once, however often a peer says that windows open", () => {
  const windows = new StreamWindows(() => [1, 3]);
  const wakes: number[] = [];
  const wait = () => [1, 3].forEach((stream) => windows.wakeOn(stream, () => wakes.push(stream)));
  const walk = new FrameWalk(windows);
  walk.walk(PREFACE, 0, Infinity);
  const floods = [
    Buffer.concat(many(1_000, () => opens(0, 1))),
    Buffer.concat(many(1_000, () => opens(1, 1))),
    frame(FRAME.settings, 0, 0, Buffer.concat(many(1_000, () => setting(0x4, 1_000)))),
  ];
  for (const flood of floods) {
    wait();
    walk.walk(flood, 0, Infinity);
  }
  assertEquals(wakes, [1, 3, 1, 3, 1]);
  wait();
  windows.wakeOn(3, undefined);
  walk.walk(floods[0]!, 0, Infinity);
  assertEquals(wakes.slice(5), [1]);
});

Deno.test("a stream that has ended is forgotten, and so are windows of streams that are no more", () => {
  const windows = new StreamWindows(() => [1]);
  windows.open(1, 10);
  windows.open(3, 10);
  windows.forget(3);
  assertEquals([windows.of(1), windows.of(3)], [65_545, 65_535]);
  for (const i of many(10_000, (i) => i)) windows.open(5 + 2 * i, 1);
  assertEquals([windows.of(1), windows.of(5)], [65_545, 65_535]);
  const known = many(10_000, (i) => windows.of(5 + 2 * i)).filter((bytes) => bytes > 65_535).length;
  assert(known <= 400, `${known} streams are known`);
});
