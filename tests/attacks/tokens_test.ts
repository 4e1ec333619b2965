/**
 * Tokens that nobody has issued, or for somebody else, sent to the real program: none of them moves a unit, and all of
 * them are answered the same.
 */
import { assert, assertEquals } from "@std/assert";
import { createHmac } from "node:crypto";
import { startServer, type TestServer } from "../support/server.ts";
import { callHeaders, FLAG, FRAME, frame } from "../support/http2_frames.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { AUDIENCE, encoded, forged, ISSUER, newIssuer } from "../support/tokens.ts";
import { eventually } from "../support/eventually.ts";

/** `:status 400` by the static table of HPACK (RFC 7541, appendix A). */
const STATUS_400 = 0x80 | 12;
const PATH = "/inventory.v1.InventoryService/";
const AWAY = "503 unavailable credentials can't be checked now";
const REFUSED = "401 unauthenticated the call has no credentials that are valid here";

Deno.test("no forged, foreign or old token is taken, and a good one is", async () => {
  const [issuer, rsa, stranger] = [await newIssuer(), await newIssuer("key-2", "RS256"), await newIssuer()];
  const keySet = JSON.stringify({ keys: [issuer.publicKey, rsa.publicKey] });
  const asked: string[] = [];
  let answer = "<html>";
  await using keys = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response(answer);
  });
  const place = `http://127.0.0.1:${keys.addr.port}`;
  const env = { AUTH: "keys,jwt", JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS: `${place}/jwks` };
  await using server = await startServer({ env });
  const operator = await issuer.token({ sub: "ops", scope: ["holdfast:operator"] });
  const good = await rsa.token();
  // The issuer answers garbage at first. Nobody waits for it, and once it is well, nobody has to do anything.
  assertEquals(await call(server, "InvDetail", { goodsId: 1 }, good), AWAY);
  assertEquals(await call(server, "InvDetail", { goodsId: 1 }, "hf_nobody"), REFUSED);
  answer = keySet;
  await eventually(async () => await call(server, "InvDetail", { goodsId: 1 }, good) !== AWAY, "keys");
  asked.splice(0);
  assertEquals(await call(server, "SetInv", { goodsId: 1, num: 10 }, operator), "200");
  assertEquals(await call(server, "Sell", { orderId: "A", goodsInfo: [{ goodsId: 1, num: 1 }] }, good), "200");
  assertEquals(
    await call(server, "SetInv", { goodsId: 1, num: 99 }, good),
    "403 permission_denied the right stocker is missing",
  );

  const nowS = Math.floor(Date.now() / 1000);
  const [header, claims, signature] = good.split(".") as [string, string, string];
  const hmac = (key: string) => {
    const signed = `${encoded({ alg: "HS256", typ: "at+jwt", kid: "key-2" })}.${claims}`;
    return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  };
  const own = { jku: `${place}/mine`, x5u: `${place}/mine`, jwk: stranger.publicKey, x5c: ["AA=="] };
  const bad: Record<string, string | Promise<string>> = {
    "alg none": forged({ alg: "none", typ: "at+jwt" }, JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/")))),
    "alg none, signed": forged({ alg: "None", typ: "at+jwt" }, { sub: "ops" }, signature),
    "HS256 by the public key": hmac(rsa.publicPem),
    "HS256 by the modulus": hmac(rsa.publicKey.n!),
    "another audience": issuer.token({ aud: "shop" }),
    "another issuer": issuer.token({ iss: "https://evil.example/" }),
    expired: issuer.token({ exp: nowS - 3600 }),
    "not yet": issuer.token({ nbf: nowS + 3600 }),
    "without an end": issuer.token({ exp: undefined }),
    "of another type": issuer.token({}, { typ: "JWT" }),
    "keys of its own": stranger.token({ scope: "holdfast:operator" }, own),
    "a path for an id": stranger.token({}, { kid: "../../../../proc/self/environ" }),
    "a statement for an id": stranger.token({}, { kid: "x'; drop table api_keys; --" }),
    "what must be understood": forged({ alg: "ES256", kid: "key-1", crit: ["x"], x: 1 }, { sub: "ops" }, signature),
    "changed claims": `${header}.${encoded({ sub: "ops", exp: nowS + 600 })}.${signature}`,
    "no signature": `${header}.${claims}.`,
    huge: "e".repeat(8000) + ".e.e",
    "deep JSON": `${encoded("[".repeat(3000))}.${claims}.${signature}`,
    garbage: "~.!.?",
    "five parts": "a.b.c.d.e",
    dots: "...",
    "a key of nobody": `hf_${"a".repeat(12)}_${"b".repeat(52)}`,
  };
  for (const [what, token] of Object.entries(bad)) {
    for (const method of ["Sell", "SetInv", "InvDetail", "NoSuchMethod"]) {
      const body = { goodsId: 1, num: 77, goodsInfo: [{ goodsId: 1, num: 1 }] };
      assertEquals(await call(server, method, body, await token), REFUSED, `${what}: ${method}`);
    }
  }
  assert(asked.every((path) => path === "/jwks"), `keys were asked for at ${asked}`);
  assert(asked.length <= 1, "made-up keys had the set read again and again");

  // Two at once, of which the first or the second is good: whoever stands between may have looked at the other.
  const evil = await stranger.token({ scope: "holdfast:operator" });
  for (const pair of [[good, evil], [evil, good], [good, good]]) {
    assertEquals(await sendTwo(server.port, pair), "HTTP/1.1 400 Bad Request");
  }
  assertEquals(await sendTwoOverHttp2(server.port), STATUS_400);
  assertEquals(await call(server, "InvDetail", { goodsId: 1 }, good), "200");
  for (const words of [`"reason":"unavailable"`, "is no JSON, expected a key set"]) {
    await eventually(() => server.output.stderr.includes(words), `${words} is in the log`);
  }
  const { stderr } = server.output;
  for (const secret of [good, operator, signature, evil.split(".")[2]!]) assert(!stderr.includes(secret));
});

/** Status, code and text of what a call comes to; of one that succeeds the status alone. */
async function call({ url }: TestServer, method: string, body: unknown, token: string): Promise<string> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch(url + PATH + method, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (response.ok) return `${response.status}`;
  const { code, message } = JSON.parse(text);
  return `${response.status} ${code} ${message}`;
}

async function sendTwo(port: number, tokens: readonly string[]): Promise<string> {
  const peer = await RawPeer.http1(port);
  const lines = tokens.map((token) => `authorization: Bearer ${token}\r\n`).join("");
  const body = '{"goodsId":1}';
  peer.send(
    `POST ${PATH}InvDetail HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${lines}` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  await peer.closed;
  return peer.text.split("\r\n")[0]!;
}

/** The first byte of the answer's header. */
async function sendTwoOverHttp2(port: number): Promise<number> {
  const peer = await RawPeer.http2(port);
  const more = ["Bearer a", "Bearer b"].map((value) => ["authorization", value] as const);
  peer.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, callHeaders(`${PATH}InvDetail`, more)));
  await peer.until(() => peer.got(FRAME.headers), "an answer");
  const { payload } = peer.frames.find(({ type }) => type === FRAME.headers)!;
  await peer.leave();
  return payload[0]!;
}
