/**
 * Streams go out as fast as they are read: a peer that is slow has its handler wait, one that reads nothing at all is
 * ended, others are not disturbed, and what was read is no longer counted. By a handler that always has more to say.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { WatchService } from "../../src/gen/inventory/v1/watch_pb.ts";
import { streamFields } from "../../src/rpc/stream_methods.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import type { ListenerLimits } from "../../src/transport/limits.ts";
import { openCall } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, opening, uint32 } from "../support/http2_frames.ts";
import { type Setting, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const PATH = "/inventory.v1.WatchService/WatchInv";
const TOKEN_BYTES = 16_000;
/** On the wire: the token, its tag and length, and the prefix of a message. */
const MESSAGE_BYTES = TOKEN_BYTES + 3 + 5;
const WINDOW_BYTES = 65_535;
/** Messages of which the last one is beyond the windows of a stream, if by some of its bytes. */
const AHEAD = Math.ceil(WINDOW_BYTES / MESSAGE_BYTES);

/** What became of the streams, in the order in which they began. */
interface Streamed {
  made: number;
  hasEnded: boolean;
  timeoutMs: number | undefined;
}

async function withStreams(
  { limits = {}, unreadStreamMs = 60_000, perStreamMax = Infinity }: {
    readonly limits?: Partial<ListenerLimits>;
    readonly unreadStreamMs?: number;
    readonly perStreamMax?: number;
  },
  run: (setting: Setting & { readonly streams: readonly Streamed[]; readonly drain: () => void }) => Promise<void>,
): Promise<void> {
  const streams: Streamed[] = [];
  const drain = new AbortController();
  const handler = createRpcHandler({
    log: SILENT,
    maxTimeoutMs: 50,
    unreadStreamMs,
    interceptors: [streamFields],
    routes: (router) =>
      router.service(WatchService, {
        async *watchInv(_request, { signal, timeoutMs }) {
          const streamed: Streamed = { made: 0, hasEnded: false, timeoutMs: timeoutMs() };
          streams.push(streamed);
          try {
            while (streamed.made < perStreamMax) {
              streamed.made++;
              yield { resumeToken: "x".repeat(TOKEN_BYTES) };
              await Promise.resolve();
            }
            const end = AbortSignal.any([signal, drain.signal]);
            if (!end.aborted) await new Promise((resolve) => end.addEventListener("abort", resolve));
            if (drain.signal.aborted) yield { resumeToken: "draining" };
          } finally {
            streamed.hasEnded = true;
          }
        },
      }),
  });
  const own = { limits: { sweepMs: 20, unreadStreamMs, ...limits } };
  await withListener(
    { handler, ...own },
    (setting) => run({ ...setting, streams, drain: () => drain.abort() }).finally(() => drain.abort()),
  );
}

/** A stream on an HTTP/2 connection of its own that is given no more windows than there are at first. */
async function watch(port: number, stream = 1, peer?: RawPeer): Promise<RawPeer> {
  const on = peer ?? await RawPeer.http2(port);
  on.send(Buffer.concat([openCall(PATH, stream), frame(FRAME.data, FLAG.endStream, stream, Buffer.alloc(5))]));
  return on;
}

const bytesOf = (peer: RawPeer, stream = 1) =>
  peer.frames.filter((got) => got.type === FRAME.data && got.stream === stream)
    .reduce((sum, { payload }) => sum + payload.length, 0);

/** All that the server was sent before this it has done. */
async function settled(peer: RawPeer): Promise<void> {
  const before = peer.count(FRAME.ping, FLAG.ack);
  peer.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
  await peer.until(() => peer.count(FRAME.ping, FLAG.ack) > before, "an answer to PING");
}

const opens = (stream: number, bytes: number) => frame(FRAME.windowUpdate, 0, stream, uint32(bytes));

Deno.test("over HTTP/2 a handler makes no more than its peer's windows take, whichever of them is shut", async () => {
  await withStreams({}, async ({ listener: { port }, streams }) => {
    const slow = await watch(port);
    await slow.until(() => bytesOf(slow) === WINDOW_BYTES, "the windows are full");
    await settled(slow);
    assertEquals(streams[0]!.made, AHEAD);
    // Only the stream's, then only the connection's: two messages more are in neither.
    slow.send(opens(1, 2 * MESSAGE_BYTES));
    await settled(slow);
    assertEquals(streams[0]!.made, AHEAD);
    slow.send(opens(0, 2 * MESSAGE_BYTES));
    await slow.until(() => bytesOf(slow) === WINDOW_BYTES + 2 * MESSAGE_BYTES, "what they let out");
    slow.send(opens(0, 10 * MESSAGE_BYTES));
    await settled(slow);
    assertEquals(streams[0]!.made, AHEAD + 2);

    // Windows that are wide open from the start, by SETTINGS and before the stream begins.
    const wide = await RawPeer.http2(port, {
      start: Buffer.concat([
        opening().subarray(0, 24),
        frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(1_000_000)])),
        opens(0, 5_000_000),
      ]),
    });
    wide.send(Buffer.concat([openCall(PATH, 1), opens(1, 1_000_000), frame(FRAME.data, 1, 1, Buffer.alloc(5))]));
    await wide.until(() => bytesOf(wide) === 2_000_000, "both windows' worth");
    await settled(wide);
    assertEquals(streams[1]!.made, Math.ceil(2_000_000 / MESSAGE_BYTES));
    for (const peer of [slow, wide]) await peer.leave();
    await eventually(() => streams.every(({ hasEnded }) => hasEnded), "handlers end with their peers");
  });
});

