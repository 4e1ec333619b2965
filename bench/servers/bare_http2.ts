/**
 * node:http2 with nothing on it: each stream is answered as an empty gRPC call is, whatever it asks. No message is
 * decoded, no deadline kept, nothing counted: what a call costs before anybody has done anything for it.
 */
import http2 from "node:http2";
import { Buffer } from "node:buffer";
import { converse } from "../load/conversation.ts";
import { onLoopback } from "./loopback.ts";

const HEADERS = { ":status": 200, "content-type": "application/grpc+proto" };
const TRAILERS = { "grpc-status": "0" };
/** An empty message. */
const BODY = Buffer.from([0, 0, 0, 0, 0]);

await converse(async () => {
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.resume();
    stream.on("end", () => {
      stream.respond(HEADERS, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(TRAILERS));
      stream.end(BODY);
    });
  });
  return await onLoopback(server);
});
