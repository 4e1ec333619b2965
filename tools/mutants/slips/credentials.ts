/** Slips with tokens and with certificates of clients. */
import type { Slip } from "../plant.ts";

const TOKENS = ["tests/unit/jwt_test.ts"];
const KEYS = ["tests/unit/jwt_keys_test.ts"];
const NAMES = ["tests/unit/certificate_names_test.ts"];
const CERTIFICATES = ["tests/unit/client_certificates_test.ts"];

export const CREDENTIAL_SLIPS: readonly Slip[] = [
  {
    file: "src/auth/jwt.ts",
    find: "identity.isValid() && isKeyGood()",
    replace: "identity.isValid()",
    rule: "who was verified by a key that the issuer has taken back is no longer valid",
    tests: KEYS,
  },
  {
    file: "src/auth/jwt.ts",
    find: "if (!this.rules.types.includes(plainType(typ)))",
    replace: "if (false)",
    rule: "a token is an access token",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt_claims.ts",
    find: "|| !Number.isFinite(exp)",
    replace: "",
    rule: "a token has an end, and 1e400 is none",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt.ts",
    find: "if (keys !== this.#knownBy) {",
    replace: "if (this.#knownBy === undefined) {",
    rule: "a token whose key was taken back is no longer known",
    tests: KEYS,
  },
  {
    file: "src/auth/jwt.ts",
    find: "if (known?.isValid()) return known;",
    replace: "if (known?.name) return known;",
    rule: "a known token ends at its end",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt.ts",
    find: "if (free === undefined)",
    replace: "if (false)",
    rule: "only so many tokens wait for their turn",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt_claims.ts",
    find: "isName(sub)) throw",
    replace: "sub === undefined) throw",
    rule: "a token's subject is a name that the ledger can have",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt_claims.ts",
    find: ".filter((word) => word.startsWith(RIGHT_PREFIX))\n    .map((word) => word.slice(RIGHT_PREFIX.length))",
    replace: ".map((word) => word.replace(RIGHT_PREFIX, ''))",
    rule: "a right of another service is none here",
    tests: TOKENS,
  },
  {
    file: "src/auth/jwt_keys.ts",
    find: "this.#nowMs() - this.#readAtMs <= this.options.ageMsMax",
    replace: "true",
    rule: "the issuer's keys are good for a bounded time without it",
    tests: KEYS,
  },
  {
    file: "src/auth/jwt_keys.ts",
    find: "const isDue = this.#nowMs() - this.#begunAtMs >= ASKED_PAUSE_MS;",
    replace: "const isDue = true;",
    rule: "made-up keys have the set read now and then only",
    tests: KEYS,
  },
  {
    file: "src/auth/jwt_key_set.ts",
    find: "if (keys.some((key) => key.d !== undefined)) {",
    replace: "if (false) {",
    rule: "a set with a private key is not taken",
    tests: KEYS,
  },
  {
    file: "src/auth/client_certificates.ts",
    find: "const isVerified = socket.isSessionReused()",
    replace: "const isVerified = false as boolean",
    rule: "a resumed session says nothing of its certificate",
    tests: CERTIFICATES,
  },
  {
    file: "src/auth/client_certificates.ts",
    find: "if (!this.isVerified || !this.#isOfAuthority())",
    replace: "if (!this.isVerified)",
    rule: "an authority that was taken back counts no more, on connections that are there",
    tests: CERTIFICATES,
  },
  {
    file: "src/auth/client_certificates.ts",
    find: `now > this.#endsAtMs ? "expired"`,
    replace: `false ? "expired"`,
    rule: "a certificate ends on a connection that is there",
    tests: CERTIFICATES,
  },
  {
    file: "src/auth/certificate_names.ts",
    find: "hasAlternatives: alternatives.length > 0,",
    replace: "hasAlternatives: names.some(({ tag }) => tag === URI || tag === DNS_NAME),",
    rule: "a common name beside alternative names of any kind is for people",
    tests: NAMES,
  },
  {
    file: "src/auth/certificate_names.ts",
    find: "byte >= least.charCodeAt(0) && byte <= 0x7e",
    replace: "byte <= 0x7e",
    rule: "a name with a NUL in it is none",
    tests: NAMES,
  },
  {
    file: "src/auth/mtls.ts",
    find: "if (listed.length > 1)",
    replace: "if (false)",
    rule: "a certificate of several listed names is nobody's",
    tests: NAMES,
  },
  {
    file: "src/auth/mtls.ts",
    find: "const isOneTooMany = candidates.length > 1 && (isSpiffe || !hasAlternatives);",
    replace: "const isOneTooMany = false;",
    rule: "a SPIFFE ID stands alone",
    tests: NAMES,
  },
];
