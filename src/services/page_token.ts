/**
 * Tokens of pages: where a list goes on, as a text that callers hand back as it is. Pure.
 *
 * base64url of: the version (1 byte), a fingerprint of the query (8), a checksum of the rest (8), and the key, as JSON.
 * There is no secret in it: whoever makes one up gets a page of the list that could be asked for anyway, and the key is
 * checked as all that callers send. The checksum finds what was cut or mistyped.
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Violations } from "../rpc/errors.ts";

/** What is written in tokens now; another version is refused, for its key may mean something else. */
const VERSION = 1;
const FINGERPRINT_BYTES = 8;
const CHECKSUM_BYTES = 8;
const HEAD_BYTES = 1 + FINGERPRINT_BYTES + CHECKSUM_BYTES;
/** Longest token that is looked at; a key has a few numbers and ids. */
export const PAGE_TOKEN_CHARACTERS_MAX = 1024;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** Of lists that somebody still has: a stream makes tokens for as long as it lasts. */
const FINGERPRINTS = new WeakMap<PagedList, Buffer>();

/** What a key is made of, in its sequence: the values of the last row by which the list is sorted. */
export type PageKey = readonly (string | number)[];

/**
 * The same as types: a key is taken only if it has exactly these. Integers are safe ones from 0 on, as ids, versions
 * and times are; a location may also be -1, before all that there are. Strings are without U+0000. What is made up must
 * not fail in the database, which has nothing else.
 */
export type PageKeyShape = readonly (keyof typeof IS_OF_TYPE)[];

const IS_OF_TYPE = {
  string: (value: unknown) => typeof value === "string" && !value.includes("\0"),
  integer: (value: unknown) => isInteger(value, 0),
  location: (value: unknown) => isInteger(value, -1),
} as const;

/** The values that a shape stands for. */
export type KeyOf<S extends PageKeyShape> = { readonly [I in keyof S]: S[I] extends "string" ? string : number };

/**
 * Whose pages they are: the list's name, and everything that decides what is in it and how it is sorted. What differs
 * from page to page, such as the page's size, is left out. Equal lists have equal JSON.
 */
export interface PagedList {
  readonly name: string;
  readonly query: unknown;
}

/** The token of the page that begins behind this key. */
export function pageToken(list: PagedList, key: PageKey): string {
  return sealToken(list, JSON.stringify(key));
}

/** The token of a list, or of a stream, that contains this text, which may be the bytes of it. */
export function sealToken(list: PagedList, content: string | Uint8Array): string {
  const text = typeof content === "string" ? Buffer.from(content) : content;
  const fingerprint = fingerprintOf(list);
  return Buffer.concat([Buffer.of(VERSION), fingerprint, checksumOf(fingerprint, text), text]).toString("base64url");
}

/**
 * The key in a token that a caller sent. Undefined: the field is empty, and the list begins; or the token is none of
 * this list, which is added to the violations.
 */
export function readPageToken<const S extends PageKeyShape>(
  violations: Violations,
  field: string,
  token: string,
  list: PagedList,
  shape: S,
): KeyOf<S> | undefined {
  if (token === "") return undefined;
  const read = readToken(token, list, shape);
  if (typeof read !== "string") return read;
  violations.add(field, `expected a token that this list answered, got ${read}`);
  return undefined;
}

/** The key, or what is wrong with the token. */
function readToken<S extends PageKeyShape>(token: string, list: PagedList, shape: S): KeyOf<S> | string {
  const opened = openToken(token, list, PAGE_TOKEN_CHARACTERS_MAX);
  if ("wrong" in opened) return opened.wrong;
  const key = parse(opened.text);
  return isOfShape(key, shape) ? key as unknown as KeyOf<S> : "one whose position can't be read";
}

/** The text in a token, or what is wrong with it: it is another list's, was changed, or is longer than that. */
export function openToken(
  token: string,
  list: PagedList,
  charactersMax: number,
): { readonly text: string } | { readonly wrong: string } {
  const wrong = wrongOf(token, list, charactersMax);
  if (wrong !== undefined) return { wrong };
  return { text: Buffer.from(token, "base64url").subarray(HEAD_BYTES).toString() };
}

function wrongOf(token: string, list: PagedList, charactersMax: number): string | undefined {
  if (token.length > charactersMax) return `${token.length} characters`;
  const bytes = BASE64URL.test(token) ? Buffer.from(token, "base64url") : Buffer.alloc(0);
  // One text for one token: base64 lets the last character differ in bits that count for nothing.
  if (bytes.length <= HEAD_BYTES || bytes.toString("base64url") !== token) return "what is no token";
  if (bytes[0] !== VERSION) return `one of version ${bytes[0]}, where ${VERSION} is read`;
  const fingerprint = bytes.subarray(1, 1 + FINGERPRINT_BYTES);
  const text = bytes.subarray(HEAD_BYTES);
  if (!checksumOf(fingerprint, text).equals(bytes.subarray(1 + FINGERPRINT_BYTES, HEAD_BYTES))) {
    return "one that was changed on its route";
  }
  if (!fingerprint.equals(fingerprintOf(list))) return "one of another query: filters and sort must stay the same";
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOfShape(key: unknown, shape: PageKeyShape): boolean {
  return Array.isArray(key) && key.length === shape.length &&
    shape.every((type, i) => IS_OF_TYPE[type](key[i]));
}

function isInteger(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && value as number >= min;
}

function fingerprintOf(list: PagedList): Buffer {
  const known = FINGERPRINTS.get(list);
  if (known !== undefined) return known;
  const { name, query } = list;
  const fingerprint = sha256(JSON.stringify([name, query])).subarray(0, FINGERPRINT_BYTES);
  FINGERPRINTS.set(list, fingerprint);
  return fingerprint;
}

function checksumOf(fingerprint: Uint8Array, text: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(VERSION), fingerprint, text])).subarray(0, CHECKSUM_BYTES);
}

function sha256(content: string | Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}
