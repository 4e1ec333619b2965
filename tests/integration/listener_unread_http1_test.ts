/**
 * Answers over HTTP/1.1 that their peer does not read: node:http keeps them, and those of requests pipelined behind
 * them, and they are unread as those over HTTP/2 are.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import net from "node:net";
import { WatchService } from "../../src/gen/inventory/v1/watch_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import type { CallEnd, ObservedCall } from "../../src/telemetry/observer.ts";
import type { ListenerLimits } from "../../src/transport/limits.ts";
import { eventually } from "../support/eventually.ts";
import { many } from "../support/http2_calls.ts";
import { type Setting, withListener } from "../support/listening.ts";

/** Many times what the system takes of a connection that is not read. */
const ANSWER_BYTES = 24 * 1024 * 1024;
const PATH = "/inventory.v1.WatchService/WatchInv";
/** A stream that has one message, to be had without a frame of HTTP/2. */
const REQUEST = `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web+proto\r\n` +
  "content-length: 5\r\n\r\n\0\0\0\0\0";
const TOKEN = "x".repeat(ANSWER_BYTES);

/** Who reads nothing before `read`, of which it counts the bytes. */
class SlowReader {
  bytes = 0;

  private constructor(readonly socket: net.Socket) {}

  static async connect(port: number): Promise<SlowReader> {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.pause();
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new SlowReader(socket);
  }

  read(): void {
    this.socket.on("data", (chunk: Buffer) => this.bytes += chunk.length).resume();
  }
}

/** With a listener whose every call is answered with {@link ANSWER_BYTES}, and how each has ended. */
async function withLargeAnswers(
  limits: Partial<ListenerLimits>,
  run: (setting: Setting & { readonly made: () => number; readonly ends: readonly string[] }) => Promise<void>,
): Promise<void> {
  let made = 0;
  const ends: string[] = [];
  const faults: Record<string, unknown>[] = [];
  const observer = {
    begin: () => undefined,
    end: (_call: ObservedCall, _carrier: object, { code }: CallEnd) => void ends.push(code),
  };
  const handler = createRpcHandler({
    log: { debug() {}, info() {}, warn() {}, error: (fields) => void faults.push(fields) },
    observer,
    writeMaxBytes: 2 * ANSWER_BYTES,
    routes: (router) =>
      router.service(WatchService, {
        async *watchInv() {
          made++;
          yield await Promise.resolve({ resumeToken: TOKEN });
        },
      }),
  });
  await withListener(
    { handler, limits: { sweepMs: 20, ...limits } },
    (setting) => run({ ...setting, made: () => made, ends }),
  );
  assertEquals(faults, [], "nobody who reads nothing is a fault of the service");
}

Deno.test("unreadAnswerBytesMax: who pipelines and reads nothing is cut", async () => {
  // What the system takes of the first leaves no room for the third, as the second is kept whole.
  await withLargeAnswers({ unreadAnswerBytesMax: 2.2 * ANSWER_BYTES }, async ({ listener, ends }) => {
    const peer = await SlowReader.connect(listener.port);
    peer.socket.write(REQUEST.repeat(3));
    await eventually(() => listener.view.overLimits.unreadAnswerBytesMax === 1, "the third one is too much");
    await eventually(() => listener.view.connections === 0, "it is cut");
    await eventually(() => ends.length === 3, "all calls have ended");
    assert(ends.includes("RESOURCE_EXHAUSTED"), `${ends}`);
    peer.socket.destroy();
  });
});

Deno.test("who goes while its answers wait is no fault of the service, and its calls have ended", async () => {
  await withLargeAnswers({ unreadAnswerBytesMax: 10 * ANSWER_BYTES }, async ({ listener, made, ends }) => {
    for (const leave of ["destroy", "resetAndDestroy"] as const) {
      const before = ends.length;
      const peer = await SlowReader.connect(listener.port);
      peer.socket.write(REQUEST.repeat(4));
      await eventually(() => made() === before + 4, "all are answered");
      peer.socket[leave]();
      await eventually(() => ends.length === before + 4, "all calls have ended");
    }
    assert(!ends.includes("INTERNAL"), `${ends}`);
  });
});

Deno.test("unreadPerAddressBytesMax: what one address does not read over HTTP/1.1 is bounded, until it is read or gone", async () => {
  await withLargeAnswers({ unreadPerAddressBytesMax: 2.5 * ANSWER_BYTES }, async ({ listener, made }) => {
    const peers = await Promise.all(many(5, () => SlowReader.connect(listener.port)));
    const [first, second, third, fourth, fifth] = peers as [SlowReader, SlowReader, SlowReader, SlowReader, SlowReader];
    try {
      first.socket.write(REQUEST);
      second.socket.write(REQUEST);
      await eventually(() => made() === 2, "two are answered");
      third.socket.write(REQUEST);
      await eventually(() => listener.view.overLimits.unreadPerAddressBytesMax === 1, "a third one is too much");
      await eventually(() => listener.view.connections === 4, "its connection is cut, and no other");

      first.read();
      await eventually(() => first.bytes > ANSWER_BYTES, "the first has read its answer");
      await eventually(() => listener.view.requests === 1, "it has ended");
      fourth.socket.write(REQUEST);
      await eventually(() => made() === 4, "another is answered");
      second.socket.destroy();
      await eventually(() => listener.view.connections === 3, "the second is gone");
      fifth.socket.write(REQUEST);
      await eventually(() => made() === 5, "another is answered");
      fifth.read();
      await eventually(() => fifth.bytes > ANSWER_BYTES, "and its answer comes whole");
      assertEquals(listener.view.overLimits.unreadPerAddressBytesMax, 1);
    } finally {
      for (const { socket } of peers) socket.destroy();
    }
  });
});
