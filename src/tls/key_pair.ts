/**
 * Whether the text of two files is a certificate and its key that a server can use, and what stands in it. Pure, but
 * for what `node:crypto` reads. Whatever is wrong is named without any of a file's content.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { parsePem, type PemBlock } from "./pem.ts";

/** Certificate chain, the server's own first, and private key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** By whom certificates of clients may be signed, as PEM; absent: none is asked for. */
  readonly clientCa?: string;
}

/** What is wrong with one of the files. */
export interface FileProblem {
  readonly file: "cert" | "key" | "clientCa";
  readonly problem: string;
}

/** What the certificate says. Times in ms since 1970. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** Names and addresses that it is for (subjectAltName). */
  readonly names: readonly string[];
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Certificates in the file. */
  readonly chain: number;
  /** What is no reason not to start, and yet may keep clients away. */
  readonly doubts: readonly string[];
}

/** A pair that can be used, or why not. */
export type ReadKeyPair =
  | { readonly pair: KeyPair; readonly facts: CertificateFacts }
  | { readonly problems: readonly FileProblem[] };

const CERTIFICATE = "CERTIFICATE";
const KEY_LABELS: readonly string[] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const KEYS_EXPECTED = "expected one as PEM (-----BEGIN PRIVATE KEY-----)";
const CERTIFICATES_EXPECTED = "expected a chain as PEM (-----BEGIN CERTIFICATE-----), the server's own first";

/** Reads the content of both files, at the time `nowMs`; `hosts` are names and addresses that clients will ask for. */
export function readKeyPair(files: KeyPair, nowMs: number, hosts: readonly string[]): ReadKeyPair {
  const chain = readChain(files.cert);
  const key = readKey(files.key);
  if ("problem" in chain || "problem" in key) {
    return {
      problems: [
        ...("problem" in chain ? [{ file: "cert", problem: chain.problem } as const] : []),
        ...("problem" in key ? [{ file: "key", problem: key.problem } as const] : []),
      ],
    };
  }
  const [own] = chain.certificates as [X509Certificate, ...X509Certificate[]];
  const problem = timeProblem(own, nowMs);
  const problems: FileProblem[] = [
    ...(problem === undefined ? [] : [{ file: "cert", problem } as const]),
    ...keyProblems(chain.certificates, key.key),
  ];
  if (problems.length > 0) return { problems };
  return {
    pair: { cert: chain.blocks.map(({ text }) => text).join(""), key: key.block.text },
    facts: factsOf(chain.certificates, nowMs, hosts),
  };
}

function readChain(text: string): { blocks: PemBlock[]; certificates: X509Certificate[] } | { problem: string } {
  const { blocks, isCutOff } = parsePem(text);
  const own = blocks.filter(({ label }) => label === CERTIFICATE);
  if (isCutOff) return { problem: `is cut off, ${CERTIFICATES_EXPECTED}` };
  if (own.length === 0) {
    return { problem: `holds no certificate but ${foundIn(text, blocks)}, ${CERTIFICATES_EXPECTED}` };
  }
  const certificates: X509Certificate[] = [];
  for (const [index, block] of own.entries()) {
    try {
      certificates.push(new X509Certificate(block.text));
    } catch {
      // What the parser says of it may repeat it.
      return { problem: `certificate ${index + 1} of ${own.length} can't be read, ${CERTIFICATES_EXPECTED}` };
    }
  }
  return { blocks: own, certificates };
}

function readKey(text: string): { block: PemBlock; key: KeyObject } | { problem: string } {
  const { blocks, isCutOff } = parsePem(text);
  if (isCutOff) return { problem: `is cut off, ${KEYS_EXPECTED}` };
  const block = blocks.find(({ label }) => KEY_LABELS.includes(label));
  // Not left to the library, which asks for the passphrase at the terminal and waits.
  if ((block?.text ?? text).includes("ENCRYPTED")) {
    return { problem: `the key is encrypted, ${KEYS_EXPECTED} without a passphrase` };
  }
  if (block === undefined) return { problem: `holds no private key but ${foundIn(text, blocks)}, ${KEYS_EXPECTED}` };
  try {
    return { block, key: createPrivateKey(block.text) };
  } catch {
    return { problem: `the key can't be read, ${KEYS_EXPECTED}` };
  }
}

/** What a file contains instead, by kind. */
function foundIn(text: string, blocks: readonly PemBlock[]): string {
  if (text.trim() === "") return "nothing";
  if (blocks.length > 0) return [...new Set(blocks.map(({ label }) => label))].slice(0, 3).join(", ");
  // DER begins with a SEQUENCE, PKCS#12 as well; read as text its lengths are no characters.
  return text.startsWith("0") && text.includes("\uFFFD") ? "binary data (DER or PKCS#12)" : "no PEM at all";
}

function timeProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  const { validFrom, validTo } = certificate;
  if (nowMs > Date.parse(validTo)) return `the certificate has expired, on ${isoTime(validTo)}`;
  if (nowMs < Date.parse(validFrom)) return `the certificate is not valid before ${isoTime(validFrom)}`;
}

function keyProblems([own, ...others]: readonly X509Certificate[], key: KeyObject): FileProblem[] {
  if (belongs(own!, key)) return [];
  const other = others.findIndex((certificate) => belongs(certificate, key));
  if (other < 0) return [{ file: "key", problem: "the key is not that of the certificate" }];
  return [{
    file: "cert",
    problem: `the key belongs to certificate ${other + 2} of ${others.length + 1}, expected the server's own first`,
  }];
}

function belongs(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    // A kind of key that can't be compared.
    return false;
  }
}

function factsOf(chain: readonly X509Certificate[], nowMs: number, hosts: readonly string[]): CertificateFacts {
  const own = chain[0]!;
  const names = (own.subjectAltName ?? "").split(", ").filter((name) => /^(DNS|IP Address):/.test(name))
    .map((name) => name.slice(name.indexOf(":") + 1));
  return {
    subject: oneLine(own.subject),
    issuer: oneLine(own.issuer),
    names,
    validFromMs: Date.parse(own.validFrom),
    validToMs: Date.parse(own.validTo),
    chain: chain.length,
    doubts: [
      ...(names.length === 0 ? ["it has no subjectAltName, and clients look for its names nowhere else"] : []),
      ...hosts.filter((host) => !isFor(own, host)).map((host) => `it is not for ${host}`),
      ...chain.slice(1).flatMap((issuer, index) => {
        const place = `certificate ${index + 2} of ${chain.length}`;
        return [
          ...(isIssuer(issuer, chain[index]!) ? [] : [`${place} is not the issuer of the one before it`]),
          ...(nowMs > Date.parse(issuer.validTo) ? [`${place} has expired, on ${isoTime(issuer.validTo)}`] : []),
        ];
      }),
    ],
  };
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer);
  } catch {
    return false;
  }
}

function isoTime(text: string): string {
  return new Date(text).toISOString();
}

function oneLine(name: string): string {
  return name.split("\n").join(", ");
}
