/** The URL of a call over HTTP/2. */
import type { IncomingHttpHeaders } from "node:http2";
import type { Http2Call } from "../../transport/exchange.ts";

/** The URLs of the calls at one path. */
export class CallUrls {
  /** Of the latest call: most callers name the same origin. */
  #latest: { readonly origin: string; readonly url: string } | undefined;

  constructor(private readonly path: string) {}

  /** The URL of a call. Throws where host and path make none. */
  of({ stream, headers }: Http2Call): string {
    const origin = `${stream.session?.encrypted ? "https" : "http"}://${authorityOf(headers)}`;
    const path = headers[":path"] ?? "";
    if (path !== this.path) return new URL(path, origin).toString();
    if (this.#latest?.origin !== origin) this.#latest = { origin, url: new URL(path, origin).toString() };
    return this.#latest.url;
  }
}

/** The host that a request was sent to: `:authority`, or `host` where the peer sent only that (RFC 9113, 8.3.1). */
function authorityOf(headers: IncomingHttpHeaders): string {
  const authority = headers[":authority"] ?? headers.host;
  if (authority === undefined) throw new Error("a request without a host");
  return authority;
}
