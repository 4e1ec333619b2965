import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { GATHER_BYTES, gatheredBody } from "../../src/rpc/gathered_body.ts";

const GRPC = "application/grpc+proto";

Deno.test("a message in chunks of one byte is handed on in few", async () => {
  const bytes = message(100_000);
  for (const type of [GRPC, "application/grpc", "Application/gRPC-web+proto", "application/connect+json"]) {
    const handed = await all(gatheredBody(each(oneByOne(bytes)), type));
    assertEquals(joined(handed), bytes);
    assertLessOrEqual(handed.length, 3 + bytes.length / GATHER_BYTES);
  }
  const handed = await all(gatheredBody(each(oneByOne(bytes)), "application/json"));
  assertEquals(joined(handed), bytes);
  assertLessOrEqual(handed.length, 1 + bytes.length / GATHER_BYTES);
});

Deno.test("the same bytes, and none of a complete prefix or message is kept back, however they are cut", async () => {
  const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(40_000)), { maxLength: 6 });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 30_000 })), {
    minLength: 1,
  });
  await fc.assert(fc.asyncProperty(sizes, cuts, fc.nat(8), async (messages, lengths, missing) => {
    const whole = joined(messages.map(message));
    const bytes = whole.subarray(0, Math.max(0, whole.length - missing));
    const ends = boundaries(messages);
    const parts = cut(bytes, lengths);
    let asked = 0;
    let handed = 0;
    async function* source() {
      for (const part of parts) {
        // Whoever asks for more has handed on what was complete.
        const last = ends.findLast((end) => end <= asked) ?? 0;
        assertLessOrEqual(last, handed);
        asked += part.length;
        yield await Promise.resolve(part);
      }
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of gatheredBody(source(), GRPC)) {
      chunks.push(chunk.slice());
      handed += chunk.length;
    }
    assertEquals(joined(chunks), bytes);
    assertLessOrEqual(chunks.length, 1 + 2 * messages.length + bytes.length / GATHER_BYTES);
  }));
});

Deno.test("what the body throws is thrown", async () => {
  const failure = new Error("gone");
  async function* source() {
    yield await Promise.resolve(Uint8Array.of(0, 0));
    throw failure;
  }
  const thrown = await all(gatheredBody(source(), GRPC)).catch((error) => error);
  assertEquals(thrown, failure);
});

/** A message of so many bytes with its prefix. */
function message(size: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 5 + size }, (_, index) => index % 251);
  bytes[0] = 0;
  new DataView(bytes.buffer).setUint32(1, size);
  return bytes;
}

/** Where prefixes and messages of these sizes end. */
function boundaries(sizes: readonly number[]): number[] {
  let end = 0;
  return sizes.flatMap((size) => [end += 5, end += size]);
}

function oneByOne(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** In parts of these lengths, by turns. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length]!;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
