/** Connections that are as old as they get: their peers are asked to go, and nobody's call is lost by it. */
import { assert, assertEquals } from "@std/assert";
import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { callUntilDecided } from "../support/callers.ts";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { createTestDatabase } from "../support/database.ts";
import { watchHealth } from "../support/health_watch.ts";
import { call } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME } from "../support/http2_frames.ts";
import {
  CHECK,
  countStatus,
  JSON_CALL,
  jsonCall,
  latchedCall,
  limitTest,
  WATCH,
  withListener,
} from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { connectSource, grpcJsSource } from "../support/stream_sources.ts";
import { TLS_CERTIFICATE, TLS_KEY_FILE } from "../support/tls_server.ts";

const SOON_MS = 100;
const CONNECTIONS_LEFT = 8;
/** The last streams that a peer's GOAWAY frames named. */
const lastStreams = ({ frames }: RawPeer) =>
  frames.filter(({ type }) => type === FRAME.goAway).map(({ payload }) => payload.readUInt32BE(0));

limitTest("HTTP/2: GOAWAY; what comes until it is heard of is served, and calls under way finish", {
  connectionAgeMsMax: SOON_MS,
  // Between two of which the call comes that had not heard yet, however busy the machine.
  sweepMs: 1_000,
}, async ({ listener, open }) => {
  const peer = await RawPeer.http2(listener.port);
  peer.send(latchedCall(CHECK, 1));
  await peer.until(() => peer.got(FRAME.goAway), "GOAWAY");
  // As if it had been sent before.
  peer.send(call(CHECK, 3));
  await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 3), "an answer");
  await peer.until(() => peer.count(FRAME.goAway) === 2, "the second GOAWAY");
  assertEquals([lastStreams(peer), peer.errorCodes(FRAME.goAway)], [[0x7fffffff, 3], [ERROR.none, ERROR.none]]);
  assertEquals(peer.count(FRAME.headers, FLAG.endStream, 1), 0);
  open();
  await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 1), "the late answer");
  await peer.untilClosed("left");
});

limitTest("HTTP/2: who does not go has no more calls, and is cut after a while", {
  connectionAgeMsMax: SOON_MS,
  leaveMsMax: SOON_MS,
}, async ({ listener, logged }) => {
  const peer = await RawPeer.http2(listener.port);
  peer.send(latchedCall(CHECK, 1));
  await peer.until(() => peer.count(FRAME.goAway) === 2, "both GOAWAYs");
  let last = lastStreams(peer)[1]!;
  const more = setInterval(() => peer.send(call(CHECK, last += 2)), 10);
  await peer.untilClosed("cut").finally(() => clearInterval(more));
  assertEquals(peer.count(FRAME.headers), 0);
  assert(logged.some(({ limit }) => limit === "leaveMsMax"));
});

limitTest("HTTP/2: a stream that stays keeps its connection, which takes no more calls, until it has ended", {
  connectionAgeMsMax: SOON_MS,
  leaveMsMax: SOON_MS,
}, async ({ listener, open, logged }) => {
  const staying = await RawPeer.http2(listener.port);
  staying.send(latchedCall(WATCH, 1, "stays"));
  await staying.until(() => staying.count(FRAME.goAway) === 2, "both GOAWAYs");
  // As much later as the limit is, and more, twice.
  for (let i = 0; i < 2; i++) {
    const other = await RawPeer.http2(listener.port);
    other.send(latchedCall(WATCH, 1));
    await other.untilClosed("cut");
  }
  assertEquals([staying.socket.destroyed, logged.filter(({ limit }) => limit === "leaveMsMax").length], [false, 2]);
  open();
  await staying.until(() => staying.got(FRAME.headers, FLAG.endStream, 1), "trailers");
  await staying.untilClosed("left");
});

