/** The id of a request on its answer, whoever gives that answer. */
import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { ask } from "../support/http2_answers.ts";
import { CHECK, countStatus, JSON_CALL, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";

const MADE = "made-here";
const FIELDS = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`x-${n}`, ""]));
const BROKEN = { ":authority": "127.0.0.1:99999" };

Deno.test("every answer over HTTP/2 has the id of its request", async (t) => {
  await withListener({ newRequestId: () => MADE, limits: { headerBytesMax: 1_000 } }, async ({ listener }) => {
    const asks: [status: number, headers: Record<string, string | undefined>, path?: string][] = [
      [200, {}],
      [403, { "content-type": "application/json", origin: "https://evil.example" }],
      [404, { "content-type": "application/json" }, "/nowhere"],
      [405, { ":method": "CONNECT", ":path": undefined, ":authority": "127.0.0.1" }],
      [417, { expect: "200-ok" }],
      [431, { "x-large": "a".repeat(1_000) }],
      [400, BROKEN],
    ];
    for (const [status, headers, path = CHECK] of asks) {
      await t.step(`${status}`, async () => {
        const body = [Buffer.alloc(5)];
        const own = await ask(listener.url, path, { headers: { ...headers, "x-request-id": "abc" }, body });
        assertEquals([own.status, idOf(own.header)], [status, "abc"]);
        const made = await ask(listener.url, path, { headers, body });
        assertEquals([made.status, idOf(made.header)], [status, MADE]);
      });
    }
  });
});

Deno.test("and over HTTP/1.1", async (t) => {
  const limits = { headerFieldsMax: 10, requestBodyMs: 100, sweepMs: 20 };
  await withListener({ newRequestId: () => MADE, limits }, async ({ listener }) => {
    const fields = Object.keys(FIELDS).map((name) => `${name}: \r\n`).join("");
    const asks: [status: number, request: string][] = [
      [200, JSON_CALL],
      [403, JSON_CALL.replace("host:", "origin: https://evil.example\r\nhost:")],
      [404, JSON_CALL.replace(CHECK, "/nowhere")],
      [408, JSON_CALL.replace(/content-length: \d+/, "content-length: 1000")],
      [431, JSON_CALL.replace("\r\n\r\n", `\r\n${fields}\r\n`)],
      [400, JSON_CALL.replace("host: 127.0.0.1", "host: [")],
    ];
    for (const [status, request] of asks) {
      await t.step(`${status}`, async () => {
        const peer = await RawPeer.http1(listener.port);
        peer.send(request);
        await peer.until(() => countStatus(peer, status) === 1 && peer.text.includes("\r\n\r\n"), "an answer");
        assertMatch(peer.text, new RegExp(`^x-request-id: ${MADE}\r$`, "mi"));
        await peer.leave();
      });
    }
  });
});

function idOf(header: readonly string[]): string | undefined {
  return header.find((line) => line.startsWith("x-request-id: "))?.slice("x-request-id: ".length);
}
