/** Tests of the log-in that is bound to a certificate: what it answers to, and what it refuses. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { BoundLogin, certificateHash } from "../../src/store/postgres/bound_login.ts";
import { ReplyError } from "../../src/store/postgres/reply_guard.ts";

/** Certificates as base64 of their DER, and the hash that each is bound by. */
const CERTIFICATES: Record<string, { der: string; hash: string | undefined }> = {
  "ECDSA with SHA-256": {
    hash: "sha256",
    der: "MIIBbjCCARWgAwIBAgIUOf1V+KeWp2bL764vA4vBtSkf9qMwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjgwNzE0" +
      "NDRaGA8yMTI2MTEwNDA3MTQ0NFowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH0SxrwfD2CZGn1oR35Y" +
      "k9/bUo/GG9CbHnArCfTQjKGuJqoRQGo8S2lXCcnckKguNAltPWquVVyXjdW/C8qlgIajUzBRMB0GA1UdDgQWBBTt0yAHOQFUKxaz" +
      "E77k+V8k/I0ZyzAfBgNVHSMEGDAWgBTt0yAHOQFUKxazE77k+V8k/I0ZyzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA" +
      "MEQCIDbXflFVzzXXfs/kZqdMV0UjDH7aqCpaDbz0I73emDLtAiBA3aq5Q/uwdXR+/fraEBQYFvBQPoETmPYY9qeKB+mImg==",
  },
  "ECDSA with SHA-384": {
    hash: "sha384",
    der: "MIIBbzCCARWgAwIBAgIUefpNpVZJDCTnrVucox2QDUYoDJwwCgYIKoZIzj0EAwMwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjgwNzE0" +
      "NDRaGA8yMTI2MTEwNDA3MTQ0NFowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLMYbtvtsR7l+43lI2Aa" +
      "3UmaqvZolX82StOgFSnGTgpWDD6FIff1W4eoj9u5TSy0kydFJ7DmW4AAVMXvgR+wjxyjUzBRMB0GA1UdDgQWBBQIEqKEAAP0lrdK" +
      "RQcGJNQyeMjh4zAfBgNVHSMEGDAWgBQIEqKEAAP0lrdKRQcGJNQyeMjh4zAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMDA0gA" +
      "MEUCICcsrjDc91Ntg3pWZn53crE2RdyxUKC41j1Hlij3N0G1AiEA1ttpuMGgMsdeaNKaLJXBGNitpgkFkirm76odvTZiozw=",
  },
  "RSA with SHA-512": {
    hash: "sha512",
    der: "MIIB9jCCAV+gAwIBAgIUR5H/RNxipm+MHEDUQCsdbEOIFSIwDQYJKoZIhvcNAQENBQAwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjgw" +
      "NzE0NDRaGA8yMTI2MTEwNDA3MTQ0NFowDDEKMAgGA1UEAwwBeDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEApe0qjoB8OFkA" +
      "6GQ2MNcmxH4Rjk1m0x/4kqpbBW3CQ8fRJAJnFxLYMvEq8r1HwtOIhSmymdrdpDBtVaI87LtVBp3TLbqIXX1tcp/WE57oegL3Yqri" +
      "ztKbntb0u7g+j6cBaf8mysYMaWd6fPTvvFeZO0lsbuaX+EmaIxRvcD/DPbMCAwEAAaNTMFEwHQYDVR0OBBYEFNPoY77sYBKBmjcp" +
      "bTy7T5dI8rIeMB8GA1UdIwQYMBaAFNPoY77sYBKBmjcpbTy7T5dI8rIeMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQENBQAD" +
      "gYEAlqHIyoSL13mXZwpOcecGwcTJEcrJRaBj4dBkO2Ts8CoDbHBe9bGi15w5MW3ndYK6HAUaOp0wYQHjasWvkJBWD/ASzS/9ambp" +
      "DKHllVXJwfOn4EY2Tv//AXld4nTn9mxcglYpMiCtz6vSciPG9fA/GsCdqx6ufDa04grAXGsco/I=",
  },
  "Ed25519, which has no hash of its own": {
    hash: undefined,
    der: "MIIBLjCB4aADAgECAhRTsv4F56ec0CoFcdWCqP43vsckQDAFBgMrZXAwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjgwNzE0NDRaGA8y" +
      "MTI2MTEwNDA3MTQ0NFowDDEKMAgGA1UEAwwBeDAqMAUGAytlcAMhAE4ZTpDnJ1VQ1zHtqVzw6pLdF9JxsBDGVRZwxyWbhuPWo1Mw" +
      "UTAdBgNVHQ4EFgQUFyJxsSXV8HyoKAFTUNG763dxmtMwHwYDVR0jBBgwFoAUFyJxsSXV8HyoKAFTUNG763dxmtMwDwYDVR0TAQH/" +
      "BAUwAwEB/zAFBgMrZXADQQDYRkzYcLtkx50j5hJ4LsezgS+rsPmidWAuU/Brbsc17SVax/hzqo5/I8sfP8s+ffJVkRdQ7D7RsEB7" +
      "UrsSJewC",
  },
};
const CERTIFICATE = Buffer.from(CERTIFICATES["ECDSA with SHA-256"]!.der, "base64");
const PASSWORD = "hunter2";
const NONCE = "abc";

