/**
 * Tokens (JWT, RFC 7519, signed as RFC 7515 has it) of one issuer, with the rules of RFC 8725 and RFC 9068: who signed,
 * for whom, until when, and that it is an access token.
 *
 * A token that was verified is known until it expires or the keys change, so that a caller who shows it again costs a
 * hash. What a token says of where keys are (`jku`, `x5u`, `jwk`, `x5c`) is never looked at.
 */
import { errors, exportJWK, jwtVerify, type JWTVerifyOptions } from "jose";
import { hash } from "node:crypto";
import { Recent } from "../base/recent.ts";
import { AddressPlaces } from "../transport/addresses.ts";
import type { Identity } from "./identity.ts";
import { type Claims, identityOfClaims, subjectOf } from "./jwt_claims.ts";
import { IssuerKeys, type IssuerKeysOptions } from "./jwt_keys.ts";
import type { KeySet } from "./jwt_key_set.ts";
import type { JwtRules } from "./jwt_rules.ts";
import {
  type Credentials,
  type RefusalReason,
  UnauthenticatedError,
  type Verifier,
  VerifierUnavailableError,
} from "./verifier.ts";

/** Longest token, in characters. */
export const TOKEN_CHARACTERS_MAX = 8192;
/** Verified tokens that are known; of more, those that were shown last. */
export const TOKENS_KNOWN_MAX = 10_000;
/**
 * Signatures that are verified at once, in threads of the runtime; each takes a tenth to a third of a millisecond. More
 * of them would keep the event loop from the processor.
 */
const VERIFIED_AT_ONCE = 2;
/** Tokens that wait for it or are at it. */
const UNDER_WAY_MAX = 1_000;
/** Three parts in base64url; the last is empty where it is not signed. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const KEYS_AWAY = "the keys of the tokens' issuer";

/** What the verifier is made of beside the rules; the clocks are for tests. */
export interface JwtVerifierOptions extends Pick<IssuerKeysOptions, "log" | "random" | "read"> {
  /** The part of those that wait for their turn which the tokens of one address may be. */
  readonly addressShare: number;
  /** Of `Date.now()`, for what tokens say of times. */
  readonly nowMs?: () => number;
  /** Runs forward, for the age of the keys. */
  readonly steadyMs?: () => number;
  /** Instead of {@link TOKENS_KNOWN_MAX}; for tests. */
  readonly knownMax?: number;
}

/** Verifies tokens. */
export class JwtVerifier implements Verifier {
  /** By hash, so that no token is kept. */
  readonly #known: Recent<string, Identity>;
  /** A caller's first calls come together; the token is verified once. */
  readonly #underWay = new Map<string, Promise<Identity>>();
  readonly #turns: Promise<unknown>[] = Array.from({ length: VERIFIED_AT_ONCE }, () => Promise.resolve());
  #begun = 0;
  readonly #places: AddressPlaces;
  /** By which the known ones were verified. */
  #knownBy: KeySet | undefined;
  readonly #options: JWTVerifyOptions;

