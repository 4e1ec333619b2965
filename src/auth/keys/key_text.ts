/** Keys as text: `hf_<id>_<secret>`, and what is kept of one. */
import type { Buffer } from "node:buffer";
import { createHash, randomBytes, randomInt } from "node:crypto";

/** What every key begins with, so that those who look for leaked secrets know one. */
export const KEY_PREFIX = "hf_";
/** Of these characters and of this length; says nothing, and is no secret. */
const ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
const KEY = /^hf_([a-z0-9]{12})_[0-9a-f]{64}$/;

/** A new key: shown once, and kept by nobody but its owner. */
export function newKey(): { readonly id: string; readonly key: string } {
  const id = Array.from({ length: ID_LENGTH }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join("");
  return { id, key: `${KEY_PREFIX}${id}_${randomBytes(SECRET_BYTES).toString("hex")}` };
}

/** The id of a key; undefined for what can't be one. */
export function keyId(key: string): string | undefined {
  return KEY.exec(key)?.[1];
}

/** Whether it has the form of an id. */
export function isKeyId(text: string): boolean {
  return /^[a-z0-9]{12}$/.test(text);
}

/**
 * What is kept of a key: the SHA-256 of all its text. Its secret has 256 random bits, which nobody guesses, however
 * fast the hash is.
 */
export function keyHash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
