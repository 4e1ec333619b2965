/** Which tokens are taken, which are refused and why, and what becomes of them while the issuer's keys are away. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { base64url } from "jose";
import { createHmac } from "node:crypto";
import type { Identity } from "../../src/auth/identity.ts";
import { JwtVerifier, TOKEN_CHARACTERS_MAX, TOKENS_KNOWN_MAX } from "../../src/auth/jwt.ts";
import { identityOfClaims } from "../../src/auth/jwt_claims.ts";
import { ASKED_PAUSE_MS } from "../../src/auth/jwt_keys.ts";
import { KEYS_MAX, KeySetError, parseKeySet } from "../../src/auth/jwt_key_set.ts";
import { UnauthenticatedError, VerifierUnavailableError } from "../../src/auth/verifier.ts";
import { encoded, forged, ISSUER, newIssuer, RULES } from "../support/tokens.ts";

const issuer = await newIssuer();
const rsa = await newIssuer("key-2", "RS256");
const stranger = await newIssuer();
const both = JSON.stringify({ keys: [issuer.publicKey, rsa.publicKey] });

const credentialsOf = (bearer: string, address = "10.0.0.1") => ({ bearer, certificate: undefined, address });

/** A verifier whose key set, clocks and log are the test's. */
async function opened(keySet: string | Error = both, rules = RULES, knownMax = TOKENS_KNOWN_MAX) {
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

Deno.test("a token of the issuer is an identity with the rights in it, by both kinds of keys", async () => {
  await using by = await opened();
  const cases: [token: Promise<string>, rights: string[]][] = [
    [issuer.token(), ["seller", "reader"]],
    [rsa.token({ scope: "openid holdfast:stocker seller other:operator" }), ["stocker", "reader"]],
    [issuer.token({ scope: ["holdfast:operator", 7] }), ["operator", "reader", "seller", "stocker"]],
    [issuer.token({ scope: "operator Holdfast:operator holdfast:operator2 holdfast:" }), []],
    [issuer.token({ scope: undefined }), []],
    [issuer.token({ scope: { "holdfast:operator": true } }), []],
    [issuer.token({}, { typ: "application/AT+jwt" }), ["seller", "reader"]],
    [issuer.token({ aud: ["else", "holdfast"], exp: Math.floor(Date.now() / 1000) - 20 }), ["seller", "reader"]],
    [issuer.token({}, { kid: undefined }), ["seller", "reader"]],
  ];
  for (const [token, rights] of cases) {
    const identity = await by.verify(await token) as Identity;
    assertEquals([identity.kind, identity.name, [...identity.rights]], ["jwt", "orders", rights]);
    assert(identity.isValid());
  }
});

Deno.test("a token that is not as it must be is refused, with the reason for the audit", async () => {
  await using by = await opened();
  const nowS = Math.floor(Date.now() / 1000);
  const good = await issuer.token();
  const [header, claims, signature] = good.split(".") as [string, string, string];
  const hmac = (key: string, fields: Record<string, unknown> = { alg: "HS256", typ: "at+jwt", kid: "key-2" }) => {
    const signed = `${encoded(fields)}.${claims}`;
    return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  };
  const cases: [what: string, token: string | Promise<string>, reason: string][] = [
    ["not signed", forged({ alg: "none", typ: "at+jwt" }, { sub: "orders" }), "wrong_algorithm"],
    ["none in capitals", forged({ alg: "NoNe", kid: "key-1" }, { sub: "orders" }, signature), "wrong_algorithm"],
    ["the public key as a secret", hmac(rsa.publicPem), "wrong_algorithm"],
    ["the public key as a secret, as JWK", hmac(JSON.stringify(rsa.publicKey)), "wrong_algorithm"],
    ["an algorithm that is not pinned", (await newIssuer("key-1", "ES384")).token(), "wrong_algorithm"],
    ["an algorithm of another key", issuer.token({}, { kid: "key-2" }), "unknown"],
    ["another's key under that id", stranger.token(), "wrong_signature"],
    ["a key that it brings itself", stranger.token({}, { jwk: stranger.publicKey }), "wrong_signature"],
    ["a place of keys that it names", stranger.token({}, { jku: "http://127.0.0.1:1/", x5u: "x" }), "wrong_signature"],
    ["other claims", `${header}.${encoded({ sub: "root" })}.${signature}`, "wrong_signature"],
    ["no signature", `${header}.${claims}.`, "wrong_signature"],
    ["half a signature", `${header}.${claims}.${signature.slice(0, 40)}`, "wrong_signature"],
    ["what must be understood", forged({ alg: "ES256", typ: "at+jwt", crit: ["exp"], exp: 1 }, {}, "AA"), "malformed"],
    ["what the library understands", issuer.token({}, { crit: ["b64"], b64: true }), "malformed"],
    ["another issuer", issuer.token({ iss: "https://issuer.example" }), "wrong_issuer"],
    ["no issuer", issuer.token({ iss: undefined }), "wrong_issuer"],
    ["several issuers", issuer.token({ iss: [ISSUER] }), "wrong_issuer"],
    ["another audience", issuer.token({ aud: "shop" }), "wrong_audience"],
    ["no audience", issuer.token({ aud: undefined }), "wrong_audience"],
    ["over, and the skew too", issuer.token({ exp: nowS - 31 }), "expired"],
    ["not yet", issuer.token({ nbf: nowS + 60 }), "not_yet_valid"],
    ["without an end", issuer.token({ exp: undefined }), "malformed"],
    ["an end that is no number", issuer.token({ exp: "2099-01-01" }), "malformed"],
    ["a token of identity", issuer.token({}, { typ: "JWT" }), "wrong_type"],
    ["no type", issuer.token({}, { typ: undefined }), "wrong_type"],
    ["no subject", issuer.token({ sub: undefined }), "malformed"],
    ["a subject that is no name", issuer.token({ sub: "a,b" }), "malformed"],
    ["a subject with a line", issuer.token({ sub: "a\nb" }), "malformed"],
    ["a subject too long", issuer.token({ sub: "x".repeat(129) }), "malformed"],
    ["no JSON", `${encoded("{")}.${claims}.${signature}`, "malformed"],
    ["an array", `${encoded([])}.${claims}.${signature}`, "malformed"],
    ["too long", "x".repeat(TOKEN_CHARACTERS_MAX + 1), "malformed"],
  ];
  for (const [what, token, reason] of cases) assertEquals(await by.reasonOf(await token), reason, what);
  assertEquals([by.verifier.known, by.state.reads], [0, 1]);
  assert(await by.verify(good));

  // None of these is a token: they are left to whoever else may know them.
  for (const text of ["hf_0123_abc", "a.b", "a.b.c.d.e", "a b.c.d", "..", "ä.b.c", ""]) {
    assertEquals(await by.verify(text), undefined, text);
  }
});

Deno.test("an end without an end is none: 1e400 is Infinity in JSON", () => {
  const claims = JSON.parse('{"sub": "orders", "exp": 1e400}');
  assertThrows(() => identityOfClaims(claims, RULES, Date.now), UnauthenticatedError);
});

Deno.test("the id of a key is compared and nothing else is made of it", async () => {
  await using by = await opened();
  by.state.steadyMs = ASKED_PAUSE_MS - 1;
  for (const kid of ["../../../../etc/passwd", "' OR 1=1 --", "|id", "__proto__", "\u0000key-1", "key-1 ", ["key-1"]]) {
    const reason = await by.reasonOf(await issuer.token({}, { kid }));
    assert(["unknown", "malformed"].includes(reason), String(kid));
  }
  assertEquals(by.state.reads, 1);
});

Deno.test("a token that was verified is known until its end, by its hash, and none that was not", async () => {
  await using by = await opened();
  const token = await issuer.token();
  const credentials = credentialsOf(token);
  // Both come before the first is verified: one verification.
  const [first, second] = [by.verifier.verify(credentials), by.verifier.verify(credentials)];
  assert(first instanceof Promise && first === second);
  const identity = await first;
  assert(by.verifier.verify(credentials) === identity, "it was verified again, or is answered later");
  by.state.nowMs += 640_000;
  assert(!identity!.isValid());
  assertEquals(assertThrows(() => by.verifier.verify(credentials), UnauthenticatedError).reason, "expired");
  assertEquals(await by.reasonOf(token), "expired");
  assertEquals(by.verifier.known, 0);
});

Deno.test("of tokens that come at once only so many wait for their turn, and each gets its own answer", async () => {
  const quick = await newIssuer("key-1", "EdDSA");
  await using by = await opened(quick.keySet);
  const [header, , signature] = (await quick.token()).split(".");
  const good = await quick.token({ sub: "behind them" });
  const ask = (bearer: string, address: string) => {
    try {
      return Promise.resolve(by.verifier.verify(credentialsOf(bearer, address))).catch((error) => error.reason);
    } catch (error) {
      assert(error instanceof VerifierUnavailableError);
      return "no turn";
    }
  };
  const floodOf = (address: string) =>
    Array.from(
      { length: 400 },
      (_, i) => ask(`${header}.${encoded({ sub: `${address} ${i}` })}.${signature}`, address),
    );
  const flood = floodOf("10.0.0.1");
  assertEquals(ask(good, "10.0.0.1"), "no turn");
  const behind = ask(good, "10.0.0.2");
  flood.push(...["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"].flatMap(floodOf));
  const results = await Promise.all(flood);
  // A quarter of a thousand for each address; of the last there is none left.
  assertEquals(results.filter((result) => result === "wrong_signature").length, 999);
  assertEquals(results.filter((result) => result === "no turn").length, 1001);
  assertEquals((await behind).name, "behind them");
  assertEquals((await by.verify(good))?.name, "behind them");
});

Deno.test("a key that the issuer has taken back verifies nothing, not even what is known", async () => {
  await using by = await opened();
  const [token, other] = [await issuer.token(), await rsa.token()];
  assert(await by.verify(token) && await by.verify(other));
  by.state.keySet = JSON.stringify({ keys: [rsa.publicKey] });
  by.state.steadyMs += ASKED_PAUSE_MS;
  // A made-up id has the keys read, and is asked to come again, as it may be that of a new key.
  await assertRejects(async () => await by.verify(await issuer.token({}, { kid: "x" })), VerifierUnavailableError);
  await untilReads(by.state, 2);
  assertEquals(await by.reasonOf(token), "unknown");
  assert(await by.verify(other));
  // Further ones cause no further read before the pause is over.
  for (let i = 0; i < 50; i++) assertEquals(await by.reasonOf(await issuer.token({}, { kid: `x${i}` })), "unknown");
  assertEquals(by.state.reads, 2);
});

Deno.test("who was verified by a key that the issuer has taken back is no longer valid, and others are", async () => {
  await using by = await opened();
  const [own, other] = [await by.verify(await issuer.token()), await by.verify(await rsa.token())];
  assert(own!.isValid() && other!.isValid());
  // The same key under another name is the same key.
  by.state.keySet = JSON.stringify({ keys: [stranger.publicKey, { ...rsa.publicKey, kid: "renamed" }] });
  by.state.steadyMs = ASKED_PAUSE_MS;
  await assertRejects(async () => await by.verify(await issuer.token({}, { kid: "x" })), VerifierUnavailableError);
  await untilReads(by.state, 2);
  assert(!own!.isValid() && other!.isValid());
  // While the issuer is away what is known stays, and so does who was verified by it.
  by.state.steadyMs += RULES.keysAgeMsMax + 1;
  assert(other!.isValid());
});

Deno.test("a key is the same one however the issuer writes its numbers", async () => {
  const edwards = await newIssuer("key-3", "EdDSA");
  const issuers = [issuer, rsa, edwards];
  for (const write of [paddedBase64url, withLeadingZero]) {
    const written = issuers.map(({ publicKey: { n, e, x, y, ...key } }) => {
      // Of these the bytes are the key, and a zero more is another one.
      const writeNumber = key.kty === "OKP" ? paddedBase64url : write;
      const numbers = Object.entries({ n, e, x, y }).filter(([, value]) => value !== undefined);
      return { ...key, ...Object.fromEntries(numbers.map(([name, value]) => [name, writeNumber(value!)])) };
    });
    await using by = await opened(JSON.stringify({ keys: written }));
    const identities = await Promise.all(issuers.map(async (each) => await by.verify(await each.token())));
    const readAnew = async (keys: readonly object[]) => {
      const { reads } = by.state;
      by.state.keySet = JSON.stringify({ keys });
      by.state.steadyMs += ASKED_PAUSE_MS;
      await assertRejects(async () => await by.verify(await issuer.token({}, { kid: "x" })), VerifierUnavailableError);
      await untilReads(by.state, reads + 1);
      return identities.map((identity) => identity!.isValid());
    };
    assertEquals(await readAnew([stranger.publicKey, ...written]), [true, true, true]);
    assertEquals(await readAnew(issuers.map(({ publicKey }) => publicKey)), [true, true, true]);
    assertEquals(await readAnew([stranger.publicKey, written[1]!]), [false, true, false]);
  }
});

Deno.test("a new key is found by the first token that it signed", async () => {
  await using by = await opened(issuer.keySet);
  by.state.keySet = both;
  by.state.steadyMs += ASKED_PAUSE_MS;
  const token = await rsa.token();
  const error = await assertRejects(() => by.verify(token), VerifierUnavailableError);
  assertEquals(error.what, "the keys of the tokens' issuer");
  await untilReads(by.state, 2);
  assertEquals((await by.verify(token))?.name, "orders");
});

Deno.test("keys are good for so long without their issuer, and then for nothing until it answers again", async () => {
  await using by = await opened();
  const token = await issuer.token();
  const ask = async () => {
    by.state.steadyMs += ASKED_PAUSE_MS;
    const reads = by.state.reads;
    await by.verify(await stranger.token({}, { kid: "x" })).catch(() => {});
    await untilReads(by.state, reads + 1);
  };
  assert(await by.verify(token));
  by.state.keySet = new KeySetError("can't be reached");
  await ask();
  assert(await by.verify(token));
  by.state.steadyMs = RULES.keysAgeMsMax;
  assert(await by.verify(token));
  by.state.steadyMs++;
  for (let i = 0; i < 3; i++) await assertRejects(() => by.verify(token), VerifierUnavailableError);
  const old =
    "the issuer's keys are older than JWT_JWKS_AGE_MS_MAX, and tokens can't be verified until they can be read again";
  assertEquals(by.state.lines.filter((line) => line === old).length, 1);
  by.state.keySet = both;
  by.state.steadyMs += ASKED_PAUSE_MS;
  const { reads } = by.state;
  await assertRejects(() => by.verify(token), VerifierUnavailableError);
  await untilReads(by.state, reads + 1);
  assert(await by.verify(token));
  assert(by.state.lines.includes("the issuer's keys can be read again"));
});

Deno.test("without keys at the start tokens can't be verified, and a file of keys has to be right", async () => {
  await using by = await opened(new KeySetError("can't be reached"));
  await assertRejects(async () => await by.verify(await issuer.token()), VerifierUnavailableError);
  // Whoever is not of this kind is not kept by it.
  assertEquals(await by.verify("hf_0123_abc"), undefined);
  await assertRejects(() => opened("{}", { ...RULES, keys: { file: "/keys" } }), KeySetError, 'no array "keys"');
});

Deno.test("only so many tokens are known, and those that are shown stay", async () => {
  await using by = await opened(both, RULES, 2);
  const tokens: string[] = [];
  for (const sub of ["a", "b", "c"]) tokens.push(await issuer.token({ sub }));
  const isKnown = (index: number) => !(by.verifier.verify(credentialsOf(tokens[index]!)) instanceof Promise);
  await by.verify(tokens[0]!);
  await by.verify(tokens[1]!);
  assert(isKnown(0));
  await by.verify(tokens[2]!);
  assertEquals([by.verifier.known, isKnown(0), isKnown(2)], [2, true, true]);
  assert(!isKnown(1));
  await by.verify(tokens[1]!);
});

Deno.test("of a key set only public keys for signatures are taken, and not too many", () => {
  const key = issuer.publicKey;
  assertEquals(parseKeySet(JSON.stringify({ keys: [key, { kty: "oct", k: "x" }, { ...key, use: "enc" }] })).size, 1);
  assertEquals(parseKeySet(JSON.stringify({ keys: [{ ...key, kid: "é\n" }] })).ids, ["??"]);
  // A key that is none keeps nobody from the others.
  const odd = ["A", "A===", "a+b/", "=".repeat(100_000), 7, null, {}].map((n) => ({ kty: "RSA", n, e: "AQAB" }));
  assert(parseKeySet(JSON.stringify({ keys: [...odd, key] })).has(key));
  const many = JSON.stringify({ keys: Array(KEYS_MAX + 1).fill(key) });
  const cases: [text: string, problem: string][] = [
    ["<html>", "is no JSON"],
    ["null", 'has no array "keys"'],
    [`{"keys": {}}`, 'has no array "keys"'],
    [`{"keys": [1]}`, '"keys" contains what is no object'],
    [`{"keys": []}`, "none of its 0 keys"],
    [`{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}`, "none of its 1 keys"],
    [many, `has ${KEYS_MAX + 1} keys`],
    [JSON.stringify({ keys: [{ ...key, d: "secret" }] }), "contains a private key"],
  ];
  for (const [text, problem] of cases) {
    const { message } = assertThrows(() => parseKeySet(text), KeySetError, problem);
    assert(!message.includes("secret"));
  }
});

function paddedBase64url(text: string): string {
  return text + "=".repeat((4 - text.length % 4) % 4);
}

function withLeadingZero(text: string): string {
  return base64url.encode(new Uint8Array([0, ...base64url.decode(text)]));
}

/** Until so many reads were begun and the latest is through, which takes some turns of its promises. */
async function untilReads(state: { readonly reads: number }, reads: number): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  assertEquals(state.reads, reads);
}
