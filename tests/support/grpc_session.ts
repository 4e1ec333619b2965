/** gRPC calls of any method over one HTTP/2 connection, and how each ended. No client library is between. */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { grpcMessage } from "./raw_call.ts";

const EMPTY = Buffer.alloc(0);

/** How a call ended: its code as a number, and its text. */
export interface GrpcEnd {
  readonly code: number | "cut";
  readonly message: string;
  readonly headers: http2.IncomingHttpHeaders;
}

/** A connection. `await using` closes it. */
export interface GrpcSession extends AsyncDisposable {
  /** Calls with one message, an empty one if none is given. */
  call(path: string, headers?: Readonly<Record<string, string>>, message?: Uint8Array): Promise<GrpcEnd>;
  /** Opens a stream with one empty message; the side of its requests stays open. */
  open(path: string, headers?: Readonly<Record<string, string>>): OpenStream;
}

/** A stream. */
export interface OpenStream {
  /** Its first answer, or its end. */
  readonly begun: Promise<"answer" | GrpcEnd>;
  readonly ended: Promise<GrpcEnd>;
  /** No more requests will come. */
  endRequests(): void;
  leave(): void;
}

/** Connects; `tls`: the server's authority, and the client's certificate, as PEM. */
export function connectGrpc(
  url: string,
  tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } = {},
): GrpcSession {
  const session = http2.connect(url, tls);
  session.on("error", () => {});
  const open = (path: string, headers: Readonly<Record<string, string>> = {}, message: Uint8Array = EMPTY) => {
    const fields = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers };
    const stream = session.request(fields, { endStream: false });
    const answer = Promise.withResolvers<"answer">();
    const ended = Promise.withResolvers<GrpcEnd>();
    let header: http2.IncomingHttpHeaders = {};
    const end = (fields: http2.IncomingHttpHeaders) => {
      const { "grpc-status": code, "grpc-message": message = "" } = fields;
      if (code === undefined) return;
      ended.resolve({ code: Number(code), message: decodeURIComponent(String(message)), headers: header });
    };
    stream.on("error", () => {});
    stream.on("response", (fields) => end(header = fields));
    stream.on("trailers", end);
    stream.on("data", () => answer.resolve("answer"));
    stream.on("close", () => ended.resolve({ code: "cut", message: `reset with ${stream.rstCode}`, headers: header }));
    stream.write(grpcMessage(message));
    return {
      begun: Promise.race([answer.promise, ended.promise]),
      ended: ended.promise,
      leave: () => stream.close(http2.constants.NGHTTP2_CANCEL),
      endRequests: () => void stream.end(),
    };
  };
  return {
    call(path, headers, message) {
      const { ended, endRequests } = open(path, headers, message);
      endRequests();
      return ended;
    },
    open,
    [Symbol.asyncDispose]: () => {
      const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
      session.destroy();
      return closed;
    },
  };
}