  private constructor(
    private readonly rules: JwtRules,
    private readonly keys: IssuerKeys,
    private readonly nowMs: () => number,
    { knownMax = TOKENS_KNOWN_MAX, addressShare }: Pick<JwtVerifierOptions, "knownMax" | "addressShare">,
  ) {
    this.#known = new Recent(knownMax);
    this.#places = new AddressPlaces(UNDER_WAY_MAX, addressShare);
    const { issuer, audiences, algorithms, clockSkewS } = rules;
    this.#options = {
      issuer,
      audience: [...audiences],
      algorithms: [...algorithms],
      clockTolerance: clockSkewS,
      requiredClaims: ["exp", "sub"],
    };
  }

  /** Reads the issuer's keys and keeps them up. @throws KeySetError for a file of keys that can't be used */
  static async open(rules: JwtRules, options: JwtVerifierOptions): Promise<JwtVerifier> {
    const { nowMs = Date.now, steadyMs, log, random, read } = options;
    const keys = await IssuerKeys.open({
      log,
      random,
      ...(read === undefined ? {} : { read }),
      place: rules.keys,
      ageMsMax: rules.keysAgeMsMax,
      ...(steadyMs === undefined ? {} : { nowMs: steadyMs }),
    });
    return new JwtVerifier(rules, keys, nowMs, options);
  }

  verify({ bearer, address }: Credentials): Identity | undefined | Promise<Identity> {
    if (bearer === undefined) return undefined;
    if (bearer.length > TOKEN_CHARACTERS_MAX) {
      // What is as long is no key, so it was meant for a token.
      throw new UnauthenticatedError("malformed");
    }
    if (!TOKEN.test(bearer)) return undefined;
    const keys = this.keys.current;
    if (keys === undefined) {
      this.keys.ask();
      throw new VerifierUnavailableError(KEYS_AWAY);
    }
    if (keys !== this.#knownBy) {
      this.#known.clear();
      this.#underWay.clear();
      this.#knownBy = keys;
    }
    const id = hash("sha256", bearer, "base64url");
    const known = this.#known.get(id);
    if (known?.isValid()) return known;
    if (known !== undefined) {
      this.#known.delete(id);
      throw new UnauthenticatedError("expired", known.name);
    }
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) return underWay;
    const free = this.#places.take(address);
    if (free === undefined) throw new VerifierUnavailableError("a turn to verify a token");
    const verified = this.#inTurn(() => this.#verifyAnew(id, bearer, keys)).finally(free);
    this.#underWay.set(id, verified);
    return verified;
  }

  close(): Promise<void> {
    return this.keys.close();
  }

  /** How many tokens are known. */
  get known(): number {
    return this.#known.size;
  }

  /** After those before it, whatever came of them. */
  #inTurn(verify: () => Promise<Identity>): Promise<Identity> {
    const turn = this.#begun++ % VERIFIED_AT_ONCE;
    const verified = this.#turns[turn]!.then(verify);
    this.#turns[turn] = verified.catch(() => {});
    return verified;
  }

  async #verifyAnew(id: string, token: string, keys: KeySet): Promise<Identity> {
    try {
      const identity = await this.#identityOf(token, keys);
      if (this.#knownBy === keys) this.#known.set(id, identity);
      return identity;
    } finally {
      if (this.#knownBy === keys) this.#underWay.delete(id);
    }
  }

  async #identityOf(token: string, keys: KeySet): Promise<Identity> {
    try {
      const now = this.nowMs();
      const { payload, protectedHeader: { typ, crit }, key } = await jwtVerify(token, keys.find, {
        ...this.#options,
        currentDate: new Date(now),
      });
      // The library understands one extension, which no token has a use for.
      if (crit !== undefined) throw new UnauthenticatedError("malformed", subjectOf(payload));
      if (!this.rules.types.includes(plainType(typ))) throw new UnauthenticatedError("wrong_type", subjectOf(payload));
      const identity = identityOfClaims(payload, this.rules, this.nowMs);
      const publicKey = await exportJWK(key);
      // A stream outlives the set of keys by which its token was verified, and must not outlive the key.
      const isKeyGood = () => this.keys.latest === keys || this.keys.latest?.has(publicKey) === true;
      return { ...identity, isValid: () => identity.isValid() && isKeyGood() };
    } catch (error) {
      if (error instanceof UnauthenticatedError) throw error;
      if (error instanceof errors.JWKSNoMatchingKey && this.keys.ask()) {
        throw new VerifierUnavailableError(KEYS_AWAY);
      }
      throw refusalOf(error);
    }
  }
}

/** As RFC 7515 has it: a type without a slash means one of `application/`, and case is no matter. */
function plainType(typ: string | undefined): string {
  return (typ ?? "").toLowerCase().replace(/^application\//, "");
}

/** By the claim that is not as it must be. */
const BY_CLAIM: Readonly<Record<string, RefusalReason>> = {
  iss: "wrong_issuer",
  aud: "wrong_audience",
  nbf: "not_yet_valid",
};

/** Why the library refuses a token. Whatever it does not name is a refusal, too. */
function refusalOf(error: unknown): UnauthenticatedError {
  if (error instanceof errors.JWTExpired) {
    return new UnauthenticatedError("expired", subjectOf(error.payload as Claims));
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new UnauthenticatedError(BY_CLAIM[error.claim] ?? "malformed", subjectOf(error.payload as Claims));
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new UnauthenticatedError("wrong_signature");
  if (error instanceof errors.JOSEAlgNotAllowed) return new UnauthenticatedError("wrong_algorithm");
  // No key of the set is the token's, several may be, or the one that is can't be used.
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return new UnauthenticatedError("malformed");
  }
  return new UnauthenticatedError(error instanceof errors.JOSENotSupported ? "malformed" : "unknown");
}
