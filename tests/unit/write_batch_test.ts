import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { WriteBatch } from "../../src/rpc/write_batch.ts";

Deno.test("what is written in one breath, and one turn later, is one write; what comes after is not held back", async () => {
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
  await new Promise<void>((resolve) => setImmediate(resolve));
  stream.write("trailers");
  assertEquals(written, []);
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  assertEquals(written, [["header", "trailers"]]);
  stream.write("later");
  assertEquals(written.at(-1), ["later"]);
  batch.hold();
  stream.end("last");
  assertEquals(written.at(-1), ["last"]);
});
