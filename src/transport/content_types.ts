/**
 * The protocol of a call, by the content type of its request. More is taken for a call here than is answered: an
 * unknown suffix is still a client of that protocol, which wants its refusal in the protocol's words. Pure.
 */

/**
 * How a call is spoken. The calls of Connect with one message in each direction are bare messages, its streams have
 * frames.
 */
export type Protocol = "grpc" | "grpc-web" | "connect" | "connect-stream";

const PROTOCOLS: readonly (readonly [RegExp, Protocol])[] = [
  [/^application\/grpc-web(-text)?(\+|;|$)/, "grpc-web"],
  [/^application\/grpc(\+|;|$)/, "grpc"],
  [/^application\/connect\+/, "connect-stream"],
  [/^application\/(json|proto)(;|$)/, "connect"],
];

const WEB_BYTES = /^application\/grpc-web(\+|;|$)/;
const WEB_TEXT = /^application\/grpc-web-text(\+|;|$)/;

/** Undefined for what is no call. */
export function protocolOf(contentType: string | undefined): Protocol | undefined {
  const type = plain(contentType);
  return PROTOCOLS.find(([pattern]) => pattern.test(type))?.[1];
}

/** Whether messages are JSON, in any of the protocols. */
export function isJson(contentType: string | undefined): boolean {
  return /^application\/([a-z-]+\+)?json(;|$)/.test(plain(contentType));
}

/**
 * Which sides of a gRPC-web call are base64: most clients say the same of both, and who says nothing of the answer too.
 */
export function textSides(
  contentType: string | undefined,
  accept: string | undefined,
): { readonly request: boolean; readonly answer: boolean } {
  if (protocolOf(contentType) !== "grpc-web") return { request: false, answer: false };
  const request = WEB_TEXT.test(plain(contentType));
  const accepted = (accept ?? "").split(",").map(plain);
  const isBytes = accepted.some((type) => WEB_BYTES.test(type));
  return { request, answer: accepted.some((type) => WEB_TEXT.test(type)) || (request && !isBytes) };
}

function plain(type: string | undefined): string {
  return (type ?? "").trim().toLowerCase().replace(/\s*;/, ";");
}
