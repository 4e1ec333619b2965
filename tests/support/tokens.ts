/** An issuer of tokens: its keys, and tokens that are as they must be but for what a test changes. */
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";
import type { JwtRules } from "../../src/auth/jwt_rules.ts";

export const ISSUER = "https://issuer.example/";
export const AUDIENCE = "holdfast";

/** What the server's settings would be; the keys are where the test has them. */
export const RULES: JwtRules = {
  issuer: ISSUER,
  audiences: [AUDIENCE],
  algorithms: ["RS256", "ES256", "EdDSA"],
  types: ["at+jwt"],
  rightsClaim: "scope",
  clockSkewS: 30,
  keys: { url: "https://issuer.example/jwks" },
  keysAgeMsMax: 3_600_000,
};

/** An issuer with one key. */
export interface Issuer {
  readonly publicKey: JWK;
  /** The public key as PEM, as attackers have it. */
  readonly publicPem: string;
  /** The key set as its address answers it. */
  readonly keySet: string;
  /** A token by this key; undefined takes a claim or a field of the header away. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

/** Makes one, with a new key. */
export async function newIssuer(kid = "key-1", alg = "ES256"): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...await exportJWK(publicKey), kid, alg, use: "sig" };
  return {
    publicKey: jwk,
    publicPem: await exportSPKI(publicKey),
    keySet: JSON.stringify({ keys: [jwk] }),
    token(claims = {}, header = {}) {
      const nowS = Math.floor(Date.now() / 1000);
      const all = { iss: ISSUER, aud: AUDIENCE, sub: "orders", iat: nowS, exp: nowS + 600, scope: "holdfast:seller" };
      const fields = { alg, typ: "at+jwt", kid, ...header };
      return new SignJWT(JSON.parse(JSON.stringify({ ...all, ...claims })))
        .setProtectedHeader(JSON.parse(JSON.stringify(fields))).sign(privateKey);
    },
  };
}

/** A token whose parts are these, whoever may have signed it. */
export function forged(header: unknown, claims: unknown, signature = ""): string {
  return [encoded(header), encoded(claims), signature].join(".");
}

/** Of an object or a text, in base64url. */
export function encoded(part: unknown): string {
  const text = typeof part === "string" ? part : JSON.stringify(part);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
