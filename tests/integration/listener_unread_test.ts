/**
 * What a peer sends and nobody reads stays in the system's buffers, from where it can send no more: in clear, and above
 * TLS, where the bytes have to be left below it.
 */
import { assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectTo, setCallerSetup } from "../support/caller_setup.ts";
import { withListener } from "../support/listening.ts";
import { TLS_CERTIFICATE, TLS_KEY_FILE } from "../support/tls_server.ts";
import { eventually } from "../support/eventually.ts";

/** What is sent: many times what may be taken. */
const BODY_BYTES = 8 * 1024 * 1024;
/** What the process may take of a connection that it doesn't read: one read, and what buffers of node:http have. */
const TAKEN_BYTES_MAX = 512 * 1024;
/** So many looks in a row that see no byte more have seen the last. A slow machine looks as slowly as it sends. */
const LOOKS = 30;

const CERTIFICATE = { cert: TLS_CERTIFICATE, key: Deno.readTextFileSync(TLS_KEY_FILE) };

for (const tls of [undefined, CERTIFICATE]) {
  Deno.test(`a body that nobody reads is not taken from the system, ${tls ? "over TLS" : "in clear"}`, async () => {
    const begun = Promise.withResolvers<IncomingMessage>();
    const latch = Promise.withResolvers<void>();
    const handler = {
      async http1(request: IncomingMessage, response: ServerResponse): Promise<void> {
        begun.resolve(request);
        await latch.promise;
        let bytes = 0;
        for await (const chunk of request) bytes += (chunk as Buffer).length;
        response.end(`${bytes} bytes of a body`);
      },
      http2: () => undefined,
    };
    using _setup = { [Symbol.dispose]: setCallerSetup({ ca: tls?.cert }) };
    await withListener({ tls, handler, limits: { http1RequestBytesMax: 2 * BODY_BYTES } }, async ({ listener }) => {
      const peer = connectTo({ port: listener.port, address: undefined, protocol: "http/1.1" });
      const answer = Promise.withResolvers<string>();
      let text = "";
      peer.on("data", (chunk: Buffer) => (text += chunk).includes("of a body") && answer.resolve(text));
      peer.on("error", answer.reject);
      peer.write(`POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`);
      peer.write(Buffer.alloc(BODY_BYTES));
      const { socket } = await begun.promise;
      assertLess(await lastTaken(socket), TAKEN_BYTES_MAX);
      latch.resolve();
      assertEquals((await answer.promise).match(/\d+(?= bytes of a body)/)?.[0], `${BODY_BYTES}`);
      peer.destroy();
      await new Promise((resolve) => peer.once("close", resolve));
    });
  });
}

/** The bytes that have been taken from the connection, above TLS, once they are no more from look to look. */
async function lastTaken(socket: Socket): Promise<number> {
  let [taken, looks] = [0, 0];
  await eventually(() => {
    looks = socket.bytesRead === taken ? looks + 1 : 0;
    taken = socket.bytesRead;
    return looks === LOOKS;
  }, "no more bytes are taken");
  return taken;
}
