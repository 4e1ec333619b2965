/**
 * Which pages may call, and with which headers: what the settings say, made ready for each request. Knows header names
 * only, no service and no path.
 */
import { cors } from "@connectrpc/connect";
import { REQUEST_ID_HEADER } from "../exchange.ts";

/** What is set. */
export interface CorsSettings {
  /**
   * As a browser writes them: lower case, no path, no default port. `https://*.shop.example` is every name under
   * shop.example, at any depth, and not shop.example itself.
   */
  readonly origins: readonly string[];
  /**
   * Names, in lower case, under which this server has pages of its own, beside loopback names and every address. Any
   * other name that leads here may be somebody's who points his domain at this machine (DNS rebinding): his page calls
   * the very host that it came from, so the request's own host, which he chose, proves nothing.
   */
  readonly hosts: readonly string[];
  /** Headers, in lower case, that pages may send beside the usual ones. */
  readonly headers?: readonly string[];
  /** True: a proxy in front decides which pages may call, and answers preflights. Nothing is added to answers then. */
  readonly leftToProxy?: boolean;
}

/** The same, ready for use. */
export interface CorsRules {
  readonly origins: Origins;
  readonly hosts: ReadonlySet<string>;
  /** All that pages may send, in lower case. */
  readonly headers: ReadonlySet<string>;
  /** The same as a field's value, and what pages may read. */
  readonly allowedHeaders: string;
  readonly exposedHeaders: string;
  readonly leftToProxy: boolean;
}

/** What a page's own code and its libraries send beside what the protocols need: who is calling, and traces. */
const USUAL_HEADERS: readonly string[] = [
  "authorization",
  "accept",
  "accept-language",
  "cache-control",
  "pragma",
  "x-requested-with",
  // Which goods a call is of, for a balancer.
  "x-holdfast-goods",
  // Against forged requests, and for requests that are sent again.
  "x-csrf-token",
  "x-xsrf-token",
  "idempotency-key",
  // W3C Trace Context and Baggage, and their draft for answers.
  "traceparent",
  "tracestate",
  "baggage",
  // Zipkin, Jaeger, Datadog, Sentry, New Relic, Elastic, Azure, Google and AWS.
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "uber-trace-id",
  "x-datadog-trace-id",
  "x-datadog-parent-id",
  "x-datadog-origin",
  "x-datadog-sampling-priority",
  "x-datadog-tags",
  "sentry-trace",
  "newrelic",
  "elastic-apm-traceparent",
  "request-id",
  "request-context",
  "x-cloud-trace-context",
  "x-amzn-trace-id",
  REQUEST_ID_HEADER,
  "x-correlation-id",
  // Of older versions of Google's client, whose tutorial names them.
  "content-transfer-encoding",
  "grpc-accept-encoding",
  "grpc-encoding",
  "x-accept-content-transfer-encoding",
  "x-accept-response-streaming",
];

const EXPOSED_HEADERS = [...cors.exposedHeaders, "Grpc-Encoding", REQUEST_ID_HEADER].join(", ");

/** Reads the settings once. */
export function corsRules({ origins, hosts, headers = [], leftToProxy = false }: CorsSettings): CorsRules {
  const allowed = new Set([...cors.allowedHeaders, ...USUAL_HEADERS, ...headers].map((name) => name.toLowerCase()));
  return {
    origins: originsOf(origins),
    hosts: new Set(hosts),
    headers: allowed,
    allowedHeaders: [...allowed].join(", "),
    exposedHeaders: EXPOSED_HEADERS,
    leftToProxy,
  };
}

/** What of a set of origins is asked for. */
export interface Origins {
  has(origin: string): boolean;
}

/**
 * The origins, each in the form in which a browser sends it: each by itself, and `https://*.shop.example` for every
 * host below `shop.example`.
 */
function originsOf(allowed: readonly string[]): Origins {
  const exact = new Set(allowed);
  const below = allowed.flatMap((origin) => {
    const [scheme, name] = origin.split("://*.");
    return name === undefined ? [] : [{ front: `${scheme}://`, end: `.${name}` }];
  });
  return {
    has(origin) {
      if (exact.has(origin)) return !origin.includes("*");
      return below.some(({ front, end }) =>
        origin.startsWith(front) && origin.endsWith(end) && isName(origin.slice(front.length, -end.length))
      );
    },
  };
}

/** Nothing but labels: what a browser puts in front of a name, and no port, path or user of somebody's. */
function isName(text: string): boolean {
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text);
}
