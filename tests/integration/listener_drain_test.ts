import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { ERROR, FLAG, FRAME } from "../support/http2_frames.ts";
import {
  CHECK,
  countStatus,
  JSON_CALL,
  jsonCall,
  LARGE_BYTES,
  latchedCall,
  type Setting,
  WATCH,
  withListener,
} from "../support/listening.ts";
import { http2Request, RawPeer } from "../support/raw_peer.ts";
import { call } from "../support/http2_calls.ts";
import { eventually } from "../support/eventually.ts";

/** Longer than any drain here takes; one that only ends because of it logs so, and that fails the test. */
const LONG_MS = 20_000;

Deno.test("drain: calls in progress finish on both protocols, unary and streams, then their connections end", async () => {
  await withListener({}, async (setting) => {
    const { listener, open } = setting;
    const http2 = await RawPeer.http2(listener.port);
    http2.send(latchedCall(CHECK, 1));
    http2.send(latchedCall(WATCH, 3));
    const http1 = await RawPeer.http1(listener.port);
    http1.send(jsonCall("latch"));
    await http2.until(() => http2.got(FRAME.data, 0, 3), "first message");
    await untilHandled(setting, 3);
    let drained = false;
    const drain = drainInTime(setting).then(() => drained = true);
    await http2.until(() => http2.got(FRAME.goAway), "GOAWAY");
    assertEquals([drained, http1.text], [false, ""]);
    open();
    await http2.until(() => http2.got(FRAME.headers, FLAG.endStream, 1), "trailers of the unary call");
    await http2.until(() => http2.got(FRAME.headers, FLAG.endStream, 3), "trailers of the stream");
    await http1.until(() => countStatus(http1, 200) === 1 && http1.text.includes("SERVING"), "an answer");
    assertEquals(http2.count(FRAME.data, 0, 3), 2);
    assertEquals(http2.errorCodes(FRAME.goAway)[0], ERROR.none);
    assert(/connection: close/i.test(http1.text), http1.text);
    await http2.untilClosed("drained");
    await http1.untilClosed("drained");
    await drain;
  });
});

Deno.test("drain: over TLS too the answer of a call in progress comes whole before its connection ends", async () => {
  const file = (name: string) => Deno.readTextFileSync(new URL(`../support/tls/${name}.pem`, import.meta.url));
  await withListener({ tls: { cert: file("certificate"), key: file("key") } }, async (setting) => {
    const headers = { ":method": "POST", ":path": CHECK, "content-type": "application/grpc+proto", te: "trailers" };
    const latched = Buffer.concat([Buffer.of(0, 0, 0, 0, 7, 0x0a, 5), Buffer.from("latch")]);
    const answer = http2Request(setting.listener.url, headers, latched, file("certificate"));
    await untilHandled(setting, 1);
    const drain = drainInTime(setting);
    setting.open();
    assertEquals((await answer).trailers["grpc-status"], "0");
    await drain;
  });
});

Deno.test("drain: a stream over HTTP/1.1 that began before it ends whole, and then its connection", async () => {
  await withListener({}, async (setting) => {
    const { listener, open } = setting;
    const peer = await RawPeer.http1(listener.port);
    const body = "\0\0\0\0\x13" + JSON.stringify({ service: "latch" });
    peer.send(
      `POST ${WATCH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/connect+json\r\ncontent-length: 24\r\n\r\n` +
        body,
    );
    await peer.until(() => peer.text.includes("SERVING"), "first message");
    const drain = drainInTime(setting);
    open();
    await peer.untilClosed("drained");
    assertEquals(peer.text.split("SERVING").length - 1, 2);
    assert(peer.text.endsWith("0\r\n\r\n"), "the last chunk");
    await drain;
  });
});

Deno.test("drain: an answer that is still being sent arrives whole", async () => {
  await withListener({}, async (setting) => {
    const peer = await RawPeer.http1(setting.listener.port);
    peer.socket.pause();
    peer.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n");
    await untilHandled(setting, 1);
    const drain = drainInTime(setting);
    peer.socket.resume();
    await peer.untilClosed("drained");
    assertEquals(peer.text.length - peer.text.indexOf("\r\n\r\n") - 4, LARGE_BYTES);
    await drain;
  });
});

Deno.test("drain: idle connections are closed at once, and no new ones are taken", async () => {
  await withListener({}, async (setting) => {
    const { listener } = setting;
    const http1 = await RawPeer.http1(listener.port);
    http1.send(JSON_CALL);
    await http1.until(() => countStatus(http1, 200) === 1, "an answer");
    const http2 = await RawPeer.http2(listener.port);
    http2.send(call(CHECK, 1));
    await http2.until(() => http2.got(FRAME.headers, FLAG.endStream, 1), "an answer");
    const silent = await RawPeer.http1(listener.port);
    await drainInTime(setting);
    for (const peer of [http1, http2, silent]) await peer.untilClosed("idle");
    assertEquals(http2.errorCodes(FRAME.goAway)[0], ERROR.none);
    const late = await RawPeer.http1(listener.port).then((peer) => peer.text, (error: Error) => error.message);
    assert(late.includes("ECONNREFUSED"), late);
  });
});

Deno.test("drain: what is not over after the grace is cut, on both protocols", async () => {
  await withListener({}, async (setting) => {
    const { listener } = setting;
    const http2 = await RawPeer.http2(listener.port);
    http2.send(latchedCall(WATCH, 1));
    const http1 = await RawPeer.http1(listener.port);
    http1.send(jsonCall("latch"));
    await untilHandled(setting, 2);
    await listener.drain(100);
    await http2.untilClosed("cut");
    await http1.untilClosed("cut");
    assertEquals(http1.text, "");
    assertEquals(http2.count(FRAME.headers, FLAG.endStream), 0);
  });
});

Deno.test("drain: a second call waits for the same end", async () => {
  await withListener({}, async (setting) => {
    const { listener, open } = setting;
    const peer = await RawPeer.http1(listener.port);
    peer.send(jsonCall("latch"));
    await untilHandled(setting, 1);
    const first = drainInTime(setting);
    const second = listener.drain(0);
    // A timer that is set after one of 0 ms, and longer: what the second grace could do is done then.
    await new Promise((resolve) => setTimeout(resolve, 20));
    open();
    await Promise.all([first, second]);
    await peer.untilClosed("drained");
    assertEquals(countStatus(peer, 200), 1);
  });
});

/** Drains, and sees that no connection had to be cut for it. */
async function drainInTime({ listener, logged }: Setting): Promise<void> {
  await listener.drain(LONG_MS);
  assertEquals(logged.filter((line) => String(line.message).startsWith("Grace is over")), []);
}

function untilHandled({ handled }: Setting, requests: number): Promise<void> {
  return eventually(() => handled() >= requests, `${requests} requests`);
}
