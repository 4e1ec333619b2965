/** Which tokens are taken, which are refused and why, and how long those that were verified are known. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import type { Identity } from "../../src/auth/identity.ts";
import { TOKEN_CHARACTERS_MAX } from "../../src/auth/jwt.ts";
import { identityOfClaims } from "../../src/auth/jwt_claims.ts";
import { UnauthenticatedError, VerifierUnavailableError } from "../../src/auth/verifier.ts";
import { credentialsOf, openedVerifier } from "../support/jwt_verifier.ts";
import { encoded, forged, ISSUER, newIssuer, RULES } from "../support/tokens.ts";

const issuer = await newIssuer();
const rsa = await newIssuer("key-2", "RS256");
const stranger = await newIssuer();
const both = JSON.stringify({ keys: [issuer.publicKey, rsa.publicKey] });

const opened = (keySet = both, rules = RULES, knownMax?: number) => openedVerifier(keySet, rules, knownMax);

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
