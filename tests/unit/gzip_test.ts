import { Code, ConnectError } from "@connectrpc/connect";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { GZIP, PACKED_BYTES_MAX, unpack } from "../../src/rpc/messages/gzip.ts";

Deno.test("what was packed is unpacked to the same bytes, up to the limit and not a byte beyond", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.integer({ min: 1, max: 3 }), (bytes, members) => {
    const packed = Buffer.concat(Array(members).fill(gzipSync(bytes)));
    const whole = new Uint8Array(Buffer.concat(Array(members).fill(bytes)));
    assertEquals(unpack(packed, Math.max(1, whole.length)), whole);
    if (whole.length < 2) return;
    const error = assertThrows(() => unpack(packed, whole.length - 1), ConnectError);
    assertEquals(error.code, Code.ResourceExhausted);
  }));
});

Deno.test("a bomb is stopped at the limit: what is kept is no larger than the message, and its buffer neither", () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000));
  const before = Deno.memoryUsage();
  const error = assertThrows(() => unpack(bomb, 65_536), ConnectError);
  assertEquals(error.code, Code.ResourceExhausted);
  const { external } = Deno.memoryUsage();
  assert(external - before.external < 20_000_000, `${external - before.external} bytes more`);
  for (const size of [1, 100, 40_000]) {
    const kept = unpack(gzipSync(Buffer.alloc(size, "x")), 1_000_000);
    assertEquals([kept.length, kept.buffer.byteLength, kept.byteOffset], [size, size, 0]);
  }
});

Deno.test("what is no gzip is INVALID_ARGUMENT, whatever it is", () => {
  const good = gzipSync(Buffer.from("some bytes of a message, some bytes of a message"));
  fc.assert(fc.property(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.nat(good.length - 2).map((end) => good.subarray(0, end + 1)),
      fc.constant(deflateRawSync(Buffer.from("raw"))),
    ),
    (bytes) => {
      const error = assertThrows(() => unpack(bytes, 1_000), ConnectError);
      assertEquals([error.code, error.rawMessage], [Code.InvalidArgument, "decompression failed"]);
    },
  ));
  assertEquals(unpack(new Uint8Array(), 10), new Uint8Array());
});

Deno.test("Connect's handlers pack and unpack by it, and large answers are only wrapped", async () => {
  for (const size of [0, 10, PACKED_BYTES_MAX, PACKED_BYTES_MAX + 1]) {
    const bytes = new Uint8Array(size).fill(7);
    const packed = await GZIP.compress(bytes);
    assertEquals(await GZIP.decompress(packed, Math.max(1, size)), bytes);
    assertEquals(packed.length > size / 2, size <= 10 || size > PACKED_BYTES_MAX);
  }
  const error = await assertRejects(() => GZIP.decompress(gzipSync(Buffer.alloc(100)), 10), ConnectError);
  assertEquals(error.code, Code.ResourceExhausted);
});
