/** What is different where an answer is many messages, over minutes. */
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, Interceptor } from "@connectrpc/connect";

/** How long the peer of a stream may read nothing, in ms, where nothing else is asked for. */
export const UNREAD_STREAM_MS = 60_000;

/** To each of many small messages gzip costs more than it spares. */
export const UNCOMPRESSED: ConnectRouterOptions = { compressMinBytes: Infinity };

/**
 * What proxies are asked of a stream: to pass each message on as it comes, and to keep none. nginx heeds the second
 * field, and gathers what it is given otherwise.
 */
const STREAM_FIELDS = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" } as const;

/** Whether all that a service answers is streams. */
export function isOfStreams({ methods }: DescService): boolean {
  return methods.every(({ methodKind }) => methodKind === "server_streaming");
}

/** Has streams say to proxies what they are. */
export const streamFields: Interceptor = (next) => (request) =>
  request.stream ? withFields(next(request)) : next(request);

async function withFields<R extends { readonly header: Headers }>(answering: Promise<R>): Promise<R> {
  const response = await answering;
  Object.entries(STREAM_FIELDS).forEach((field) => response.header.set(...field));
  return response;
}
