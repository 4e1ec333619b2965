/**
 * Which pages may call from a browser (the Fetch standard's CORS protocol): a pure decision, and a thin wrapper that
 * applies it before a handler sees the request. Knows header names only, no service and no path.
 */
import { cors } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import type { WireHandler } from "./http_handler.ts";
import type { Origins } from "./origin_patterns.ts";
import { REQUEST_ID_HEADER } from "./request_id.ts";

const ALLOWED_METHODS = cors.allowedMethods.join(", ");
const ALLOWED_HEADERS = [...cors.allowedHeaders, REQUEST_ID_HEADER].join(", ");
const EXPOSED_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER].join(", ");

/** How long a browser may remember a preflight's answer: the longest that Chromium honours. */
const PREFLIGHT_AGE_S = 7200;

/** What of a request the decision needs; each as sent, absent where not sent. */
export interface CorsRequest {
  readonly method: string;
  /** The request's own host, with its port where it is not the scheme's (`Host`, or `:authority` in HTTP/2). */
  readonly host: string | undefined;
  /** `Origin` */
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method` */
  readonly requestMethod: string | undefined;
}

/** Which pages are allowed. */
export interface CorsRules {
  /** As a browser writes them: lower case, no path, no default port. */
  readonly origins: Origins;
  /**
   * Names, in lower case, under which this server has pages of its own, beside loopback names and every address. Any
   * other name that leads here may be somebody's who points his domain at this machine (DNS rebinding): his page calls
   * the very host that it came from, so the request's own host, which he chose, proves nothing.
   */
  readonly hosts: ReadonlySet<string>;
}

/** What to do: answer a preflight with this status and these headers, or set them and go on to the handler. */
export interface CorsDecision {
  readonly answer: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** For whoever is no browser, which is nearly every call: one object for all. */
const WITHOUT_ORIGIN: CorsDecision = Object.freeze({ answer: undefined, headers: Object.freeze({ vary: "Origin" }) });

/**
 * Decides on one request.
 *
 * Never `*` and never credentials: an origin is named back or nothing is. `Vary: Origin` is on every answer, with or
 * without an origin, so that a cache never gives one page's answer to another. A request of a page that is not allowed
 * is answered 403 and never reaches the handler.
 *
 * A request without an origin goes on, whatever host it names: a backend reaches this port by whichever name its network
 * has for it, and a browser sends the origin with every request that a handler takes (POST, and its preflight).
 */
export function decideCors(request: CorsRequest, { origins, hosts }: CorsRules): CorsDecision {
  const preflight = request.method === "OPTIONS" && request.origin !== undefined &&
    request.requestMethod !== undefined;
  const { origin } = request;
  if (origin === undefined) return WITHOUT_ORIGIN;
  const own = isSameHost(origin, request.host) && isOwnName(new URL(origin).hostname, hosts);
  if (!own && !origins.has(origin)) return { answer: 403, headers: { vary: "Origin" } };
  if (!preflight) {
    return {
      answer: undefined,
      headers: {
        vary: "Origin",
        "access-control-allow-origin": origin,
        "access-control-expose-headers": EXPOSED_HEADERS,
      },
    };
  }
  return {
    answer: 204,
    headers: {
      vary: "Origin",
      "access-control-allow-origin": origin,
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": String(PREFLIGHT_AGE_S),
    },
  };
}

/** The handler with CORS in front of it. */
export function withCors(handler: WireHandler, rules: CorsRules): WireHandler {
  return {
    http1(request, response) {
      const { answer, headers } = decide(request.method ?? "", request.headers.host, request.headers);
      for (const name in headers) response.setHeader(name, headers[name]!);
      if (answer === undefined) return handler.http1(request, response);
      response.writeHead(answer, OWN_ANSWER_HEADERS);
      response.end(ownAnswerBody(answer));
    },
    http2(call) {
      const { stream, headers: asked, answerHeaders } = call;
      const { answer, headers } = decide(asked[":method"] ?? "", asked[":authority"] || asked.host, asked);
      for (const name in headers) answerHeaders[name] = headers[name]!;
      if (answer === undefined) return handler.http2(call);
      stream.respond({ ...answerHeaders, ...OWN_ANSWER_HEADERS, ":status": answer });
      stream.end(ownAnswerBody(answer));
    },
  };

  function decide(method: string, host: string | undefined, headers: IncomingHttpHeaders): CorsDecision {
    if (headers.origin === undefined) return WITHOUT_ORIGIN;
    const requestMethod = one(headers["access-control-request-method"]);
    return decideCors({ method, host, origin: headers.origin, requestMethod }, rules);
  }
}

const OWN_ANSWER_HEADERS = { "content-type": "text/plain" };

function ownAnswerBody(status: number): string {
  return status === 403 ? "pages of this origin may not call: neither CORS_ORIGINS nor ALLOWED_HOSTS names it\n" : "";
}

/**
 * Whether a page of `origin` was served by the very host that it calls. The scheme is left out: behind a proxy that
 * ends TLS this side sees http where the browser sees https.
 */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !/^https?:\/\//.test(origin)) return false;
  const scheme = origin.slice(0, origin.indexOf("://"));
  try {
    return new URL(origin).host === new URL(`${scheme}://${host}`).host;
  } catch {
    return false;
  }
}

/**
 * Whether nobody else can have brought a page here under this host, as URLs spell it: a listed name, a name that can't
 * be anything but this machine (RFC 6761, section 6.3), or an address, which no name server was asked for.
 */
function isOwnName(host: string, hosts: ReadonlySet<string>): boolean {
  return hosts.has(host) || host === "localhost" || host.endsWith(".localhost") ||
    isIP(host.replace(/^\[|\]$/g, "")) !== 0;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
