/**
 * The shape of a request and of an answer, the same for HTTP/1.1 and HTTP/2, as connect-node's adapter takes them.
 */
import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** What answers requests of either protocol: what connectNodeAdapter returns. */
export type Handler = ReturnType<typeof connectNodeAdapter>;

/** A request: of node:http, or of node:http2 (then it has a `stream`). */
export type HttpRequest = Parameters<Handler>[0];

/** An answer: of node:http, or of node:http2 (then it has a `stream`). */
export type HttpResponse = Parameters<Handler>[1];