for (const [what, { der, hash }] of Object.entries(CERTIFICATES)) {
  Deno.test(`certificateHash() of one by ${what}`, () => {
    const bytes = Buffer.from(der, "base64");
    if (hash === undefined) assertThrows(() => certificateHash(bytes), ReplyError);
    else assertEquals(certificateHash(bytes).toString("hex"), createHash(hash).update(bytes).digest("hex"));
  });
}

Deno.test("certificateHash() throws nothing but its own error for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(200), (noise, at) => {
    const bytes = Buffer.concat([CERTIFICATE.subarray(0, at), noise]);
    try {
      certificateHash(bytes);
    } catch (error) {
      assert(error instanceof ReplyError, `${error}`);
    }
  }));
});

function message(type: string, ...parts: (number | string)[]): Buffer {
  const payload = Buffer.concat(parts.map((part) => {
    if (typeof part === "string") return Buffer.from(part);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(part);
    return bytes;
  }));
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length + 4);
  return Buffer.concat([Buffer.from(type), length, payload]);
}

const ASKED = message("R", 10, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
const FIRST = `r=${NONCE}def,s=${Buffer.from("salt").toString("base64")},i=4096`;
const CONTINUED = message("R", 11, FIRST);
const OK = message("R", 0);
const NOTICE = message("N", "SNOTICE\0\0");
const BEHIND = Buffer.concat([message("S", "server_version\x0015\0"), message("Z", "I")]);

/** A log-in, and all that it sent. */
function begin(): { login: BoundLogin; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const send = (bytes: Buffer) => void sent.push(bytes);
  return { login: new BoundLogin({ certificate: CERTIFICATE, password: PASSWORD, nonce: NONCE, send }), sent };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** What a server that knows the password says last, to who was bound to `certificate`. */
function final(certificate = CERTIFICATE): Buffer {
  const bound = Buffer.concat([Buffer.from("p=tls-server-end-point,,"), certificateHash(certificate)]).toString(
    "base64",
  );
  const signed = `n=,r=${NONCE},${FIRST},c=${bound},r=${NONCE}def`;
  const salted = pbkdf2Sync(PASSWORD, "salt", 4096, 32, "sha256");
  return message("R", 12, `v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`);
}

Deno.test("the driver sees that it was let in, and nothing of how, however the bytes are cut", () => {
  const all = Buffer.concat([ASKED, NOTICE, CONTINUED, final(), OK, BEHIND]);
  fc.assert(fc.property(fc.array(fc.nat(all.length), { maxLength: 8 }), (cuts) => {
    const { login, sent } = begin();
    const passed: Buffer[] = [];
    const places = [0, ...cuts.sort((a, b) => a - b), all.length];
    for (let i = 1; i < places.length; i++) passed.push(login.take(all.subarray(places[i - 1], places[i])));
    assertEquals(Buffer.concat(passed).toString("hex"), Buffer.concat([NOTICE, OK, BEHIND]).toString("hex"));
    assertEquals(sent.length, 2);
    assert(sent[0]!.toString().includes(`SCRAM-SHA-256-PLUS\0`) && sent[0]!.toString().endsWith(`n=,r=${NONCE}`));
    assert(/c=[^,]+,r=abcdef,p=/.test(sent[1]!.toString()));
  }));
});

const REFUSED: Record<string, readonly Buffer[]> = {
  "no question for a password": [OK],
  "the password in clear": [message("R", 3)],
  "SCRAM that can't be bound": [message("R", 10, "SCRAM-SHA-256\0\0")],
  "an answer to somebody else": [ASKED, message("R", 11, FIRST.replace(NONCE, "xyz"))],
  "no proof of its own": [ASKED, CONTINUED, OK],
  "another proof": [ASKED, CONTINUED, message("R", 12, "v=AAAA")],
  "the proof to who saw another certificate": [
    ASKED,
    CONTINUED,
    final(Buffer.from(CERTIFICATES["ECDSA with SHA-384"]!.der, "base64")),
  ],
};

for (const [what, messages] of Object.entries(REFUSED)) {
  Deno.test(`a server that comes with ${what} is refused`, () => {
    const { login, sent } = begin();
    assertThrows(() => messages.forEach((each) => login.take(each)), ReplyError);
    assert(!sent.some((bytes) => bytes.includes(PASSWORD)), "the password was sent");
  });
}
