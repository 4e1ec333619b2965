import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { call, openCall } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, PREFACE } from "../support/http2_frames.ts";
import {
  CHECK,
  countStatus,
  JSON_CALL,
  jsonCall,
  LARGE_BYTES,
  latchedCall,
  limitTest,
  WATCH,
} from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";

/** The time under test, waited for by what it causes; all others are as by default. */
const SOON_MS = 100;

/**
 * Says the beginning of a request, and then one byte after the other until it was answered 408; `before`: on the same
 * connection. A byte that comes when the server has closed resets the connection, and an answer that was not read by
 * then is lost: then it is done again.
 */
async function dripped(
  port: number,
  beginning: string,
  byte: string,
  before: (peer: RawPeer) => Promise<void> = () => Promise.resolve(),
): Promise<RawPeer> {
  for (;;) {
    const peer = await RawPeer.http1(port);
    await before(peer);
    const drip = setInterval(() => peer.send(byte), SOON_MS / 4);
    peer.send(beginning);
    await peer.untilClosed("dripping").finally(() => clearInterval(drip));
    if (peer.isReset && countStatus(peer, 408) === 0) continue;
    assertEquals(countStatus(peer, 408), 1);
    return peer;
  }
}

limitTest(
  "handshakeMs: a connection that says nothing, or half a preface, is closed",
  { handshakeMs: SOON_MS },
  async ({ listener }) => {
    for (const start of [Buffer.alloc(0), PREFACE.subarray(0, 10)]) {
      const peer = await RawPeer.http1(listener.port);
      peer.send(start);
      await peer.untilClosed("silent");
    }
  },
);

limitTest("requestHeaderMs: a header that never ends is answered 408, at first and on a used connection", {
  requestHeaderMs: SOON_MS,
}, async ({ listener }) => {
  await dripped(listener.port, "POST / HTTP/1.1\r\nhost: a\r\nx-drip: ", "x");
  const used = async (peer: RawPeer) => {
    peer.send(JSON_CALL);
    await peer.until(() => countStatus(peer, 200) === 1, "an answer");
  };
  await dripped(listener.port, "POST / HTTP/1.1\r\nhost: a\r\nx-drip: ", "x", used);
});

limitTest(
  "requestBodyMs: a dripping body is answered 408 on HTTP/1.1",
  { requestBodyMs: SOON_MS },
  async ({ listener }) => {
    const peer = await dripped(listener.port, JSON_CALL.replace(/content-length: \d+/, "content-length: 1000"), " ");
    assertEquals(countStatus(peer, 200), 0);
  },
);

limitTest("requestBodyMs: on HTTP/2 the stream is reset, and others on the connection live on", {
  requestBodyMs: SOON_MS,
}, async ({ listener }) => {
  const peer = await RawPeer.http2(listener.port);
  peer.send(openCall(CHECK, 1));
  peer.send(latchedCall(WATCH, 3));
  const drip = setInterval(() => peer.send(frame(FRAME.data, 0, 1, Buffer.alloc(1))), SOON_MS / 4);
  await peer.until(() => peer.got(FRAME.reset, 0, 1), "reset").finally(() => clearInterval(drip));
  assertEquals(peer.errorCodes(FRAME.reset)[0], ERROR.cancel);
  peer.send(call(CHECK, 5));
  await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 5), "an answer");
  assertEquals(peer.count(FRAME.reset, 0, 3), 0);
  await peer.leave();
});

limitTest("slowBodiesMax: of the bodies that are not complete in time only so many are waited for", {
  slowBodiesMax: 2,
  slowBodyMs: SOON_MS,
}, async ({ listener }) => {
  const peer = await RawPeer.http2(listener.port);
  for (const stream of [1, 3, 5, 7]) peer.send(openCall(CHECK, stream));
  await peer.until(() => peer.count(FRAME.reset) === 2, "the two that are too many");
  assertEquals(peer.errorCodes(FRAME.reset), [ERROR.refusedStream, ERROR.refusedStream]);
  peer.send(call(CHECK, 9));
  await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 9), "an answer");
  await peer.leave();
});

limitTest("slowBodiesMax: a body that came while the event loop was blocked is not slow", {
  slowBodiesMax: 0,
  slowBodyMs: SOON_MS,
}, async ({ listener, handled }) => {
  const peer = await RawPeer.http2(listener.port);
  peer.send(openCall(CHECK, 1));
  await eventually(() => handled() === 1, "the header is read");
  await new Promise<void>((resolve) => {
    peer.socket.write(frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(5)), () => resolve());
  });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * SOON_MS);
  await peer.until(() => peer.got(FRAME.reset, 0, 1) || peer.got(FRAME.headers, FLAG.endStream, 1), "an end");
  assertEquals(peer.count(FRAME.reset), 0);
  await peer.leave();
});

limitTest(
  "responseMs: an answer that nobody reads is given up on HTTP/2",
  { responseMs: SOON_MS },
  async ({ listener }) => {
    const peer = await RawPeer.http2(listener.port);
    peer.send(call("/large", 1));
    await peer.until(() => peer.got(FRAME.reset, 0, 1), "reset");
    await peer.leave();
  },
);

limitTest("responseMs: and on HTTP/1.1", { responseMs: SOON_MS }, async ({ listener, logged }) => {
  const peer = await RawPeer.http1(listener.port);
  peer.socket.pause();
  peer.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n");
  await eventually(() => logged.some((line) => line.limit === "responseMs"), "given up");
  peer.socket.resume();
  await peer.untilClosed("cut");
  assertLess(peer.text.length, LARGE_BYTES);
});

limitTest("idleMs: idle connections are closed, HTTP/2 with GOAWAY, while a silent stream keeps its own open", {
  // In which a call comes behind its connection, in a process that may stand still.
  idleMs: 5 * SOON_MS,
}, async ({ listener, open }) => {
  const watching = await RawPeer.http2(listener.port);
  watching.send(latchedCall(WATCH, 1));
  const watching1 = await RawPeer.http1(listener.port);
  watching1.send(jsonCall("latch"));
  await watching.until(() => watching.got(FRAME.data, 0, 1), "first message");
  const idle1 = await RawPeer.http1(listener.port);
  idle1.send(JSON_CALL);
  const idle2 = await RawPeer.http2(listener.port);
  idle2.send(call(CHECK, 1));
  await idle2.untilClosed("idle");
  await idle1.untilClosed("idle");
  assertEquals([countStatus(idle1, 200), idle2.errorCodes(FRAME.goAway)], [1, [ERROR.none]]);
  const unused = await RawPeer.http2(listener.port);
  await unused.untilClosed("never used");
  open();
  await watching.until(() => watching.count(FRAME.data, 0, 1) === 2, "second message");
  await watching1.until(() => countStatus(watching1, 200) === 1, "the late answer");
  await watching.untilClosed("idle in the end");
  await watching1.untilClosed("idle in the end");
});

limitTest("pingAckMs: a peer that vanished is found by PING although its stream is open", {
  pingMs: SOON_MS,
  // The peer that answers is in this process, too, and may stand still with it.
  pingAckMs: 10 * SOON_MS,
}, async ({ listener }) => {
  const honest = await RawPeer.http2(listener.port);
  honest.send(latchedCall(WATCH, 1));
  const vanished = await RawPeer.http2(listener.port, { acknowledgesPings: false });
  vanished.send(latchedCall(WATCH, 1));
  await vanished.untilClosed("vanished");
  const pings = honest.count(FRAME.ping);
  await honest.until(() => honest.count(FRAME.ping) > pings + 2, "more PINGs");
  assert(!honest.socket.destroyed);
  await honest.leave();
});
