import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { type Protocol, sniffProtocol } from "../../src/transport/protocols.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Feeds the chunks one at a time; answers after which one it decided, what, and what is left to read then. */
async function sniff(chunks: readonly string[]): Promise<{ protocol?: Protocol; after?: number; left?: string }> {
  const stream = new PassThrough();
  let protocol: Protocol | undefined;
  let after: number | undefined;
  let left: string | undefined;
  sniffProtocol(stream as unknown as Socket, (decided) => {
    protocol = decided;
    left = (stream.read() as Buffer | null)?.toString("latin1");
  });
  for (const [index, chunk] of chunks.entries()) {
    stream.write(Buffer.from(chunk, "latin1"));
    await new Promise((resolve) => setImmediate(resolve));
    if (protocol !== undefined) after ??= index;
  }
  stream.destroy();
  return protocol === undefined ? {} : { protocol, after: after!, left: left! };
}

Deno.test("the preface in one piece is HTTP/2, and all of it is left to read", async () => {
  assertEquals(await sniff([PREFACE]), { protocol: "http2", after: 0, left: PREFACE });
});

Deno.test("the preface byte by byte is HTTP/2 at its fourteenth byte, and no byte is lost", async () => {
  assertEquals(await sniff([...PREFACE]), { protocol: "http2", after: 13, left: PREFACE.slice(0, 14) });
});

Deno.test("HTTP/1 is known at the first byte that differs, also of a method that begins like the preface", async () => {
  assertEquals(await sniff(["POST / HTTP/1.1\r\n"]), { protocol: "http1", after: 0, left: "POST / HTTP/1.1\r\n" });
  assertEquals(await sniff(["P", "R", "O", "PFIND"]), { protocol: "http1", after: 2, left: "PRO" });
  assertEquals(await sniff(["PRI * HTTP/1.1"]), { protocol: "http1", after: 0, left: "PRI * HTTP/1.1" });
});

Deno.test("too few bytes decide nothing", async () => {
  assertEquals(await sniff(["PRI * HTTP/2."]), {});
  assertEquals(await sniff([]), {});
});
