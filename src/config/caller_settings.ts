/** The settings of tokens and of client certificates, and what of them must be there together. Pure. */
import type { IdentityKind } from "../auth/identity.ts";
import { JWT_ALGORITHMS, type JwtAlgorithm, type JwtRules, type KeysPlace } from "../auth/jwt_rules.ts";
import { isCertificateName, type MtlsRules } from "../auth/mtls_rules.ts";
import { isRight, RIGHTS, withContained } from "../auth/rights.ts";
import { AddressError } from "./address_text.ts";
import { isLoopbackHost } from "./auth_setting.ts";
import { duplicates, eachOf, splitList } from "./lists.ts";

/** Callers that one setting may name. */
const NAMES_MAX = 1000;
/** Audiences, and types. */
const WORDS_MAX = 20;

/** What each kind needs to be set, and the names of all that are for it alone. */
const NEEDED: Readonly<Partial<Record<IdentityKind, readonly string[]>>> = {
  jwt: ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS"],
  mtls: ["TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", "MTLS_RIGHTS"],
};
const OF_KIND: Readonly<Partial<Record<IdentityKind, readonly string[]>>> = {
  jwt: [
    ...NEEDED.jwt!,
    "JWT_ALGORITHMS",
    "JWT_TYPES",
    "JWT_RIGHTS_CLAIM",
    "JWT_CLOCK_SKEW_S",
    "JWT_JWKS_AGE_MS_MAX",
  ],
  mtls: ["TLS_CLIENT_CA_FILE", "MTLS_RIGHTS"],
};

/** Where the issuer's keys are: an address or a path. Throws AddressError. */
export function parseKeysPlace(text: string): KeysPlace {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return { file: text };
  const expected = "expected the address of the issuer's keys such as https://issuer.example/jwks.json, or a path";
  if (!/^https?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) throw new AddressError([expected]);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw new AddressError([`${expected}, without a user, a password or a #`]);
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new AddressError(["expected https, as whoever changes the keys on the way could sign tokens"]);
  }
  return { url: url.href };
}

/** Algorithms between commas. Throws AddressError. */
export function parseAlgorithms(text: string): readonly JwtAlgorithm[] {
  const known: readonly string[] = JWT_ALGORITHMS;
  return eachOf(splitList(text), (entry) => {
    if (known.includes(entry)) return entry as JwtAlgorithm;
    throw new AddressError([
      `expected algorithms out of ${
        known.join(", ")
      }; none and HS256 and its like are refused, as whoever can verify ` +
      "by them can sign",
    ]);
  });
}

/** Words of visible ASCII between commas. Throws AddressError. */
export function parseWords(text: string): readonly string[] {
  const words = splitList(text);
  if (words.length > WORDS_MAX || !words.every((word) => /^[!-~]{1,256}$/.test(word))) {
    throw new AddressError([`expected up to ${WORDS_MAX} words of 1 to 256 visible ASCII characters between commas`]);
  }
  return words;
}

/** Types of tokens, in the form in which they are compared. Throws AddressError. */
export function parseTypes(text: string): readonly string[] {
  return parseWords(text).map((word) => word.toLowerCase().replace(/^application\//, ""));
}

/** Who of a certificate may do what: `spiffe://shop/orders=seller,dns:pos.shop=seller+stocker`. Throws AddressError. */
export function parseMtlsRights(text: string): MtlsRules["rights"] {
  const entries = splitList(text);
  if (entries.length > NAMES_MAX) throw new AddressError([`has ${entries.length} entries, expected ${NAMES_MAX}`]);
  const pairs = eachOf(entries, (entry) => {
    const end = entry.lastIndexOf("=");
    const name = entry.slice(0, Math.max(0, end));
    const rights = entry.slice(end + 1).split("+");
    if (!isCertificateName(name)) {
      throw new AddressError([
        "expected a name and its rights such as spiffe://shop/orders=seller, dns:pos.shop.example=reader or " +
        "cn:till=seller+stocker; spiffe and dns in lower case, 128 characters at most",
      ]);
    }
    if (!rights.every(isRight)) throw new AddressError([`expected rights out of ${RIGHTS.join(", ")} with + between`]);
    return [name, withContained(rights)] as const;
  });
  const twice = duplicates(pairs.map(([name]) => name));
  if (twice.length > 0) {
    throw new AddressError(twice.map(({ place, first }) => `entry ${place} has the name of entry ${first}`));
  }
  return new Map(pairs);
}

type Given = Readonly<Record<string, unknown>>;

/** What is missing of what the kinds of AUTH need. */
export function callerProblems(auth: readonly IdentityKind[], given: Given): string[] {
  return auth.flatMap((kind) =>
    (NEEDED[kind] ?? []).filter((name) => given[name] === undefined).map((name) =>
      `${name}: expected, as AUTH has ${kind}`
    )
  );
}

/** The settings that are set for a kind that AUTH has not. */
export function unusedOfCallers(auth: readonly string[], given: ReadonlySet<string>): string[] {
  return Object.entries(OF_KIND).flatMap(([kind, names]) =>
    auth.includes(kind)
      ? []
      : names.filter((name) => given.has(name)).map((name) => `${name} changes nothing: AUTH has no ${kind}`)
  );
}

/** The settings that the rules are made of. */
export interface CallerSettings {
  readonly AUTH?: readonly IdentityKind[] | undefined;
  readonly JWT_ISSUER?: string | undefined;
  readonly JWT_AUDIENCE?: readonly string[] | undefined;
  readonly JWT_JWKS?: KeysPlace | undefined;
  readonly JWT_ALGORITHMS: readonly JwtAlgorithm[];
  readonly JWT_TYPES: readonly string[];
  readonly JWT_RIGHTS_CLAIM: string;
  readonly JWT_CLOCK_SKEW_S: number;
  readonly JWT_JWKS_AGE_MS_MAX: number;
  readonly TLS_CLIENT_CA_FILE?: string | undefined;
  readonly MTLS_RIGHTS?: MtlsRules["rights"] | undefined;
}

/** What a token must be; undefined where none is taken. */
export function jwtRulesOf(settings: CallerSettings): JwtRules | undefined {
  const { AUTH = [], JWT_ISSUER: issuer, JWT_AUDIENCE: audiences, JWT_JWKS: keys } = settings;
  if (!AUTH.includes("jwt") || issuer === undefined || audiences === undefined || keys === undefined) return undefined;
  return {
    issuer,
    audiences,
    keys,
    algorithms: settings.JWT_ALGORITHMS,
    types: settings.JWT_TYPES,
    rightsClaim: settings.JWT_RIGHTS_CLAIM,
    clockSkewS: settings.JWT_CLOCK_SKEW_S,
    keysAgeMsMax: settings.JWT_JWKS_AGE_MS_MAX,
  };
}

/** Whose certificates count; undefined where none is asked for. */
export function mtlsRulesOf(settings: CallerSettings): MtlsRules | undefined {
  const { AUTH = [], TLS_CLIENT_CA_FILE: caFile, MTLS_RIGHTS: rights } = settings;
  if (!AUTH.includes("mtls") || caFile === undefined || rights === undefined) return undefined;
  return { caFile, rights };
}
