import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { Cork } from "../../src/transport/http2/egress.ts";

Deno.test("what is written in one turn, and up to two turns later, is one write; what comes after is not kept back", async () => {
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
  const cork = new Cork(stream as unknown as Socket);
  cork.cork();
  stream.write("header");
  cork.cork();
  await turn();
  await turn();
  stream.write("trailers");
  assertEquals(written, []);
  await turn();
  assertEquals(written, [["header", "trailers"]]);
  stream.write("later");
  assertEquals(written.at(-1), ["later"]);
  cork.cork();
  stream.end("last");
  assertEquals(written.at(-1), ["last"]);
});

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
