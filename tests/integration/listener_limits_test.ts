import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import { LISTENER_LIMITS } from "../../src/transport/limits.ts";
import { call, openCall, oversizeHeaders, provokedResets, resets } from "../support/http2_calls.ts";
import { callHeaders, ERROR, FLAG, FRAME, frame, opening, PREFACE, uint32 } from "../support/http2_frames.ts";
import {
  CHECK,
  countStatus,
  JSON_CALL,
  jsonCall,
  latchedCall,
  limitTest,
  untilAdmitted,
  WATCH,
} from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";

/** RFC 9113, section 7. */
const REFUSED_STREAM = 0x7;

for (const limit of ["connectionsMax", "connectionsPerAddressMax"] as const) {
  limitTest(
    `${limit}: one connection more is closed, and one that leaves frees its place`,
    { [limit]: 2 },
    async (setting) => {
      const { listener, logged } = setting;
      const peers = [await RawPeer.http1(listener.port), await RawPeer.http2(listener.port)];
      peers[0]!.send(JSON_CALL);
      await peers[0]!.until(() => countStatus(peers[0]!, 200) === 1, "admitted");
      await peers[1]!.until(() => peers[1]!.got(FRAME.settings), "admitted");
      const third = await RawPeer.http1(listener.port);
      third.send(JSON_CALL);
      await third.untilClosed("refused");
      assertEquals(third.text, "");
      await eventually(() => logged.some((line) => line.limit === limit && line.count === 1), "a line of log");
      for (const peer of peers) await peer.leave();
      await untilAdmitted(listener.port);
    },
  );
}

limitTest(
  "concurrentStreamsMax: it is announced, and one stream more is refused",
  { concurrentStreamsMax: 3 },
  async ({ listener }) => {
    const peer = await RawPeer.http2(listener.port);
    for (const stream of [1, 3, 5, 7]) peer.send(openCall(CHECK, stream));
    await peer.until(() => peer.got(FRAME.reset), "refused");
    assertEquals(peer.errorCodes(FRAME.reset), [REFUSED_STREAM]);
    assertEquals([peer.count(FRAME.reset, 0, 7), setting(peer, 0x3)], [1, 3]);
    await peer.leave();
  },
);

limitTest(
  "pipelinedRequestsMax: so many HTTP/1.1 requests at once, and no more",
  { pipelinedRequestsMax: 3 },
  async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send(jsonCall("latch").repeat(5));
    await peer.untilClosed("too many");
    assertEquals(peer.text, "");
  },
);

for (const limit of ["requestsMax", "requestsPerAddressMax"] as const) {
  limitTest(`${limit}: one request more is refused as not begun, and later it is taken`, {
    [limit]: 2,
  }, async (setting) => {
    const { listener, open } = setting;
    const busy = await RawPeer.http2(listener.port);
    busy.send(Buffer.concat([latchedCall(CHECK, 1), latchedCall(CHECK, 3), latchedCall(CHECK, 5)]));
    await busy.until(() => busy.got(FRAME.reset, 0, 5), "refused");
    assertEquals(busy.errorCodes(FRAME.reset), [REFUSED_STREAM]);
    const other = await RawPeer.http1(listener.port);
    other.send(JSON_CALL);
    await other.until(() => countStatus(other, 503) === 1, "503");
    assertEquals(setting.handled(), 2);
    open();
    await busy.until(() => busy.count(FRAME.headers, FLAG.endStream) === 2, "two answers");
    const vanishing = await RawPeer.http2(listener.port);
    vanishing.send(Buffer.concat([openCall(CHECK, 1), openCall(CHECK, 3)]));
    await eventually(() => setting.handled() === 4, "two more");
    await vanishing.leave();
    await busy.leave();
    await untilAdmitted(listener.port);
  });
}

limitTest(
  "refusedBodyBytesMax: who sends more of a body that was refused is cut",
  { refusedBodyBytesMax: 100_000 },
  async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send("POST /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 8000000\r\n\r\n");
    await peer.until(() => countStatus(peer, 404) === 1, "a refusal");
    peer.send("x".repeat(300_000));
    await peer.untilClosed("more than is read off");
  },
);

