/** A verifier of tokens without an issuer behind it. */
import { assertRejects } from "@std/assert";
import { JwtVerifier, TOKENS_KNOWN_MAX } from "../../src/auth/jwt.ts";
import type { JwtRules } from "../../src/auth/jwt_rules.ts";
import { UnauthenticatedError } from "../../src/auth/verifier.ts";

/** What a caller shows who has this token and nothing else. */
export const credentialsOf = (bearer: string, address = "10.0.0.1") => ({ bearer, certificate: undefined, address });

/** Opens one whose key set, clocks and log are the test's; an error in place of the set is what reading it comes to. */
export async function openedVerifier(keySet: string | Error, rules: JwtRules, knownMax = TOKENS_KNOWN_MAX) {
  const state = { keySet, reads: 0, steadyMs: 0, nowMs: Date.now(), lines: [] as string[] };
  const note = (_: Record<string, unknown>, message: string) => void state.lines.push(message);
  const verifier = await JwtVerifier.open(rules, {
    log: { debug: note, info: note, warn: note, error: note },
    random: () => 0.5,
    addressShare: 0.25,
    knownMax,
    steadyMs: () => state.steadyMs,
    nowMs: () => state.nowMs,
    read: () => {
      state.reads++;
      return state.keySet instanceof Error ? Promise.reject(state.keySet) : Promise.resolve(state.keySet);
    },
  });
  const verify = async (token: string) => await verifier.verify(credentialsOf(token));
  const reasonOf = async (token: string) => (await assertRejects(() => verify(token), UnauthenticatedError)).reason;
  return { state, verifier, verify, reasonOf, [Symbol.asyncDispose]: () => verifier.close() };
}
