/** Whose a token is, and what its bearer may do: from its claims, once its signature is verified. Pure. */
import { type Identity, isName } from "./identity.ts";
import type { JwtRules } from "./jwt_rules.ts";
import { isRight, withContained } from "./rights.ts";
import { UnauthenticatedError } from "./verifier.ts";

/** What stands before a right in a token: its issuer has other services too, and a right of theirs is none here. */
export const RIGHT_PREFIX = "holdfast:";

/** The claims, as their issuer wrote them. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The identity. One without a right of ours can be named when it is refused, so it is an identity, too.
 *
 * @throws UnauthenticatedError where `exp` or `sub` is none
 */
export function identityOfClaims(
  { sub, exp, ...claims }: Claims,
  { rightsClaim, clockSkewS }: Pick<JwtRules, "rightsClaim" | "clockSkewS">,
  nowMs: () => number,
): Identity {
  if (typeof sub !== "string" || !isName(sub)) throw new UnauthenticatedError("malformed");
  if (typeof exp !== "number" || !Number.isFinite(exp)) throw new UnauthenticatedError("malformed", sub);
  const endsAtMs = (exp + clockSkewS) * 1000;
  const rights = wordsOf(claims[rightsClaim]).filter((word) => word.startsWith(RIGHT_PREFIX))
    .map((word) => word.slice(RIGHT_PREFIX.length)).filter(isRight);
  return { kind: "jwt", name: sub, rights: withContained(rights), isValid: () => nowMs() < endsAtMs };
}

/** Whose the claims say they are, for the audit line; undefined where that is no name. */
export function subjectOf({ sub }: Claims): string | undefined {
  return typeof sub === "string" && isName(sub) ? sub : undefined;
}

/** Words between spaces (RFC 8693, section 4.2), or an array, as issuers have roles and permissions. */
function wordsOf(claim: unknown): string[] {
  if (typeof claim === "string") return claim.split(" ");
  return Array.isArray(claim) ? claim.filter((word) => typeof word === "string") : [];
}
