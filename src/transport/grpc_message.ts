/**
 * The spelling of `grpc-message` (the gRPC protocol over HTTP/2, "Status-Message"): only bytes outside 0x20 to 0x7E and
 * `%` are percent-encoded. Connect encodes whatever a URL would, which is read the same by whoever decodes all of it; but
 * grpc-js decodes with decodeURI, and shows `%3A` for a colon.
 */

/** What is encoded without need: the printable ASCII characters but `%`, and at either end a space, which would get lost. */
const NEEDLESS = /(?!^%20|%20$)%(2[0-46-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/g;

/** The same text with nothing encoded that need not be. */
export function respellGrpcMessage(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  return encoded.replace(NEEDLESS, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
