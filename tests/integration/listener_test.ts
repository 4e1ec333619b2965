import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import tls from "node:tls";
import { FRAME, PREFACE } from "../support/http2_frames.ts";
import {
  answersBothProtocols,
  CHECK,
  countStatus,
  JSON_CALL,
  type Setting,
  withListener,
} from "../support/listening.ts";
import { grpcCall, http2Request, RawPeer } from "../support/raw_peer.ts";
import { dialPort } from "../../src/transport/own_port.ts";
import { call } from "../support/http2_calls.ts";
import { eventually } from "../support/eventually.ts";

const CERTIFICATE = Deno.readTextFileSync(new URL("../support/tls/certificate.pem", import.meta.url));
const KEY = Deno.readTextFileSync(new URL("../support/tls/key.pem", import.meta.url));
const TLS = { cert: CERTIFICATE, key: KEY };

Deno.test("one cleartext port answers HTTP/2 by prior knowledge and HTTP/1.1", async () => {
  await withListener({}, async ({ listener }) => {
    assertEquals(listener.url, `http://127.0.0.1:${listener.port}`);
    await answersBothProtocols(listener);
  });
});

Deno.test("on loopback a page whose own name somebody points here is refused, whatever host it sends", async () => {
  await withListener({}, async ({ listener, handled }) => {
    const peer = await RawPeer.http1(listener.port);
    const from = (host: string) => JSON_CALL.replace("host: 127.0.0.1", `host: ${host}\r\norigin: http://${host}`);
    peer.send(from(`evil.example:${listener.port}`));
    await peer.until(() => countStatus(peer, 403) === 1, "a refusal");
    assertEquals(handled(), 0);
    peer.send(from(`localhost:${listener.port}`));
    await peer.until(() => countStatus(peer, 200) === 1, "an answer");
    await peer.leave();
  });
});

Deno.test("first bytes that come one by one decide all the same", async () => {
  await withListener({}, async ({ listener }) => {
    const second = await RawPeer.http2(listener.port, { start: Buffer.alloc(0) });
    for (const byte of PREFACE) await written(second, Buffer.of(byte));
    second.send(Buffer.concat([Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), call(CHECK, 1)]));
    await second.until(() => second.got(FRAME.headers, 0x1, 1), "trailers");
    await second.leave();
    const first = await RawPeer.http1(listener.port);
    for (const byte of Buffer.from(JSON_CALL)) await written(first, Buffer.of(byte));
    await first.until(() => countStatus(first, 200) === 1, "an answer");
    await first.leave();
  });
});

Deno.test("a connection that is reset before it said what it speaks harms nobody else", async () => {
  await withListener({}, async ({ listener, logged }) => {
    const peer = await RawPeer.http1(listener.port);
    await written(peer, Buffer.from("PRI"));
    peer.socket.resetAndDestroy();
    await eventually(() => logged.some((line) => line.message === "Connection broken"), "the reset seen");
    await answersBothProtocols(listener);
  });
});

Deno.test("with TLS the protocol is chosen by ALPN: HTTP/2, HTTP/1.1, and HTTP/1.1 without ALPN", async () => {
  await withListener({ tls: TLS }, async ({ listener }) => {
    assertEquals(listener.url, `https://127.0.0.1:${listener.port}`);
    assertEquals(await grpcCall(listener.url, CHECK, CERTIFICATE), "0");
    for (const offered of [["http/1.1"], undefined]) {
      const { answers, protocol } = await askOverTls(listener.port, offered, 3);
      assertEquals([answers, protocol], [3, offered ? "http/1.1" : false]);
    }
  });
});

Deno.test("a broken TLS handshake and cleartext sent to a TLS port harm nobody else", async () => {
  await withListener({ tls: TLS }, async ({ listener }) => {
    for (const bytes of [JSON_CALL, "\x16\x03\x01\x00\x05garbage"]) {
      const peer = await RawPeer.http1(listener.port);
      peer.send(bytes);
      await peer.untilClosed("handshake failed");
    }
    assertEquals(await grpcCall(listener.url, CHECK, CERTIFICATE), "0");
  });
});

Deno.test("a TLS handshake that never begins is ended", async () => {
  await withListener({ tls: TLS, limits: { handshakeMs: 2000, sweepMs: 20 } }, async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    await peer.untilClosed("silent");
    assertEquals(await grpcCall(listener.url, CHECK, CERTIFICATE), "0");
  });
});

Deno.test("requests that no URL can be made of are answered 400, whenever their calls are admitted", async (t) => {
  for (const admitted of [undefined, Promise.resolve(undefined)]) {
    const admission = { challenge: undefined, admit: () => admitted };
    await t.step(admitted === undefined ? "at once" : "later", () => withListener({ admission }, isRefused));
  }

  async function isRefused({ listener, logged }: Setting): Promise<void> {
    for (
      const request of [
        JSON_CALL.replace("127.0.0.1", "127.0.0.1:99999"),
        "NONSENSE\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
      ]
    ) {
      const peer = await RawPeer.http1(listener.port);
      peer.send(request);
      await peer.until(() => countStatus(peer, 400) === 1, "400");
      await peer.leave();
    }
    const headers = {
      ":method": "POST",
      ":path": CHECK,
      ":authority": "127.0.0.1:99999",
      "content-type": "application/json",
    };
    assertEquals((await http2Request(listener.url, headers, Buffer.from("{}"))).status, 400);
    await answersBothProtocols(listener);
    assert(!logged.some(({ message }) => String(message).includes("fault of the service")), "no fault of ours");
  }
});

Deno.test("a process that dials its own port is answered, and is no caller", async () => {
  await withListener({}, async ({ listener, handled }) => {
    assertEquals([await dialPort(listener.host, listener.port), handled()], ["answered", 0]);
  });
});