Deno.test("over HTTP/2 what was read of a stream counts no longer, and a slow one disturbs none on its connection", async () => {
  const limits = { unreadAnswerBytesMax: 6 * MESSAGE_BYTES };
  await withStreams({ limits }, async ({ listener: { port }, streams }) => {
    const peer = await watch(port);
    await peer.until(() => bytesOf(peer, 1) === WINDOW_BYTES, "a stream that is not read");
    peer.send(opens(0, 10_000_000));
    await watch(port, 3, peer);
    for (let read = WINDOW_BYTES; read < 3_000_000; read += WINDOW_BYTES) {
      await peer.until(() => bytesOf(peer, 3) >= read, "one that is");
      peer.send(opens(3, WINDOW_BYTES));
    }
    assertEquals([peer.count(FRAME.reset), streams[0]!.made, streams[0]!.hasEnded], [0, AHEAD, false]);
    await peer.leave();
  });
});

Deno.test("over HTTP/2 a stream of which nothing is read for too long is reset, and no other", async () => {
  // The peer that reads is in this process, too, and may stand still with it.
  const unreadStreamMs = 1500;
  await withStreams({ unreadStreamMs }, async ({ listener, streams, logged }) => {
    const peer = await watch(listener.port);
    peer.send(opens(0, 100_000_000));
    await watch(listener.port, 3, peer);
    let read = WINDOW_BYTES;
    await peer.until(() => {
      if (bytesOf(peer, 3) >= read && peer.send(opens(3, WINDOW_BYTES)) === undefined) read += WINDOW_BYTES;
      return peer.got(FRAME.reset, 0, 1);
    }, "a reset");
    assertEquals(peer.errorCodes(FRAME.reset), [ERROR.enhanceYourCalm]);
    await eventually(() => streams[0]!.hasEnded, "its handler ends");
    assertEquals(streams[1]!.hasEnded, false);
    await eventually(() => logged.some(({ limit }) => limit === "unreadStreamMs"), "a line in the log");
    await peer.leave();
  });
});

Deno.test("over HTTP/1.1 a handler makes no more than the system takes, and one that nobody reads is cut", async () => {
  const unreadStreamMs = 300;
  await withStreams({ unreadStreamMs }, async ({ listener, streams }) => {
    const call = (port: RawPeer) =>
      port.send(
        `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0`,
      );
    const slow = await RawPeer.http1(listener.port);
    slow.socket.pause();
    call(slow);
    await eventually(() => streams[0]?.hasEnded === true, "the handler ends");
    // What systems keep for a socket, at the most: some MiB.
    assert(streams[0]!.made * MESSAGE_BYTES < 16_000_000, `${streams[0]!.made} messages were made`);
    await slow.leave();

    const good = await RawPeer.http1(listener.port);
    call(good);
    await good.until(() => good.text.length > 2_000_000, "one that reads has more and more");
    const header = good.text.slice(0, good.text.indexOf("\r\n\r\n")).toLowerCase();
    assert(header.includes("\r\ncache-control: no-store, no-transform"), header);
    assert(header.includes("\r\nx-accel-buffering: no"), header);
    await good.leave();
    await eventually(() => streams[1]!.hasEnded, "the handler ends with its peer");
  });
});

Deno.test("a stream has the deadline that its caller gave, is not packed, and drains within moments", async () => {
  await withStreams({ perStreamMax: 2 }, async ({ listener, streams, drain, logged }) => {
    const second = await RawPeer.http2(listener.port);
    const more = [["grpc-timeout", "99S"], ["grpc-accept-encoding", "gzip"]] as const;
    second.send(Buffer.concat([openCall(PATH, 1, more), frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(5))]));
    await second.until(() => bytesOf(second) === 2 * MESSAGE_BYTES, "two messages");
    assert(streams[0]!.timeoutMs! > 90_000, `${streams[0]!.timeoutMs} ms`);
    assertEquals(second.frames.find(({ type }) => type === FRAME.data)!.payload[0], 0);
    const first = await RawPeer.http1(listener.port);
    first.send(
      `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0`,
    );
    await first.until(() => first.text.length > 2 * MESSAGE_BYTES, "two messages");
    const drained = listener.drain(10_000);
    await settled(second);
    drain();
    await drained;
    await first.closed;
    assert(first.text.includes("draining") && first.text.includes("grpc-status: 0"), "its end is said");
    assert(second.got(FRAME.headers, FLAG.endStream, 1), "trailers");
    assert(!logged.some(({ message }) => `${message}`.startsWith("Grace is over")), "nothing was cut");
  });
});
