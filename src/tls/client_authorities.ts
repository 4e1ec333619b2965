/** Whether the text of a file has certificates of authorities by which those of clients may be signed. Pure. */
import { X509Certificate } from "node:crypto";
import { parsePem } from "./pem.ts";

/** Authorities in one file. Each handshake may be looked at with all of them. */
const AUTHORITIES_MAX = 100;
const EXPECTED = "expected certificates of authorities as PEM (-----BEGIN CERTIFICATE-----)";

/** The certificates as PEM, and nothing else of the text; or what is wrong, without any of it. */
export function readAuthorities(text: string): { readonly pem: string } | { readonly problem: string } {
  const { blocks, isCutOff } = parsePem(text);
  if (isCutOff) return { problem: `is cut off, ${EXPECTED}` };
  const own = blocks.filter(({ label }) => label === "CERTIFICATE");
  if (own.length === 0) return { problem: `contains no certificate, ${EXPECTED}` };
  if (own.length > AUTHORITIES_MAX) {
    return { problem: `has ${own.length} certificates, expected ${AUTHORITIES_MAX} or fewer` };
  }
  for (const [index, block] of own.entries()) {
    const problem = problemOf(block.text);
    if (problem !== undefined) return { problem: `certificate ${index + 1} of ${own.length} ${problem}, ${EXPECTED}` };
  }
  return { pem: own.map(({ text }) => text).join("") };
}

function problemOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).ca ? undefined : "is none of an authority (CA:TRUE)";
  } catch {
    return "can't be read";
  }
}
