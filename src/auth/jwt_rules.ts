/** What a token must be, as the settings have it. Pure. */

/**
 * Algorithms by which tokens may be signed: those with a key that the issuer alone has. Neither `none` nor HS256 and
 * its like, whose key would be at once what verifies and what signs.
 */
export const JWT_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
export type JwtAlgorithm = typeof JWT_ALGORITHMS[number];

/** Where the issuer's keys are. */
export type KeysPlace = { readonly url: string } | { readonly file: string };

/** What a token must be. */
export interface JwtRules {
  /** Its `iss`, to the character. */
  readonly issuer: string;
  /** One of these is in its `aud`. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  /** Its `typ` is one of these, in lower case and without `application/`. */
  readonly types: readonly string[];
  /** Which claim has the rights: words between spaces, or an array of them. */
  readonly rightsClaim: string;
  /** How far the clocks of issuer and server may be apart, in seconds. */
  readonly clockSkewS: number;
  readonly keys: KeysPlace;
  /** So long the keys are good without an answer of their place, in ms. */
  readonly keysAgeMsMax: number;
}
