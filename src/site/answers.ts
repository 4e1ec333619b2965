/**
 * What a browser is answered that asks for the console: its page at every address of the page, its assets, and nothing
 * else. Whoever reaches the port gets them, as there is no data in them. Pure.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type OwnAnswer, textAnswer } from "../transport/own_answer.ts";
import type { Bundle, ServedFile } from "./bundle.ts";

const ASSETS = "/assets/";
/** The addresses of the page, each with all that is below it; `src/console/shell/route.ts` reads them. */
const ADDRESSES = /^\/(?:(?:goods|orders|system)(?:\/[^?]*)?)?(?:\?|$)/;

/**
 * The page may run its own scripts and call this server, and nothing else: no script or style that stands in the page,
 * none of another origin, no frame, no form. Text becomes HTML or a worker's address through the two named policies
 * alone: lit's templates, and the address of the worker.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html holdfast",
].join("; ");

const FIELDS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** A browser asks each time whether it is still the same. */
const ASKED_AGAIN = "no-cache";
/** The name changes with the content. */
const FOR_GOOD = "public, max-age=31536000, immutable";

const MISSING = `The console is not built here. On the machine of the server, where its sources are, run

    npx -y deno@2.9.3 task console

and start the server again. CONSOLE=off serves nothing here. The API is not concerned.
`;

/** What is shown of a host that a request names, in characters: it is as long as its sender likes. */
const HOST_CHARACTERS_MAX = 100;
const NOT_OURS = (host: string) =>
  `There is no page here under the name ${host.slice(0, HOST_CHARACTERS_MAX)}.

Anybody can have a name of his lead to this server. Where it is one of its own, set ALLOWED_HOSTS to it.
`;

/** What of a request to read the answer depends on. */
export interface PageRequest {
  /** Path and query, as sent. */
  readonly path: string;
  /** As the request names it, with its port or without. */
  readonly host: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What there is to answer with. */
export interface Site {
  /** Undefined: it is not built. */
  readonly bundle: Bundle | undefined;
  /** Whether pages that came from this host may call: under another one they could do nothing. */
  readonly isOwnHost: (host: string | undefined) => boolean;
}

/** The answer; undefined where it is not the console that is asked for. */
export function answerPage({ bundle, isOwnHost }: Site, { path, host, headers }: PageRequest): OwnAnswer | undefined {
  if (ADDRESSES.test(path)) {
    if (!isOwnHost(host)) return textAnswer(403, NOT_OURS(host ?? ""), { ...FIELDS, "cache-control": "no-store" });
    if (bundle === undefined) return textAnswer(503, MISSING, { ...FIELDS, "cache-control": "no-store" });
    return fileAnswer(bundle.page, headers, ASKED_AGAIN);
  }
  if (bundle === undefined || !path.startsWith(ASSETS)) return undefined;
  const file = bundle.assets.get(path.slice(ASSETS.length).split("?", 1)[0]!);
  return file && fileAnswer(file, headers, FOR_GOOD);
}

function fileAnswer(file: ServedFile, headers: IncomingHttpHeaders, caching: string): OwnAnswer {
  const common = { ...FIELDS, "cache-control": caching, "etag": file.tag, "vary": "accept-encoding" };
  if (isKnown(headers["if-none-match"], file.tag)) return { status: 304, headers: common, body: new Uint8Array() };
  const isPacked = file.packed !== undefined && takesGzip(headers["accept-encoding"]);
  return {
    status: 200,
    headers: { ...common, "content-type": file.type, ...isPacked ? { "content-encoding": "gzip" } : {} },
    body: isPacked ? file.packed! : file.bytes,
  };
}

/** Whether it is one of the tags that are known, weakly compared (RFC 9110, section 13.1.2). */
function isKnown(field: string | undefined, tag: string): boolean {
  return field !== undefined &&
    field.split(",").some((each) => each.trim().replace(/^W\//, "") === tag || each.trim() === "*");
}

/** Whether gzip is named without being refused, which is all that browsers and proxies say. */
function takesGzip(field: string | string[] | undefined): boolean {
  return /(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(String(field ?? ""));
}
