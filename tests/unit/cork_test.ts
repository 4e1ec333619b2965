import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { WriteBatch } from "../../src/transport/cork.ts";

Deno.test("what is written in one breath, and up to two turns later, is one write; what comes after is not held back", async () => {
  const written: string[][] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push([String(chunk)]);
      done();
    },
    writev(chunks, done) {
      written.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  // Only what every Writable has is used of a socket.
  const batch = new WriteBatch(stream as unknown as Socket);
  batch.hold();
  stream.write("header");
  batch.hold();
  await turn();
  await turn();
  stream.write("trailers");
  assertEquals(written, []);
  await turn();
  assertEquals(written, [["header", "trailers"]]);
  stream.write("later");
  assertEquals(written.at(-1), ["later"]);
  batch.hold();
  stream.end("last");
  assertEquals(written.at(-1), ["last"]);
});

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
