/**
 * The two servers behind one port, neither of which listens: connections are handed to them. Owns what is told to
 * node:http and node:http2, and knows what Deno 2.9.3 makes of it: it maps `maxHeaderListPairs` and the settings, and
 * ignores `maxSessionMemory` and `streamResetBurst`, so that those are kept elsewhere (`connections.ts`).
 * It also keeps every HTTP/2 session with its handle for good, some 17 kB, whatever is taken off them at their end (repaired
 * by denoland/deno pull request 36043), so that peers that connect anew for each call, such as health probes, should do it
 * over HTTP/1, which leaves nothing behind.
 */
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { ListenerLimits } from "./listener_limits.ts";

/** The HTTP/1 server: hand it connections with `emit("connection", socket)`. It keeps them alive between requests. */
export function createHttp1Server(limits: ListenerLimits, handle: http.RequestListener): http.Server {
  const server = http.createServer({ maxHeaderSize: limits.headerBytesMax }, handle);
  // One more than allowed: the fields over this count are dropped in silence, and must still be seen to be too many.
  server.maxHeadersCount = limits.headerFieldsMax + 1;
  server.keepAliveTimeout = limits.idleMs;
  server.timeout = 0;
  // Deno closes a connection after each answer of a server that does not listen itself (denoland/deno issue 35609)
  Object.defineProperty(server, "listening", { get: () => true });
  return server;
}

/**
 * Has node:http read what the socket brings from its "data" events, where it can be held back. Else it reads the socket's handle
 * itself, past everybody, which it leaves be where the handle says that somebody else does so already.
 */
export function readByData(socket: Socket): void {
  const { _handle } = socket as Socket & { _handle?: { _consumed?: boolean } | null };
  if (_handle) _handle._consumed = true;
}

/**
 * The HTTP/2 server: hand it connections with `emit("connection", socket)`; it reads their preface. It emits "stream" for
 * each request and must be given no "request" listener, or it makes a request and a response object for each as well.
 */
export function createHttp2Server(limits: ListenerLimits): http2.Http2Server {
  return http2.createServer({
    settings: { maxConcurrentStreams: limits.concurrentStreamsMax, maxHeaderListSize: limits.headerBytesMax },
    maxHeaderListPairs: limits.headerFieldsMax,
  });
}
