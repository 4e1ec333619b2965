/**
 * The streams of calls whose bodies are not read to their end: each is closed behind its answer, or a hundred of them
 * would leave their connection without a stream until they are overdue. The peer here ends no stream by itself.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import type { WireHandler } from "../../src/transport/exchange.ts";
import { LISTENER_LIMITS } from "../../src/transport/limits.ts";
import { MessageBudget } from "../../src/rpc/messages/budget.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { call, many } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, headerBlock } from "../support/http2_frames.ts";
import { CHECK, countStatus, JSON_CALL, WATCH, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { SILENT } from "../support/silent_log.ts";

/** More than a connection may have open at once. */
const CALLS = 150;
/** What the server opens a connection's window with (RFC 9113, section 6.9.2). */
const WINDOW_BYTES = 65_535;
const MESSAGE_BYTES_MAX = 32_768;
/** Enough for one body of half of it, and not for its second half. */
const BUDGET_BYTES = 16_384;

type Field = readonly [name: string, value: string];
const GRPC: Field = ["content-type", "application/grpc+proto"];

/** One kind of call that is answered before its body has ended. */
interface Refused {
  readonly path?: string;
  readonly header: readonly Field[];
  readonly body: Uint8Array;
}

/** The start of a message that is said to have so many bytes. */
function start(said: number, { sent = 16, flags = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(sent);
  bytes[0] = flags;
  bytes.writeUInt32BE(said, 1);
  return bytes;
}

const REFUSED: Readonly<Record<string, Refused>> = {
  "gRPC, said to be too large": { header: [GRPC], body: start(MESSAGE_BYTES_MAX + 1) },
  "gRPC, over the budget": { header: [GRPC], body: start(MESSAGE_BYTES_MAX, { sent: 16_000 }) },
  "gRPC, packed and too large": {
    header: [GRPC, ["grpc-encoding", "gzip"]],
    body: start(MESSAGE_BYTES_MAX + 1, { flags: 1 }),
  },
  "gRPC, an encoding that is not taken": { header: [GRPC, ["grpc-encoding", "br"]], body: start(100, { flags: 1 }) },
  "gRPC, a deadline that passes": { header: [GRPC, ["grpc-timeout", "5m"]], body: start(100) },
  "gRPC, packed, a deadline that passes": {
    header: [GRPC, ["grpc-timeout", "5m"], ["grpc-encoding", "gzip"]],
    body: start(100, { flags: 1 }),
  },
  "gRPC, a deadline that is none": { header: [GRPC, ["grpc-timeout", "abc"]], body: start(100) },
  "a gRPC stream": { path: WATCH, header: [GRPC], body: start(MESSAGE_BYTES_MAX + 1) },
  "gRPC-web": { header: [["content-type", "application/grpc-web+proto"]], body: start(MESSAGE_BYTES_MAX + 1) },
  "gRPC-web, a deadline that passes": {
    header: [["content-type", "application/grpc-web+proto"], ["grpc-timeout", "5m"]],
    body: start(100),
  },
  "Connect, a deadline that passes": {
    header: [["content-type", "application/json"], ["connect-timeout-ms", "5"]],
    body: start(100),
  },
  "Connect, over the budget": { header: [["content-type", "application/proto"]], body: Buffer.alloc(16_000) },
  "a stream of Connect": {
    path: WATCH,
    header: [["content-type", "application/connect+proto"]],
    body: start(MESSAGE_BYTES_MAX + 1),
  },
  "a content type that is not taken": { header: [["content-type", "text/plain"]], body: start(100) },
  "Connect, an unknown path": {
    path: "/no.such.Service/Call",
    header: [["content-type", "application/json"]],
    body: start(100),
  },
  "a page of another origin": {
    header: [["content-type", "application/json"], ["origin", "https://evil.example"]],
    body: start(100),
  },
  "gRPC-web as text, no base64": {
    header: [["content-type", "application/grpc-web-text"]],
    body: new TextEncoder().encode("not base64 at all"),
  },
  "an unknown path": { path: "/no.such.Service/Call", header: [GRPC], body: start(100) },
};

function healthHandler(): WireHandler {
  const status = HealthCheckResponse_ServingStatus.SERVING;
  return createRpcHandler({
    log: SILENT,
    readMaxBytes: MESSAGE_BYTES_MAX,
    budget: new MessageBudget(BUDGET_BYTES),
    routes: (router) =>
      router.service(Health, {
        check: () => ({ status }),
        async *watch() {
          yield { status };
        },
      }),
  });
}

for (const [name, { path = CHECK, header, body }] of Object.entries(REFUSED)) {
  Deno.test(`${name}: ${CALLS} bodies without an end leave their connection free`, async () => {
    await withListener({ handler: healthHandler() }, async ({ listener }) => {
      const peer = await RawPeer.http2(listener.port);
      const block = headerBlock([
        [":method", "POST"],
        [":scheme", "http"],
        [":path", path],
        [":authority", "127.0.0.1"],
        ["te", "trailers"],
        ...header,
      ]);
      // A window is opened again once half of it was taken.
      const atOnce = Math.min(LISTENER_LIMITS.concurrentStreamsMax, Math.floor(WINDOW_BYTES / 2 / body.length));
      for (let begun = 0; begun < CALLS;) {
        const streams = many(Math.min(atOnce, CALLS - begun), (i) => 2 * (begun + i) + 1);
        begun += streams.length;
        const left = () => windowBytes(peer) - begun * body.length;
        await peer.until(() => left() >= 0, `a window for ${begun} bodies`);
        peer.send(Buffer.concat(streams.map((stream) =>
          Buffer.concat([
            frame(FRAME.headers, FLAG.endHeaders, stream, block),
            frame(FRAME.data, FLAG.none, stream, body),
          ])
        )));
        await peer.until(() => peer.count(FRAME.reset) >= begun, `${begun} streams to be closed`);
      }
      const last = 2 * CALLS + 1;
      peer.send(call(CHECK, last));
      await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, last), "an answer");
      for (const stream of many(CALLS, (i) => 2 * i + 1)) assertClosedBehindItsAnswer(peer, stream);
      assertEquals(peer.count(FRAME.reset), CALLS);
      assertEquals(peer.got(FRAME.goAway), false);
      await peer.leave();
    });
  });
}

