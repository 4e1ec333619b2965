/**
 * What one address may have of what there is for all, over the wire: streams of health and of reflection, and answers
 * that it does not take. Another address, which is another loopback address here, has its own.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import net from "node:net";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { HealthBoard, WATCHERS_MAX } from "../../src/health/board.ts";
import { healthModule } from "../../src/services/health/service.ts";
import { REFLECTION_STREAMS_MAX, reflectionModules } from "../../src/services/reflection/service.ts";
import { addServices, type ServiceModule } from "../../src/services/service_module.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { call } from "../support/http2_calls.ts";
import { ERROR, FRAME, frame, PREFACE, uint32 } from "../support/http2_frames.ts";
import { CHECK, WATCH, withListener } from "../support/listening.ts";
import { grpcMessage } from "../support/raw_call.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually, HANG_MS } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const GREEDY = "127.0.0.9";
const OTHER = "127.0.0.1";
/** Places that one address gets in these tests. */
const OWN = 2;
const RESOURCE_EXHAUSTED = "8";
const nothing = () => {};

const STREAMS: Readonly<
  Record<string, { paths: readonly string[]; message: Uint8Array; modules: readonly ServiceModule[] }>
> = {
  "health watches": {
    paths: [WATCH],
    message: Buffer.alloc(0),
    modules: [healthModule(new HealthBoard([]), (OWN + 0.5) / WATCHERS_MAX)],
  },
  "reflection, both versions together": {
    paths: ["v1", "v1alpha"].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`),
    // list_services
    message: Buffer.of(0x3a, 0),
    modules: reflectionModules({ listed: [Health] }, (OWN + 0.5) / REFLECTION_STREAMS_MAX),
  },
};

for (const [name, { paths, message, modules }] of Object.entries(STREAMS)) {
  Deno.test(`${name}: one address has its share over all its connections, another its own, and an end frees its place`, async () => {
    const handler = createRpcHandler({ log: SILENT, routes: (router) => addServices(router, modules) });
    await withListener({ handler }, async ({ listener: { port } }) => {
      const [first, second, other] = [GREEDY, GREEDY, OTHER].map((address) => connect(port, address));
      const open = (session: http2.ClientHttp2Session, turn: number) =>
        openStream(session, paths[turn % paths.length]!, message);
      try {
        const opened = [await open(first!, 0), await open(second!, 1)];
        assertEquals(opened.map(({ seen }) => seen), ["a message", "a message"]);
        for (const session of [first!, second!]) {
          for (const turn of [0, 1]) assertEquals((await open(session, turn)).seen, RESOURCE_EXHAUSTED);
        }
        assertEquals((await open(other!, 0)).seen, "a message");
        opened[0]!.stream.close(http2.constants.NGHTTP2_CANCEL);
        let seen: string | undefined;
        for (let attempt = 0; attempt < 100 && seen !== "a message"; attempt++) seen = (await open(second!, 0)).seen;
        assertEquals(seen, "a message");
        assertEquals((await open(first!, 0)).seen, RESOURCE_EXHAUSTED);
      } finally {
        for (const session of [first, second, other]) session!.destroy();
      }
    });
  });
}

Deno.test("answers that are not taken count by address, over all its connections", async () => {
  // The answer of a Check is its prefix and two bytes.
  const limits = { unreadPerAddressBytesMax: 10 };
  await withListener({ limits: { sweepMs: 20, ...limits } }, async ({ listener: { port }, logged, open }) => {
    open();
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    const start = Buffer.concat([PREFACE, noWindow]);
    const peers: RawPeer[] = [];
    for (const address of [GREEDY, GREEDY, OTHER]) peers.push(await RawPeer.http2(port, { start, address }));
    const [first, second, other] = peers as [RawPeer, RawPeer, RawPeer];
    first.send(call(CHECK, 1));
    await first.until(() => first.got(FRAME.headers, 0, 1), "an answer that may wait");
    second.send(call(CHECK, 1));
    await second.until(() => second.got(FRAME.reset, 0, 1), "one too many of that address");
    assertEquals(second.errorCodes(FRAME.reset), [ERROR.enhanceYourCalm]);
    other.send(call(CHECK, 1));
    await other.until(() => other.got(FRAME.headers, 0, 1), "the answer of another address");
    await eventually(() => logged.some((line) => line.limit === "unreadPerAddressBytesMax"), "a line of log");
    await first.leave();
    // The server sees that it has gone a little later.
    for (let stream = 3; stream < 200; stream += 2) {
      second.send(call(CHECK, stream));
      await second.until(() => second.got(FRAME.headers, 0, stream) || second.got(FRAME.reset, 0, stream), "an end");
      if (second.got(FRAME.headers, 0, stream)) break;
    }
    assertEquals(second.count(FRAME.headers), 1);
    for (const peer of peers) await peer.leave();
  });
});

function connect(port: number, localAddress: string): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    createConnection: () => net.connect({ port, host: "127.0.0.1", localAddress }),
  });
  session.on("error", nothing);
  return session;
}

/**
 * Sends the first message of a stream and leaves its answer open; what was seen of it: "a message", or the status that
 * ended it.
 */
async function openStream(session: http2.ClientHttp2Session, path: string, message: Uint8Array) {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  const stream = session.request(headers, { endStream: false });
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("silence"), HANG_MS);
  stream.on("error", nothing);
  stream.once("data", () => resolve("a message"));
  const end = (fields: http2.IncomingHttpHeaders) => "grpc-status" in fields && resolve(String(fields["grpc-status"]));
  stream.once("response", end);
  stream.once("trailers", end);
  stream.once("close", () => resolve("closed"));
  // A Watch begins with the end of its request; reflection goes on asking.
  if (path === WATCH) stream.end(grpcMessage(message));
  else stream.write(grpcMessage(message));
  const seen = await promise;
  clearTimeout(timer);
  return { stream, seen };
}
