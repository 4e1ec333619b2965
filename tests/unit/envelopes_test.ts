/** Prefixes of messages: flags and a length of four bytes. */
import { assertEquals } from "@std/assert";
import { Cutter, enveloped, envelopedBuffer, SingleMessage } from "../../src/rpc/messages/envelopes.ts";

/** Lengths of which each byte of a prefix is another one, or has its first bit set. */
const LENGTHS = [0, 1, 0x80, 0xff, 0x0102, 0x80ff, 0x010203];

Deno.test("what was put in an envelope is cut out of it again, whatever its length", () => {
  for (const length of LENGTHS) {
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    for (const whole of [enveloped(1, bytes), envelopedBuffer(1, bytes)]) {
      assertEquals([...whole.subarray(0, 5)], [1, 0, length >> 16, length >> 8 & 0xff, length & 0xff]);
      assertEquals([...new Cutter(true, length).cut(whole)], [{ flags: 1, bytes: whole.subarray(5) }]);
      assertEquals(new Uint8Array(whole.subarray(5)), bytes);
    }
  }
});

Deno.test("a length is unsigned, so that the largest is above every bound", () => {
  for (const first of [0x7f, 0x80, 0xff]) {
    const prefix = Uint8Array.of(0, first, 0xff, 0xff, 0xff);
    assertEquals(new SingleMessage(2 ** 24).add(prefix), false);
    const all = new SingleMessage(2 ** 32);
    assertEquals([all.add(prefix), all.isComplete], [true, false]);
  }
});
