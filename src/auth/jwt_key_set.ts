/** A key set (RFC 7517) as text: what of it can verify tokens. Pure. */
import { base64url, createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";

/** Largest key set that is read, in bytes; the largest in use have some ten thousand. */
export const KEY_SET_BYTES_MAX = 256 * 1024;
/** Keys in one set: each call of an unknown token looks through them. */
export const KEYS_MAX = 100;
/** Ids of keys that the log names. */
const IDS_NAMED_MAX = 10;
const ID_CHARACTERS_MAX = 64;
/** Kinds of keys of which one half is public. */
const KINDS: ReadonlySet<unknown> = new Set(["RSA", "EC", "OKP"]);

/** Keys that verify. */
export interface KeySet {
  /** Finds the key of a token by its header. Looks at `alg` and `kid` and at nothing else of it. */
  readonly find: JWTVerifyGetKey;
  /** Whether this public key is in it, whatever it is called. */
  has(key: PublicKey): boolean;
  /** How many keys. */
  readonly size: number;
  /** Ids for the log: printable, cut, the first of them. */
  readonly ids: readonly string[];
}

/** What a public key consists of, as a JWK has it. */
export type PublicKey = Readonly<Partial<Record<"kty" | "crv" | "n" | "e" | "x" | "y", unknown>>>;

/** A key set that can't be used; the message says what was expected, and repeats nothing of it. */
export class KeySetError extends Error {
  override name = "KeySetError";
}

/**
 * Reads a key set. Keys that are for something else (encryption, other kinds) are left out.
 *
 * @throws KeySetError
 */
export function parseKeySet(text: string): KeySet {
  const all = keysOf(text);
  if (all.length > KEYS_MAX) throw new KeySetError(`has ${all.length} keys, expected ${KEYS_MAX} or fewer`);
  const keys = all.filter(isForSignatures);
  if (keys.length === 0) throw new KeySetError(`none of its ${all.length} keys verifies signatures (RSA, EC or OKP)`);
  if (keys.some((key) => key.d !== undefined)) {
    throw new KeySetError("contains a private key, expected public ones: whoever reads it could sign tokens");
  }
  const contents = new Set(keys.map(contentOf));
  return {
    find: createLocalJWKSet({ keys } as unknown as JSONWebKeySet),
    has: (key) => contents.has(contentOf(key)),
    size: keys.length,
    ids: idsOf(keys),
  };
}

type Key = Readonly<Record<string, unknown>>;

function keysOf(text: string): Key[] {
  const expected = `expected a key set, {"keys": [...]}`;
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new KeySetError(`is no JSON, ${expected}`);
  }
  const keys = typeof set === "object" && set !== null ? (set as { keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys)) throw new KeySetError(`has no array "keys", ${expected}`);
  if (!keys.every((key) => typeof key === "object" && key !== null && !Array.isArray(key))) {
    throw new KeySetError(`"keys" contains what is no object, ${expected}`);
  }
  return keys;
}

/**
 * What the key is, however it is written: the members that RFC 7638 takes for a thumbprint, by what they come to. Some
 * issuers pad their base64url, or have zeros before a number, which a key that was read shows no more.
 */
function contentOf({ kty, crv, n, e, x, y }: PublicKey): string {
  if (kty === "RSA") return JSON.stringify([kty, numberOf(n), numberOf(e)]);
  return JSON.stringify([kty, crv, numberOf(x), ...(kty === "EC" ? [numberOf(y)] : [])]);
}

/** The bytes from the first that is not 0, in base64url; what is no base64url stays: it is in no key that verifies. */
function numberOf(member: unknown): unknown {
  const text = typeof member === "string" ? member.replace(/={1,2}$/, "") : "";
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return member;
  const bytes = base64url.decode(text);
  const begin = bytes.findIndex((byte) => byte !== 0);
  return base64url.encode(bytes.subarray(begin === -1 ? bytes.length : begin));
}

function isForSignatures({ kty, use }: Key): boolean {
  return KINDS.has(kty) && (use === undefined || use === "sig");
}

function idsOf(keys: readonly Key[]): string[] {
  return keys.flatMap(({ kid }) => typeof kid === "string" ? [kid] : []).slice(0, IDS_NAMED_MAX)
    .map((id) => id.slice(0, ID_CHARACTERS_MAX).replace(/[^ -~]/g, "?"));
}
