/** The bearer token of a call (RFC 6750, section 2.1). Pure. */
import { UnauthenticatedError } from "./verifier.ts";

/** Of a header field. A header as a whole is bounded by the listener; no token of ours is nearly as long. */
const CHARACTERS_MAX = 8192;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/**
 * What stands behind `Bearer`; undefined where there is no such field.
 *
 * @throws UnauthenticatedError for what is no bearer token: a caller who brings something wants to be known by it
 */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  // node:http takes the first of several, and node:http2 may have them as a list, whatever its types say.
  if (typeof authorization !== "string") throw new UnauthenticatedError("malformed");
  // By far the most common spelling, without a match.
  if (authorization.startsWith("Bearer hf_")) return authorization.slice("Bearer ".length);
  const found = authorization.length > CHARACTERS_MAX ? undefined : BEARER.exec(authorization)?.[1];
  if (found === undefined) throw new UnauthenticatedError("malformed");
  return found;
}
