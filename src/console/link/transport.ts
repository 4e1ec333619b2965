/** How the page calls the server: gRPC-web, or Connect's JSON, which the browser's own tools can show. */
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

/** `?wire=json` chooses Connect's JSON. */
export type Wire = "grpc-web" | "json";

/** Longest wait for an answer to a call that is no stream, in ms. */
const CALL_MS_MAX = 30_000;

/** What the address asks for. */
export function wireOf(query: URLSearchParams): Wire {
  return query.get("wire") === "json" ? "json" : "grpc-web";
}

/** A transport to the server that the page came from, with the key where there is one. */
export function transportTo(baseUrl: string, wire: Wire, key: string | undefined): Transport {
  const withKey: Interceptor = (next) => (request) => {
    if (key !== undefined) request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const options = { baseUrl, interceptors: [withKey], defaultTimeoutMs: CALL_MS_MAX };
  return wire === "json" ? createConnectTransport(options) : createGrpcWebTransport(options);
}
