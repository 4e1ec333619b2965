/**
 * Sends one request many times over HTTP/2, as fast as it is taken, and counts what it gets: the attacker's side of
 * tests about what a message may cost.
 */
import http2 from "node:http2";
import { callerSetup, connectTo } from "./caller_setup.ts";

/** One request, whole. */
export interface AttackRequest {
  readonly path: string;
  /** Beside those of a gRPC call, or instead of them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How often, and over how many connections. */
export interface Attack {
  readonly count: number;
  readonly connections: number;
  /** Streams at once on each connection; 100 by default, which is what the server allows. */
  readonly streams?: number;
  /** Loopback address that it comes from; 127.0.0.1 by default. */
  readonly address?: string;
}

/** A call that has no answer by then is counted as such. */
const ANSWER_MS_MAX = 60_000;

/**
 * Sends it `count` times, and answers how often which status came: `{ "grpc-status 8": 100 }`, or `http 400`, `rst 7`.
 */
export async function sendAll(
  url: string,
  request: AttackRequest,
  { count, connections, streams = 100, address = "127.0.0.1" }: Attack,
): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  let left = count;
  await Promise.all(Array.from({ length: connections }, async () => {
    const session = http2.connect(url, {
      createConnection: () => connectTo({ port: Number(new URL(url).port), address, protocol: "h2" }),
    });
    session.on("error", () => {});
    const caller = async () => {
      while (left-- > 0) {
        const status = await send(session, request);
        seen[status] = (seen[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: Math.min(streams, Math.ceil(count / connections)) }, caller));
    session.destroy();
  }));
  return seen;
}

function send(session: http2.ClientHttp2Session, { path, headers, body }: AttackRequest): Promise<string> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve("connection closed");
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...callerSetup().attackerHeaders,
      ...headers,
    });
    const timer = setTimeout(() => end("no answer"), ANSWER_MS_MAX);
    const end = (status: string) => {
      clearTimeout(timer);
      resolve(status);
    };
    let http: unknown;
    let grpc: unknown;
    const read = (fields: http2.IncomingHttpHeaders) => {
      http = fields[":status"] ?? http;
      grpc = fields["grpc-status"] ?? grpc;
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("error", () => {});
    const over = () => {
      if (grpc !== undefined) end(`grpc-status ${grpc}`);
      else end(http !== undefined ? `http ${http}` : `rst ${stream.rstCode}`);
    };
    // Deno's client shows no close where the request was not sent to its end; the answer is whole all the same.
    stream.on("end", over);
    stream.on("close", over);
    stream.resume();
    stream.end(body);
  });
}
