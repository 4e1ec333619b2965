/**
 * Which pages may call from a browser (the Fetch standard's CORS protocol): a pure decision, and a thin wrapper that
 * applies it before a handler sees the request. Knows header names only, no service and no path.
 */
import { Code, cors } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import type { Log } from "../../telemetry/log.ts";
import type { CorsRules } from "./rules.ts";
import type { WireHandler } from "../exchange.ts";
import { isOwnName } from "../own_names.ts";
import { type OwnAnswer, refuseCall, sendOverHttp1, sendOverHttp2 } from "../own_answer.ts";
import { RareLine } from "../../telemetry/rare_line.ts";

const ALLOWED_METHODS = cors.allowedMethods.join(", ");

/** How long a browser may remember a preflight's answer: the longest that Chromium honours. */
const PREFLIGHT_AGE_S = 7200;

/** What is said of an origin, or of headers, in characters: they are as long as a page likes. */
const SAID_CHARACTERS_MAX = 200;

/** What of a request the decision needs; each as sent, absent where not sent. */
export interface CorsRequest {
  readonly method: string;
  /** The request's own host, with its port where it is not the scheme's (`Host`, or `:authority` in HTTP/2). */
  readonly host: string | undefined;
  /** `Origin` */
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method` */
  readonly requestMethod: string | undefined;
  /** `Access-Control-Request-Headers` */
  readonly requestHeaders?: string | undefined;
  /** `Access-Control-Request-Private-Network` */
  readonly requestPrivateNetwork?: string | undefined;
}

/**
 * What to do: answer a preflight or refuse with this status and these headers, or set them and go on to the handler.
 */
export interface CorsDecision {
  readonly answer: 204 | 403 | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** With 403: what is refused, and which setting allows it. */
  readonly refusal?: string;
  /** With 204: headers that the page asks to send and may not, in lower case. */
  readonly refusedHeaders?: readonly string[];
}

const NO_PAGE: CorsRequest = { method: "POST", host: undefined, origin: undefined, requestMethod: undefined };
const VARY = { vary: "Origin" };

/**
 * Decides on one request.
 *
 * Never `*` and never credentials: an origin is named back or nothing is. `Vary: Origin` is on every answer, with or
 * without an origin, so that a cache never gives one page's answer to another. A request of a page that is not allowed
 * is answered 403 and never reaches the handler.
 *
 * A request without an origin goes on, whatever host it names: a backend reaches this port by whichever name its
 * network has for it, and a browser sends the origin with every request but a GET. Whether a GET is a call, and then of
 * whose page, is for whoever answers calls.
 *
 * Where it is left to a proxy every request goes on as it is, but for one: a page that came from this very port under a
 * name that is not ours. Who has that name passes by the proxy, and needs no preflight.
 */
export function decideCors(request: CorsRequest, rules: CorsRules): CorsDecision {
  const { origin } = request;
  const vary = rules.leftToProxy ? {} : VARY;
  if (origin === undefined) return { answer: undefined, headers: vary };
  const isSame = isSameHost(origin, request.host);
  const isOwn = isSame && isOwnName(new URL(origin).hostname, rules.hosts);
  const isAllowed = isOwn || (rules.leftToProxy ? !isSame : rules.origins.has(origin));
  if (!isAllowed) return { answer: 403, headers: vary, refusal: refusal(origin, isSame) };
  if (rules.leftToProxy) return { answer: undefined, headers: vary };
  const isPreflight = request.method === "OPTIONS" && request.requestMethod !== undefined;
  if (!isPreflight) {
    return {
      answer: undefined,
      headers: {
        ...vary,
        "access-control-allow-origin": origin,
        "access-control-expose-headers": rules.exposedHeaders,
      },
    };
  }
  return {
    answer: 204,
    headers: {
      ...vary,
      "access-control-allow-origin": origin,
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": rules.allowedHeaders,
      "access-control-max-age": String(PREFLIGHT_AGE_S),
      // From a public page to a private address: who names the origin in a setting has decided on that.
      ...(request.requestPrivateNetwork === "true" ? { "access-control-allow-private-network": "true" } : {}),
    },
    refusedHeaders: (request.requestHeaders ?? "").split(",").map((name) => name.trim().toLowerCase())
      .filter((name) => name !== "" && !rules.headers.has(name)),
  };
}

/** The handler with CORS in front of it. What is refused is logged, a line now and then. */
export function withCors(handler: WireHandler, rules: CorsRules, log: Log): WireHandler {
  const refusedPages = new RareLine(log, "pages of other origins were refused");
  const refusedHeaders = new RareLine(
    log,
    "pages asked to send headers that they may not: CORS_HEADERS does not name them",
  );
  const withoutOrigin = { headers: decideCors(NO_PAGE, rules).headers, answer: undefined };
  return {
    answersAtOnce: (path) => handler.answersAtOnce?.(path) === true,
    http1(request, response, call) {
      const { headers, answer } = decide(request.method ?? "", request.headers.host, request.headers);
      for (const name in headers) response.setHeader(name, headers[name]!);
      if (answer === undefined) return handler.http1(request, response, call);
      sendOverHttp1(response, answer);
    },
    http2(call) {
      const { headers: asked, answerHeaders } = call;
      const { headers, answer } = decide(asked[":method"] ?? "", asked[":authority"] || asked.host, asked);
      for (const name in headers) answerHeaders[name] = headers[name]!;
      if (answer === undefined) return handler.http2(call);
      sendOverHttp2(call, answer);
    },
  };

  function decide(method: string, host: string | undefined, asked: IncomingHttpHeaders): {
    readonly headers: CorsDecision["headers"];
    readonly answer: OwnAnswer | undefined;
  } {
    const { origin, accept, "content-type": contentType } = asked;
    if (origin === undefined) return withoutOrigin;
    const { answer, headers, refusal, refusedHeaders: names = [] } = decideCors({
      method,
      host,
      origin,
      requestMethod: one(asked["access-control-request-method"]),
      requestHeaders: one(asked["access-control-request-headers"]),
      requestPrivateNetwork: one(asked["access-control-request-private-network"]),
    }, rules);
    if (answer === undefined) return { headers, answer };
    if (answer === 204) {
      if (names.length > 0) refusedHeaders.note({ origin: short(origin), headers: short(names.join(", ")) });
      return { headers, answer: { status: 204, headers: {}, body: new Uint8Array() } };
    }
    const message = refusal ?? "";
    refusedPages.note({ reason: message });
    const refused = { code: Code.PermissionDenied, message, status: 403 };
    return { headers, answer: refuseCall({ method, contentType, accept }, refused) };
  }
}

/** What is refused, and which setting allows it. */
function refusal(origin: string, isSameHost: boolean): string {
  const pages = `pages of ${short(origin)} may not call`;
  return isSameHost
    ? `${pages}: they came from this server under a name that ALLOWED_HOSTS does not have`
    : `${pages}: CORS_ORIGINS does not name them, and CORS=proxy does not leave it to a proxy`;
}

function short(text: string): string {
  return text.length <= SAID_CHARACTERS_MAX ? text : `${text.slice(0, SAID_CHARACTERS_MAX)}…`;
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

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