/**
 * The answer comes to its own end, and only then, and at once, the stream is closed without an error (RFC 9113, 8.1).
 */
function assertClosedBehindItsAnswer(peer: RawPeer, stream: number): void {
  const frames = peer.frames.filter((received) => received.stream === stream);
  assertEquals(frames[0]?.type, FRAME.headers);
  const [end, reset] = frames.slice(-2);
  assert(end !== undefined && end.type !== FRAME.reset && (end.flags & FLAG.endStream) !== 0, "its answer has an end");
  assertEquals([reset?.type, reset?.payload.readUInt32BE(0)], [FRAME.reset, ERROR.none]);
}

/** What the connection's window has been opened to so far, in bytes. */
function windowBytes(peer: RawPeer): number {
  const updates = peer.frames.filter(({ type, stream }) => type === FRAME.windowUpdate && stream === 0);
  return WINDOW_BYTES + updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
}

Deno.test("HTTP/1: what comes of a body whose call was answered meanwhile is read off, and the next call is answered", async () => {
  await withListener({ handler: healthHandler() }, async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    const header = ["host: a", "content-type: application/json", "connect-timeout-ms: 5", "transfer-encoding: chunked"];
    peer.send(Buffer.from(`POST ${CHECK} HTTP/1.1\r\n${header.join("\r\n")}\r\n\r\n1\r\n \r\n`));
    await peer.until(() => countStatus(peer, 504) === 1, "the deadline has passed");
    // Many times what node:http keeps of a body that nobody reads.
    const rest = Buffer.alloc(512 * 1024, " ");
    peer.send(Buffer.from(`${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`));
    peer.send(JSON_CALL);
    await peer.until(() => countStatus(peer, 200) === 1, "the next call is answered");
    await peer.leave();
  });
});