for (const path of [CHECK, WATCH]) {
  limitTest(`unreadAnswerBytesMax: who takes no answers gets no more of them, ${path}`, {
    unreadAnswerBytesMax: 10,
  }, async ({ listener, logged, open }) => {
    open();
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    const peer = await RawPeer.http2(listener.port, { start: Buffer.concat([PREFACE, noWindow]) });
    // The answer of a Check is its prefix and two bytes; so is each of a Watch, which has two.
    peer.send(call(CHECK, 1));
    await peer.until(() => peer.got(FRAME.headers, 0, 1), "an answer that may wait");
    peer.send(call(path, 3));
    await peer.until(() => peer.got(FRAME.reset, 0, 3), "one too many");
    assertEquals(peer.errorCodes(FRAME.reset), [ERROR.enhanceYourCalm]);
    await eventually(() => logged.some((line) => line.limit === "unreadAnswerBytesMax"), "a line of log");
    peer.send(frame(FRAME.windowUpdate, 0, 1, uint32(100)));
    await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 1), "taken");
    // The server sees the end of a stream a little after its peer.
    let stream = 5;
    for (; stream < 200; stream += 2) {
      peer.send(call(CHECK, stream));
      await peer.until(() => peer.got(FRAME.headers, 0, stream) || peer.got(FRAME.reset, 0, stream), "an end");
      if (peer.got(FRAME.headers, 0, stream)) break;
    }
    peer.send(frame(FRAME.windowUpdate, 0, stream, uint32(100)));
    await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, stream), "a place again");
    await peer.leave();
  });
}

limitTest(
  "headerBytesMax: a larger header is answered 431 on HTTP/1.1",
  { headerBytesMax: 4_096 },
  async ({ listener, handled }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send(JSON_CALL.replace("\r\n", `\r\nx-large: ${"a".repeat(5_000)}\r\n`));
    await peer.untilClosed("too large");
    assertEquals([countStatus(peer, 431), handled()], [1, 0]);
  },
);

limitTest("headerBytesMax: on HTTP/2 too, also of a peer that never acknowledges the announced size", {
  headerBytesMax: 4_096,
}, async ({ listener, handled }) => {
  const peer = await RawPeer.http2(listener.port);
  for (const bytes of oversizeHeaders(CHECK, 1, 20_000)) peer.send(bytes);
  await peer.until(() => peer.got(FRAME.headers, 0, 1) || peer.got(FRAME.reset, 0, 1), "refused");
  assertEquals([handled(), setting(peer, 0x6)], [0, 4_096]);
  await peer.leave();
});

limitTest(
  "headerFieldsMax: more fields are refused on both protocols",
  { headerFieldsMax: 64 },
  async ({ listener, handled }) => {
    const fields = Array.from({ length: 65 }, (_, n) => [`x-${n}`, ""] as const);
    const first = await RawPeer.http1(listener.port);
    first.send(JSON_CALL.replace("\r\n\r\n", `\r\n${fields.map(([name]) => `${name}: \r\n`).join("")}\r\n`));
    await first.untilClosed("too many");
    const second = await RawPeer.http2(listener.port);
    second.send(frame(FRAME.headers, FLAG.endHeaders, 1, callHeaders(CHECK, fields)));
    await second.until(() => second.got(FRAME.reset, 0, 1) || second.got(FRAME.headers, 0, 1), "refused");
    assertEquals(second.errorCodes(FRAME.reset), [ERROR.enhanceYourCalm]);
    assertEquals([countStatus(first, 431), handled()], [1, 0]);
    await second.leave();
  },
);

limitTest(
  "resetsMax: a peer that resets its streams all the time loses its connection",
  { resetsMax: 20 },
  async (setting) => {
    const { listener, logged, handled } = setting;
    const peer = await RawPeer.http2(listener.port);
    peer.send(Buffer.concat([...resets(CHECK, 2_000)]));
    await peer.untilClosed("too many resets");
    await eventually(() => logged.some((line) => line.limit === "resetsMax"), "a line of log");
    // One read from the socket brings 450 of these before any is seen to be reset. Twice the streams get through, no
    // more.
    assertLessOrEqual(handled(), 2 * LISTENER_LIMITS.concurrentStreamsMax);
  },
);

limitTest(
  "resetsMax: a reset without an error is one as well",
  { resetsMax: 20 },
  async ({ listener, logged }) => {
    const peer = await RawPeer.http2(listener.port);
    for (let stream = 1; stream < 2 * 21; stream += 2) {
      peer.send(Buffer.concat([latchedCall(CHECK, stream), frame(FRAME.reset, 0, stream, uint32(ERROR.none))]));
    }
    await peer.untilClosed("too many resets");
    await eventually(() => logged.some((line) => line.limit === "resetsMax"), "a line of log");
  },
);

