/** What two files must contain to serve a handshake, and what is said of those that don't. */
import { assert, assertEquals } from "@std/assert";
import { daysLeft, isEndNear } from "../../src/tls/expiry.ts";
import { type CertificateFacts, readKeyPair } from "../../src/tls/key_pair.ts";
import { trialHandshake } from "../../src/tls/trial_handshake.ts";
import * as pem from "../support/tls/pems.ts";

const NOW_MS = Date.parse("2030-06-01T00:00:00Z");
const DAY_MS = 24 * 3600 * 1000;
const CERTIFICATES = "expected a chain as PEM (-----BEGIN CERTIFICATE-----), the server's own first";
const KEYS = "expected one as PEM (-----BEGIN PRIVATE KEY-----)";
const HALF = pem.CERTIFICATE.slice(0, 300);
const UNREADABLE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

Deno.test("readKeyPair() says what is wrong with a file, and what was expected", () => {
  const ofCertificate: [cert: string, problem: string][] = [
    ["", `holds no certificate but nothing, ${CERTIFICATES}`],
    [" \r\n", `holds no certificate but nothing, ${CERTIFICATES}`],
    ["certificate", `holds no certificate but no PEM at all, ${CERTIFICATES}`],
    [der(pem.CERTIFICATE), `holds no certificate but binary data (DER or PKCS#12), ${CERTIFICATES}`],
    [pem.KEY, `holds no certificate but PRIVATE KEY, ${CERTIFICATES}`],
    [relabelled("CERTIFICATE REQUEST"), `holds no certificate but CERTIFICATE REQUEST, ${CERTIFICATES}`],
    [HALF, `is cut off, ${CERTIFICATES}`],
    [pem.ISSUED + HALF, `is cut off, ${CERTIFICATES}`],
    [HALF + pem.CERTIFICATE, `is cut off, ${CERTIFICATES}`],
    [UNREADABLE, `certificate 1 of 1 can't be read, ${CERTIFICATES}`],
    [pem.ISSUED + UNREADABLE, `certificate 2 of 2 can't be read, ${CERTIFICATES}`],
    [pem.EXPIRED, "the certificate has expired, on 2021-01-01T00:00:00.000Z"],
    [pem.NOT_YET_VALID, "the certificate is not valid before 2125-01-01T00:00:00.000Z"],
    [pem.AUTHORITY + pem.ISSUED, "the key belongs to certificate 2 of 2, expected the server's own first"],
  ];
  for (const [cert, problem] of ofCertificate) {
    assertEquals(problems(cert, pem.KEY), [{ file: "cert", problem }], cert);
  }
  const ofKey: [key: string, problem: string][] = [
    ["", `holds no private key but nothing, ${KEYS}`],
    ["key", `holds no private key but no PEM at all, ${KEYS}`],
    [der(pem.KEY), `holds no private key but binary data (DER or PKCS#12), ${KEYS}`],
    [pem.CERTIFICATE, `holds no private key but CERTIFICATE, ${KEYS}`],
    [pem.KEY.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY"), `holds no private key but OPENSSH PRIVATE KEY, ${KEYS}`],
    [pem.KEY.replaceAll("PRIVATE KEY", "PUBLIC KEY"), `holds no private key but PUBLIC KEY, ${KEYS}`],
    [pem.KEY.slice(0, 100), `is cut off, ${KEYS}`],
    [pem.ENCRYPTED_KEY, `the key is encrypted, ${KEYS} without a passphrase`],
    [
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----",
      `the key is encrypted, ${KEYS} without a passphrase`,
    ],
    ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", `the key can't be read, ${KEYS}`],
    [pem.RENEWED_KEY, "the key is not that of the certificate"],
  ];
  for (const [key, problem] of ofKey) {
    assertEquals(problems(pem.CERTIFICATE, key), [{ file: "key", problem }], problem);
  }
});

Deno.test("readKeyPair() names both files at once, and nothing that stands in them", () => {
  const found = problems(pem.KEY, pem.CERTIFICATE);
  assertEquals(found.map(({ file }) => file), ["cert", "key"]);
  const line = pem.KEY.split("\n")[1]!;
  for (const text of [pem.KEY, pem.ENCRYPTED_KEY, UNREADABLE.replace("AAAA", line), line]) {
    for (const [cert, key] of [[text, pem.KEY], [pem.CERTIFICATE, text], [text, text]] as const) {
      const words = JSON.stringify(readKeyPair({ cert, key: key === pem.KEY ? pem.RENEWED_KEY : key }, NOW_MS, []));
      assert(!words.includes(line.slice(0, 16)), words);
    }
  }
});

Deno.test("readKeyPair() takes what the tools write: line ends, a byte order mark, text around, a key with its curve, both in one file", () => {
  const around = `\uFEFFBag Attributes\r\n  friendlyName: x\r\n${pem.CERTIFICATE.replaceAll("\n", "\r\n")}`;
  const curve = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem.KEY}`;
  const both = pem.KEY + pem.CERTIFICATE;
  for (const [cert, key] of [[around, pem.KEY], [pem.CERTIFICATE, curve], [both, both]] as const) {
    const read = readKeyPair({ cert, key }, NOW_MS, []);
    assert("pair" in read, JSON.stringify(read));
    assertEquals(read.pair, { cert: pem.CERTIFICATE, key: pem.KEY });
  }
});

Deno.test("readKeyPair() doubts what some clients refuse, and takes it", () => {
  const doubts = (cert: string, ...hosts: string[]) => facts(cert, hosts).doubts;
  assertEquals(doubts(pem.CERTIFICATE, "localhost", "127.0.0.1"), []);
  assertEquals(doubts(pem.CERTIFICATE, "stock.example", "10.0.0.1", "::1"), [
    "it is not for stock.example",
    "it is not for 10.0.0.1",
    "it is not for ::1",
  ]);
  assertEquals(doubts(pem.ISSUED + pem.AUTHORITY), []);
  assertEquals(doubts(pem.ISSUED + pem.CERTIFICATE), ["certificate 2 of 2 is not the issuer of the one before it"]);
  assertEquals(doubts(pem.ISSUED + pem.EXPIRED), [
    "certificate 2 of 2 is not the issuer of the one before it",
    "certificate 2 of 2 has expired, on 2021-01-01T00:00:00.000Z",
  ]);
  const { subject, issuer, names, chain } = facts(pem.ISSUED + pem.AUTHORITY, []);
  assertEquals({ subject, issuer, names, chain }, {
    subject: "CN=localhost",
    issuer: "CN=Test CA",
    names: ["localhost", "127.0.0.1"],
    chain: 2,
  });
});

Deno.test("trialHandshake() is made with a pair that serves, and answers the code of one that can't", async () => {
  assertEquals(await trialHandshake({ cert: pem.CERTIFICATE, key: pem.KEY }), undefined);
  assertEquals(await trialHandshake({ cert: pem.ISSUED + pem.AUTHORITY, key: pem.KEY }), undefined);
  // What the look at the files can't find.
  assert("pair" in readKeyPair({ cert: pem.ODD_CURVE, key: pem.ODD_CURVE_KEY }, NOW_MS, []));
  assertEquals(typeof await trialHandshake({ cert: pem.ODD_CURVE, key: pem.ODD_CURVE_KEY }), "string");
  assertEquals(typeof await trialHandshake({ cert: pem.CERTIFICATE, key: pem.RENEWED_KEY }), "string");
});

Deno.test("the end of a certificate is near in its last 14 days, or in the last third of a short life", () => {
  const near = (lifeDays: number, leftDays: number) =>
    isEndNear({ validFromMs: NOW_MS - (lifeDays - leftDays) * DAY_MS, validToMs: NOW_MS + leftDays * DAY_MS }, NOW_MS);
  assertEquals([near(90, 14.1), near(90, 13.9), near(90, -1)], [false, true, true]);
  assertEquals([near(6, 2.1), near(6, 1.9)], [false, true]);
  assertEquals([daysLeft(NOW_MS + 2.9 * DAY_MS, NOW_MS), daysLeft(NOW_MS - 1, NOW_MS)], [2, -1]);
});

function problems(cert: string, key: string) {
  const read = readKeyPair({ cert, key }, NOW_MS, []);
  assert("problems" in read, `taken: ${JSON.stringify(read)}`);
  return read.problems;
}

function facts(cert: string, hosts: readonly string[]): CertificateFacts {
  const read = readKeyPair({ cert, key: pem.KEY }, NOW_MS, hosts);
  assert("facts" in read, JSON.stringify(read));
  return read.facts;
}

/** The bytes of a block, as they look when they are read as text. */
function der(text: string): string {
  const base64 = text.split("\n").slice(1, -2).join("");
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}

function relabelled(label: string): string {
  return pem.CERTIFICATE.replaceAll("CERTIFICATE-----", `${label}-----`);
}
