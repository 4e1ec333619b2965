/** Streams of callers who prove who they are: nobody looks at them any more once they have ended. */
import { assertEquals } from "@std/assert";
import { setIdentity } from "../../src/auth/caller.ts";
import { watchStreams } from "../../src/auth/stream_watch.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { eventually } from "../support/eventually.ts";
import { openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame } from "../support/http2_frames.ts";
import { WATCH, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("a stream whose deadline has passed before it begins is not looked at for ever", async () => {
  /** How often each stream was looked at, by when they came. */
  const looks: number[] = [];
  const handler = createRpcHandler({
    log: SILENT,
    interceptors: [(next) => (request) => {
      const i = looks.push(0) - 1;
      setIdentity(request.contextValues, {
        kind: "keys",
        name: "a",
        rights: new Set(),
        isValid: () => ++looks[i]! > 0,
      });
      return next(request);
    }],
    streamInterceptors: [watchStreams(() => new Error("it is good"))],
    routes: (router) =>
      router.service(Health, {
        async *watch(_request, { signal }) {
          yield { status: HealthCheckResponse_ServingStatus.SERVING };
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
      }),
  });
  await withListener({ handler }, async ({ listener }) => {
    const peer = await RawPeer.http2(listener.port);
    const watch = (stream: number, more: readonly (readonly [string, string])[] = []) => {
      peer.send(openCall(WATCH, stream, more));
      peer.send(frame(FRAME.data, FLAG.endStream, stream, new Uint8Array(5)));
    };
    watch(1, [["grpc-timeout", "0n"]]);
    await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 1), "its end");
    const [ended] = looks;
    watch(3);
    // It began later, so that the first would have been looked at by then.
    await eventually(() => (looks[1] ?? 0) > 3, "the other is looked at");
    assertEquals(looks[0], ended);
    await peer.leave();
    await eventually(() => listener.view.requests === 0, "the other has ended");
  });
});
