/**
 * A listener with a small service behind it, for tests of the listener itself: grpc.health.v1.Health, whose Check waits
 * for a latch when asked for the service "latch" and whose Watch says SERVING, waits for the latch, and says SERVING
 * again; of the service "stays" its connection is not left before. Beside it `/large` answers with more bytes than any
 * window takes.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { listen, type Listener, type ListenerOptions } from "../../src/transport/listener.ts";
import { createRpcHandler, type RpcHandlerOptions } from "../../src/rpc/router.ts";
import { leavingOf } from "../../src/transport/leaving.ts";
import type { ListenerLimits } from "../../src/transport/limits.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { FLAG, FRAME, frame } from "./http2_frames.ts";
import { grpcCall, RawPeer } from "./raw_peer.ts";
import { openCall } from "./http2_calls.ts";
import { eventually } from "./eventually.ts";

/** Path of Health.Check. */
export const CHECK = "/grpc.health.v1.Health/Check";
/** Path of Health.Watch. */
export const WATCH = "/grpc.health.v1.Health/Watch";
/** Size of the answer of `/large`. */
export const LARGE_BYTES = 8 * 1024 * 1024;

/** Health.Check over Connect's JSON and HTTP/1.1, as sent. */
export const JSON_CALL = jsonCall("");

const status = HealthCheckResponse_ServingStatus.SERVING;

/** A listener, what it has logged, the requests that reached the handler, and the latch that keeps back answers. */
export interface Setting {
  readonly listener: Listener;
  readonly logged: Record<string, unknown>[];
  readonly handled: () => number;
  readonly open: () => void;
}

/**
 * Runs with a listener of these options, and drains it in the end, whatever happens. By default every call is admitted.
 */
export async function withListener(
  { admission, ...options }: Partial<ListenerOptions> & Pick<RpcHandlerOptions, "admission">,
  run: (setting: Setting) => Promise<void>,
): Promise<void> {
  const latch = Promise.withResolvers<void>();
  const logged: Record<string, unknown>[] = [];
  const note = (fields: Record<string, unknown>, message: string) => void logged.push({ ...fields, message });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  let handled = 0;
  const adapter = createRpcHandler({
    log,
    admission,
    readMaxBytes: 65_536,
    routes(router) {
      router.service(Health, {
        async check(request) {
          if (request.service === "latch") await latch.promise;
          return { status };
        },
        async *watch(request, context) {
          const endStay = request.service === "stays" ? leavingOf(context.values).stay() : undefined;
          yield { status };
          const gone = new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
          await Promise.race([latch.promise, gone]);
          yield { status };
          endStay?.();
        },
      });
    },
  });
  const handler: ListenerOptions["handler"] = {
    http1(request, response, call) {
      handled++;
      if (request.url !== "/large") return adapter.http1(request, response, call);
      response.writeHead(200, { "content-length": LARGE_BYTES });
      response.end(Buffer.alloc(LARGE_BYTES));
    },
    http2(call) {
      handled++;
      if (call.headers[":path"] !== "/large") return adapter.http2(call);
      call.stream.respond({ ":status": 200, "content-length": LARGE_BYTES });
      call.stream.end(Buffer.alloc(LARGE_BYTES));
    },
  };
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    handler,
    cors: { origins: [], hosts: [] },
    log,
    ...options,
  });
  try {
    await run({ listener, logged, handled: () => handled, open: () => latch.resolve() });
  } finally {
    latch.resolve();
    await listener.drain(0);
  }
}

/** A test with a listener of these limits, which sees in the end that both protocols are still answered. */
export function limitTest(
  name: string,
  limits: Partial<ListenerLimits>,
  run: (setting: Setting) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await withListener({ limits: { sweepMs: 20, ...limits } }, async (setting) => {
      await run(setting);
      await answersBothProtocols(setting.listener);
    });
  });
}

/** Health.Check of this service over Connect's JSON and HTTP/1.1, as sent. */
export function jsonCall(service: string): string {
  const body = JSON.stringify({ service });
  return `POST ${CHECK} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`;
}

/** Health.Check or Watch of a service over gRPC, as sent on an HTTP/2 stream. */
export function latchedCall(path: string, stream: number, service = "latch"): Buffer {
  const message = Buffer.concat([Buffer.of(0x0a, service.length), Buffer.from(service)]);
  const prefix = Buffer.of(0, 0, 0, 0, message.length);
  return Buffer.concat([
    openCall(path, stream),
    frame(FRAME.data, FLAG.endStream, stream, Buffer.concat([prefix, message])),
  ]);
}

/** HTTP/1 answers of this status that have come. */
export function countStatus(peer: RawPeer, status: number): number {
  return peer.text.split(`HTTP/1.1 ${status} `).length - 1;
}

/** One honest call over each protocol, on connections of their own. */
export async function answersBothProtocols(listener: Listener): Promise<void> {
  assertEquals(await grpcCall(listener.url, CHECK), "0");
  const peer = await RawPeer.http1(listener.port);
  peer.send(JSON_CALL);
  await peer.until(() => countStatus(peer, 200) === 1, "an answer over HTTP/1.1");
  await peer.leave();
}

/** Asks on new connections until one is admitted: the server sees those that left a little later. */
export async function untilAdmitted(port: number): Promise<void> {
  await eventually(async () => {
    const peer = await RawPeer.http1(port);
    peer.send(JSON_CALL);
    await peer.until(() => peer.socket.destroyed || countStatus(peer, 200) === 1, "an answer or the end");
    await peer.leave();
    return countStatus(peer, 200) === 1;
  }, "a place is free");
}
