/**
 * A gRPC server of the tests that answers the first call UNAVAILABLE: whoever calls it again has a policy of retries.
 */
import http2 from "node:http2";
import type { AddressInfo } from "node:net";

/** `await using` stops it. */
export interface ReluctantServer extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Calls so far. */
  readonly calls: number;
}

/** InvDetailResponse with goods 1 and num 7, behind the five bytes of its frame. */
const ANSWER = new Uint8Array([0, 0, 0, 0, 4, 0x08, 1, 0x10, 7]);
const UNAVAILABLE = "14";

/** Starts one in cleartext on a free port of loopback. */
export async function startReluctantServer(): Promise<ReluctantServer> {
  let calls = 0;
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    const headers = { ":status": 200, "content-type": "application/grpc" };
    stream.on("error", () => {});
    if (calls++ === 0) return stream.respond({ ...headers, "grpc-status": UNAVAILABLE }, { endStream: true });
    stream.respond(headers, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(ANSWER);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    get calls() {
      return calls;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