Deno.test("CORS is in front of the handler, on both protocols", async () => {
  await withListener({ cors: { origins: ["https://shop.example"], hosts: [] } }, async ({ listener }) => {
    const origin = "https://shop.example";
    const asked = { origin, "access-control-request-method": "POST" };
    const preflight = await http2Request(listener.url, { ":method": "OPTIONS", ":path": CHECK, ...asked });
    assertEquals([preflight.status, preflight.headers["access-control-allow-origin"]], [204, origin]);
    const json = { "content-type": "application/json", origin };
    const answer = await http2Request(listener.url, { ":method": "POST", ":path": CHECK, ...json }, Buffer.from("{}"));
    assertEquals([answer.status, answer.headers["access-control-allow-origin"]], [200, origin]);
    assertEquals(answer.headers.vary, "Origin");
    const peer = await RawPeer.http1(listener.port);
    peer.send(JSON_CALL.replace("\r\n", `\r\norigin: ${origin}\r\n`));
    await peer.until(() => countStatus(peer, 200) === 1, "200");
    assert(peer.text.toLowerCase().includes(`access-control-allow-origin: ${origin}`), peer.text);
    await peer.leave();
  });
});

Deno.test("a page under a name that somebody points here is refused on both protocols", async () => {
  await withListener({ cors: { origins: [], hosts: ["stock.example"] } }, async ({ listener, handled }) => {
    const http1 = async (request: string) => {
      const peer = await RawPeer.http1(listener.port);
      peer.send(request);
      await peer.until(() => peer.text.includes("\r\n\r\n"), "an answer");
      await peer.leave();
      return Number(peer.text.split(" ")[1]);
    };
    /** Statuses of the preflight and the call over HTTP/1.1, and of both over HTTP/2. */
    const answers = async (name: string) => {
      const authority = `${name}:${listener.port}`;
      const origin = `http://${authority}`;
      const fields = `host: ${authority}\r\norigin: ${origin}`;
      const page = { ":path": CHECK, ":authority": authority, origin };
      const preflight = { ...page, ":method": "OPTIONS", "access-control-request-method": "POST" };
      const call = { ...page, ":method": "POST", "content-type": "application/json" };
      return [
        await http1(`OPTIONS ${CHECK} HTTP/1.1\r\n${fields}\r\naccess-control-request-method: POST\r\n\r\n`),
        await http1(JSON_CALL.replace(/host: [^\r]*/i, fields)),
        (await http2Request(listener.url, preflight)).status,
        (await http2Request(listener.url, call, Buffer.from("{}"))).status,
      ];
    };
    assertEquals(await answers("evil.example"), [403, 403, 403, 403]);
    assertEquals(handled(), 0);
    for (const own of ["stock.example", "localhost", "127.0.0.1", "10.0.0.1"]) {
      assertEquals(await answers(own), [204, 200, 204, 200], own);
    }
    // A backend calls by whichever name its network has for this host, and sends no origin.
    const backend = { ":path": CHECK, ":authority": "holdfast:8080", "content-type": "application/json" };
    const answer = await http2Request(listener.url, { ...backend, ":method": "POST" }, Buffer.from("{}"));
    assertEquals(answer.status, 200);
    assertEquals(await http1(JSON_CALL.replace(/host: [^\r]*/i, "host: holdfast:8080")), 200);
  });
});

Deno.test("a port that is taken is an error of listen", async () => {
  await withListener({}, async ({ listener }) => {
    const error = await assertRejects(() => withListener({ port: listener.port }, () => Promise.resolve()), Error);
    assert(error.message.includes("EADDRINUSE"), error.message);
  });
});

Deno.test("over TLS a silent connection is idle, not a header that never ends; a dripping header is", async () => {
  await withListener({ tls: TLS, limits: { requestHeaderMs: 100, sweepMs: 20 } }, async ({ listener }) => {
    const silent = await connectTls(listener.port);
    const dripping = await connectTls(listener.port);
    dripping.write("POST / HTTP/1.1\r\nhost: ");
    assert((await untilText(dripping, "\r\n\r\n")).startsWith("HTTP/1.1 408 "));
    silent.write(JSON_CALL);
    assert((await untilText(silent, "SERVING")).startsWith("HTTP/1.1 200 "));
    for (const socket of [silent, dripping]) await left(socket);
  });
});

/** Resolves when the kernel has the bytes and the other side has had a turn to read them. */
async function written(peer: RawPeer, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => peer.socket.write(bytes, () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Asks so many times on one TLS connection. */
async function askOverTls(port: number, offered: string[] | undefined, times: number) {
  const socket = await connectTls(port, offered);
  let answers = 0;
  for (; answers < times; answers++) {
    socket.write(JSON_CALL);
    await untilText(socket, "SERVING");
  }
  await left(socket);
  return { answers, protocol: socket.alpnProtocol };
}

async function connectTls(port: number, offered?: string[]): Promise<tls.TLSSocket> {
  const alpn = offered === undefined ? {} : { ALPNProtocols: offered };
  const socket = tls.connect({ host: "127.0.0.1", port, ca: CERTIFICATE, ...alpn });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return socket;
}

/** Reads until the text has come. */
async function untilText(socket: tls.TLSSocket, expected: string): Promise<string> {
  let text = "";
  while (!text.includes(expected)) {
    text += await new Promise<string>((resolve, reject) => {
      socket.once("data", (chunk: Buffer) => resolve(String(chunk))).once("close", () => reject(new Error(text)));
    });
  }
  return text;
}

async function left(socket: tls.TLSSocket): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.destroy();
  await closed;
}
