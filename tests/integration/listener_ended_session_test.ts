/**
 * HTTP/2 sessions that their peer has ended with an error, whose connections stay as the peer does not read what it was
 * answered: nothing is asked of them any more, and they go when their time is up.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import net from "node:net";
import type { Listener } from "../../src/transport/listener.ts";
import type { ListenerLimits } from "../../src/transport/limits.ts";
import { eventually } from "../support/eventually.ts";
import { callHeaders, FLAG, FRAME, frame, uint32, wideOpening } from "../support/http2_frames.ts";
import { CHECK, LARGE_BYTES, withListener } from "../support/listening.ts";

const SOON_MS = 100;
const INTERNAL_ERROR = 2;

/** A call, and windows that let out whatever its answer is. */
const CALL = Buffer.concat([
  wideOpening(),
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, callHeaders(CHECK)),
]);
const GO_AWAY = frame(FRAME.goAway, 0, 0, Buffer.concat([uint32(0), uint32(INTERNAL_ERROR)]));

/** Runs when the session of such a peer has ended, and waits until its connection is gone. */
async function withEndedSession(limits: Partial<ListenerLimits>, run: (listener: Listener) => void): Promise<void> {
  const begun = Promise.withResolvers<ServerHttp2Session>();
  const handler = {
    http1() {},
    http2({ stream }: { readonly stream: ServerHttp2Stream }) {
      // More than the system takes.
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(LARGE_BYTES));
      begun.resolve(stream.session as ServerHttp2Session);
    },
  };
  await withListener({ handler, limits: { sweepMs: 20, ...limits } }, async ({ listener }) => {
    const peer = net.connect({ port: listener.port, host: "127.0.0.1" });
    peer.on("error", () => {});
    peer.pause();
    try {
      peer.write(CALL);
      const session = await begun.promise;
      peer.write(GO_AWAY);
      await eventually(() => session.destroyed, "the session has ended");
      assertEquals([session.closed, listener.view.connections], [false, 1]);
      run(listener);
      await eventually(() => listener.view.connections === 0, "the connection is gone");
    } finally {
      peer.destroy();
    }
  });
}

Deno.test("an ended session is asked to leave by nobody, and is cut like one that does not leave", async () => {
  await withEndedSession({ leaveMsMax: SOON_MS }, (listener) => listener.askToLeave());
});

Deno.test("idleMs: the connection of an ended session is cut", async () => {
  await withEndedSession({ idleMs: 10 * SOON_MS }, () => {});
});
