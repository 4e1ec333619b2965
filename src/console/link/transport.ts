/** How the page calls the server: gRPC-web, or Connect's JSON, which the browser's own tools can show. */
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { retrying } from "./retries.ts";
import { noteAnswer } from "./server_clock.ts";

/** `?wire=json` chooses Connect's JSON. */
export type Wire = "grpc-web" | "json";

/** Who calls, whom, and how. */
export interface Credentials {
  /** The server's origin. */
  readonly baseUrl: string;
  readonly wire: Wire;
  /** A key or a token; undefined: none was typed in. */
  readonly key: string | undefined;
}

/** Longest wait for an answer to a call that is no stream, in ms. */
const CALL_MS_MAX = 30_000;

/** What the address asks for. */
export function wireOf(query: URLSearchParams): Wire {
  return query.get("wire") === "json" ? "json" : "grpc-web";
}

/** A transport to the server, with the key where there is one. */
export function transportTo({ baseUrl, wire, key }: Credentials): Transport {
  const withKey: Interceptor = (next) => async (request) => {
    if (key !== undefined) request.header.set("authorization", `Bearer ${key}`);
    return await next(request);
  };
  // The last one: each call that is sent has a time of its own.
  const timed: Interceptor = (next) => async (request) => {
    const sentMs = Date.now();
    const answer = await next(request);
    noteAnswer(answer.header, sentMs);
    return answer;
  };
  const options = { baseUrl, interceptors: [withKey, retrying(), timed], defaultTimeoutMs: CALL_MS_MAX };
  return wire === "json" ? createConnectTransport(options) : createGrpcWebTransport(options);
}
