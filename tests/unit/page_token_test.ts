/** Tokens of pages: whatever goes in comes out again, and nothing else is taken. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import type { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { PAGE_TOKEN_CHARACTERS_MAX, pageToken, readPageToken } from "../../src/services/page_token.ts";
import { Violations } from "../../src/rpc/errors.ts";

const SHAPE = ["integer", "string", "integer"] as const;
const LIST = { name: "ListThings", query: { goods: [1, 2], newestFirst: true } };
const NUMBER = fc.maxSafeNat();
const TEXT = fc.string({ unit: "grapheme", maxLength: 64 }).filter((text) => !text.includes("\0"));
const KEY = fc.tuple(NUMBER, TEXT, NUMBER);
const QUERY = fc.record({ goods: fc.array(fc.nat()), prefix: fc.string(), newestFirst: fc.boolean() });

/** The key, or what the violation says. */
function read(token: string, list = LIST as { name: string; query: unknown }): unknown {
  const violations = new Violations();
  const key = readPageToken(violations, "page_token", token, list, SHAPE);
  try {
    violations.check();
    return key;
  } catch (error) {
    assertEquals(key, undefined);
    return (error as ConnectError).rawMessage;
  }
}

Deno.test("a key comes out of its token as it went in", () => {
  fc.assert(fc.property(KEY, QUERY, (key, query) => {
    const list = { name: "ListThings", query };
    const token = pageToken(list, key);
    assertMatch(token, /^[A-Za-z0-9_-]+$/);
    assertEquals(read(token, list), JSON.parse(JSON.stringify(key)));
  }));
});

Deno.test("no token is the beginning", () => {
  assertEquals(read(""), undefined);
});

Deno.test("a token of another query, or of another list, is refused", () => {
  fc.assert(fc.property(KEY, QUERY, QUERY, (key, query, other) => {
    fc.pre(JSON.stringify(query) !== JSON.stringify(other));
    const token = pageToken({ name: "ListThings", query }, key);
    assertMatch(String(read(token, { name: "ListThings", query: other })), /one of another query/);
    assertMatch(String(read(token, { name: "ListOthers", query })), /one of another query/);
  }));
});

Deno.test("a token with any one bit changed is refused", () => {
  fc.assert(fc.property(KEY, fc.nat(), (key, at) => {
    const bytes = Buffer.from(pageToken(LIST, key), "base64url");
    const bit = at % (8 * bytes.length);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertMatch(String(read(bytes.toString("base64url"))), /^page_token: expected a token that this list answered/);
  }));
});

Deno.test("a token with a character more, less or changed is refused", () => {
  fc.assert(fc.property(KEY, fc.nat(), fc.constantFrom(..."Aaz09-_=+/ é"), (key, at, character) => {
    const token = pageToken(LIST, key);
    const place = at % token.length;
    for (
      const spoilt of [
        token.slice(0, place) + character + token.slice(place),
        token.slice(0, place) + token.slice(place + 1),
        token.slice(0, place) + character + token.slice(place + 1),
      ]
    ) {
      if (spoilt !== token) assertEquals(typeof read(spoilt), "string", spoilt);
    }
  }));
});

Deno.test("whatever text comes, the answer is a key or a violation", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    if (text !== "") assertMatch(String(read(text)), /^page_token: /);
  }));
});

Deno.test("a token of another version is refused by its number", () => {
  const bytes = Buffer.from(pageToken(LIST, [1, "a", 2]), "base64url");
  bytes[0] = 9;
  assertMatch(String(read(bytes.toString("base64url"))), /one of version 9, where 1 is read/);
});

Deno.test("a token whose key has other types, as one of another release could, is refused", () => {
  for (const key of [[], [1, "a"], ["1", "a", 2], [1, 2, 3], [1.5, "a", 2], [1, "a", 2, 3]]) {
    assertMatch(String(read(pageToken(LIST, key))), /position can't be read/);
  }
});

Deno.test("a token with a key that no row can have is refused, for the database would fail over it", () => {
  for (const key of [[-1, "a", 2], [1, "a", Number.MIN_SAFE_INTEGER], [1, "a\0", 2], [2 ** 53, "a", 2]]) {
    assertMatch(String(read(pageToken(LIST, key))), /position can't be read/);
  }
});

Deno.test("a text that is longer than any token is not looked at", () => {
  const text = "A".repeat(PAGE_TOKEN_CHARACTERS_MAX + 1);
  assertMatch(String(read(text)), new RegExp(`got ${text.length} characters`));
  // The largest keys there are: ids and skus of 64 characters, of 4 bytes each.
  const largest = pageToken(LIST, [2 ** 53 - 1, "😀".repeat(64), 2 ** 53 - 1]);
  assert(largest.length < PAGE_TOKEN_CHARACTERS_MAX, `${largest.length}`);
});