// Deno ends a session at its first invalid frame, where Node allows a thousand; this is what keeps the server from
// being made to reset streams (CVE-2025-8671) while their handlers run on.
limitTest(
  "a peer that makes the server reset a stream loses its connection at once",
  {},
  async ({ listener, handled }) => {
    const peer = await RawPeer.http2(listener.port);
    for (const bytes of provokedResets(CHECK, 400)) peer.send(bytes);
    await peer.untilClosed("invalid frames");
    assertLess(handled(), 20);
  },
);

/** The value of a setting that the server announced. */
function setting(peer: RawPeer, id: number): number | undefined {
  const { payload } = peer.frames.find(({ type }) => type === FRAME.settings)!;
  for (let at = 0; at < payload.length; at += 6) {
    if (payload.readUInt16BE(at) === id) return payload.readUInt32BE(at + 2);
  }
}

limitTest(
  "two Host fields, a Host that is none, foreign transfer codings and expectations are refused",
  {},
  async (setting) => {
    const { listener, handled } = setting;
    for (
      const [from, to, status] of [
        ["host: 127.0.0.1", "host: 127.0.0.1\r\nhost: 127.0.0.1", 400],
        ["host: 127.0.0.1", "host: 127.0.0.1/x", 400],
        ["host: 127.0.0.1", "host: 127.0.0.1\r\nexpect: 200-ok", 417],
        [/content-length.*$/s, "transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 501],
      ] as const
    ) {
      const peer = await RawPeer.http1(listener.port);
      peer.send(JSON_CALL.replace(from, to));
      await peer.untilClosed("refused");
      assertEquals(countStatus(peer, status), 1, peer.text);
    }
    assertEquals(handled(), 0);
  },
);

limitTest(
  "pipelinedRequestsMax is the limit of what node:http would answer by itself",
  {},
  async ({ listener, handled }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send(JSON_CALL.replace("host: 127.0.0.1", "host: 127.0.0.1\r\nexpect: 200-ok").repeat(1_000));
    await peer.untilClosed("more than may be at once");
    assertEquals([countStatus(peer, 417) <= LISTENER_LIMITS.pipelinedRequestsMax, handled()], [true, 0]);
  },
);

limitTest("a request that asks for an upgrade is answered, and its connection ends", {}, async ({ listener }) => {
  const peer = await RawPeer.http1(listener.port);
  const upgrade = JSON_CALL.replace("\r\n", "\r\nconnection: upgrade\r\nupgrade: h2c\r\n");
  peer.send(upgrade + JSON_CALL);
  await peer.untilClosed("answered");
  assertEquals(countStatus(peer, 200), 1);
});

limitTest(
  "http1RequestBytesMax: what a body is framed in is bounded",
  { http1RequestBytesMax: 200_000 },
  async (setting) => {
    const peer = await RawPeer.http1(setting.listener.port);
    peer.send(JSON_CALL.replace(/content-length.*$/s, "transfer-encoding: chunked\r\n\r\n1;"));
    for (let sent = 0; sent < 10; sent++) peer.send("a".repeat(100_000));
    await peer.untilClosed("too much framing");
    await eventually(() => setting.logged.some((line) => line.limit === "http1RequestBytesMax"), "a line of log");
  },
);

limitTest("requestHeaderMs: HTTP/2 that never ends a header block, a frame or its preface is cut", {
  requestHeaderMs: 150,
}, async ({ listener }) => {
  const honest = await RawPeer.http2(listener.port);
  const block = frame(FRAME.headers, FLAG.endStream, 1, callHeaders(CHECK));
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  for (const start of [PREFACE, Buffer.concat([opening(), block]), Buffer.concat([opening(), ping.subarray(0, 12)])]) {
    const peer = await RawPeer.http2(listener.port, { start });
    await peer.untilClosed("dragging on");
  }
  // It was there before those that dragged on, one after the other, and must still be.
  honest.send(call(CHECK, 1));
  await honest.until(() => honest.got(FRAME.headers, FLAG.endStream, 1), "an answer");
  await honest.leave();
});

limitTest("requests are begun by turns, and all of a read are answered", {
  requestsPerTurnMax: 4,
  requestsPerSharedTurnMax: 2,
}, async ({ listener }) => {
  const peers = await Promise.all([1, 2, 3].map(() => RawPeer.http2(listener.port)));
  for (const peer of peers) peer.send(Buffer.concat(Array.from({ length: 50 }, (_, i) => call(CHECK, 2 * i + 1))));
  for (const peer of peers) await peer.until(() => peer.count(FRAME.headers, FLAG.endStream) === 50, "50 answers");
  for (const peer of peers) await peer.leave();
});