limitTest("HTTP/1.1: the next answer says close, and an idle connection is let be until then", {
  // Long enough for both calls to have come, on a busy machine too.
  connectionAgeMsMax: 1_500,
}, async ({ listener, open, handled }) => {
  const busy = await RawPeer.http1(listener.port);
  busy.send(jsonCall("latch"));
  const idle = await RawPeer.http1(listener.port);
  idle.send(JSON_CALL);
  await idle.until(() => countStatus(idle, 200) === 1, "an answer");
  // Two one after the other get older together than any one may, whatever chance takes off.
  for (let i = 0; i < 2; i++) await (await RawPeer.http2(listener.port)).untilClosed("asked to go");
  assertEquals([busy.socket.destroyed, idle.socket.destroyed, handled()], [false, false, 2]);
  idle.send(JSON_CALL);
  open();
  for (const peer of [busy, idle]) {
    await peer.untilClosed("answered");
    assert(/connection: close/i.test(peer.text), peer.text);
  }
  assertEquals([countStatus(busy, 200), countStatus(idle, 200)], [1, 2]);
});

for (const tls of [undefined, { cert: TLS_CERTIFICATE, key: Deno.readTextFileSync(TLS_KEY_FILE) }]) {
  const over = tls === undefined ? "" : " over TLS";
  Deno.test(`grpc-js without a retry policy goes from one connection to the next, and no call fails${over}`, async () => {
    await withListener({ tls, limits: { sweepMs: 20, connectionAgeMsMax: SOON_MS } }, async ({ listener }) => {
      const service = grpcJsService(listener.url, "health/v1/health.proto", "grpc.health.v1.Health", {
        options: { "grpc.enable_retries": 0 },
        ...(tls === undefined ? {} : { ca: tls.cert }),
      });
      const left = countLeft(service.getChannel());
      const codes = await Promise.all(Array.from({ length: 4 }, async () => {
        const seen: string[] = [];
        while (left() < CONNECTIONS_LEFT) {
          const result = await callGrpcJs(service, "Check", {});
          seen.push("code" in result ? result.code : "OK");
        }
        return seen;
      }));
      service.close();
      assertEquals([...new Set(codes.flat())], ["OK"]);
    });
  });
}

/** Counts the connections that a channel has left. */
function countLeft(channel: ChannelInterface): () => number {
  let left = 0;
  const watch = () => {
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    channel.watchConnectivityState(state, Infinity, () => {
      if (state === connectivityState.READY) left++;
      watch();
    });
  };
  watch();
  return () => left;
}

/** Longer than a stream takes to begin, with all that it has a token for. */
const BEGUN_MS = 4_000;

Deno.test("streams end with their token when their connection is old, and go on from it on another", async () => {
  await using database = await createTestDatabase();
  const given: Record<string, string> = { PORT: "0", CONCURRENCY: "optimistic", DATABASE_URL: database.serverUrl };
  const config = { ...loadConfig((name) => given[name]), connectionAgeMsMax: BEGUN_MS };
  const app = await startApp(config, { log: createLog("error", "pretty") });
  const { signal } = new AbortController();
  const sources = [grpcJsSource(app.url), connectSource(app.url, "Connect", "1.1")];
  const ended = { case: "ended", end: "WATCH_END_AGE" } as const;
  try {
    assertEquals((await callUntilDecided(app.url, "SetInv", { goodsId: 1, num: 10 })).code, "ok");
    using health = watchHealth(app.url);
    await Promise.all(sources.flatMap((source) => [
      (async () => {
        const first = await Array.fromAsync(source.open("WatchInv", { changesOnly: true }, signal));
        assertEquals(first.at(-1)?.event, ended);
        const { token } = first.findLast(({ token }) => token !== "")!;
        const [started, ...more] = await Array.fromAsync(source.open("WatchInv", { resumeToken: token }, signal));
        assert(started?.event.case === "started" && started.event.start === "WATCH_START_RESUMED");
        assertEquals(more.at(-1)?.event, ended);
        assertEquals(more.filter(({ event }) => event.case === "changes" || event.case === "snapshot"), []);
      })(),
      (async () => {
        const from = { from: { case: "beginning", value: true }, beginning: true };
        const events = (await Array.fromAsync(source.open("WatchMovements", from, signal))).map(({ event }) => event);
        assertEquals(events.map((event) => event.case), ["started", "changes", "ended"]);
        assertEquals(events.at(-1), ended);
      })(),
    ]));
    await health.ended;
  } finally {
    sources.forEach((source) => source.close());
    await app.close();
  }
});
