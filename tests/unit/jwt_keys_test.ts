/** Which keys of the issuer tokens are verified by, as it adds some, takes some back, and is away. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { base64url } from "jose";
import { ASKED_PAUSE_MS } from "../../src/auth/jwt_keys.ts";
import { KEYS_MAX, KeySetError, parseKeySet } from "../../src/auth/jwt_key_set.ts";
import { VerifierUnavailableError } from "../../src/auth/verifier.ts";
import { openedVerifier } from "../support/jwt_verifier.ts";
import { newIssuer, RULES } from "../support/tokens.ts";

const issuer = await newIssuer();
const rsa = await newIssuer("key-2", "RS256");
const stranger = await newIssuer();
const both = JSON.stringify({ keys: [issuer.publicKey, rsa.publicKey] });

const opened = (keySet: string | Error = both, rules = RULES) => openedVerifier(keySet, rules);

Deno.test("the id of a key is compared and nothing else is made of it", async () => {
  await using by = await opened();
  by.state.steadyMs = ASKED_PAUSE_MS - 1;
  for (const kid of ["../../../../etc/passwd", "' OR 1=1 --", "|id", "__proto__", "\u0000key-1", "key-1 ", ["key-1"]]) {
    const reason = await by.reasonOf(await issuer.token({}, { kid }));
    assert(["unknown", "malformed"].includes(reason), String(kid));
  }
  assertEquals(by.state.reads, 1);
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
