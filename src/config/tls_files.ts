/** The PEM files by which TLS to a store is spoken: certificates to trust, and one of our own with its key. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readSmallFile, readSmallFileSync, UnreadableFileError } from "../base/small_file.ts";
import { ConfigError } from "./config.ts";
import type { TlsPaths } from "./store_tls.ts";

/** What the files contain, as PEM. */
export interface Certificates {
  /** Undefined: those that the runtime trusts. */
  readonly trusted: string | undefined;
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
}

/** No files. */
export const NO_CERTIFICATES: Certificates = { trusted: undefined, own: undefined };

interface PemFile {
  readonly path: string;
  readonly name: string;
  readonly expected: string;
  readonly check: (text: string) => unknown;
}

/** Reads them, for a start. Throws ConfigError that names each that can't be read or is not what it should be. */
export function readCertificatesSync(paths: TlsPaths): Certificates {
  return certificatesOf(
    paths,
    filesOf(paths).map((file) => {
      try {
        return readSmallFileSync(file.path);
      } catch (error) {
        return reasonOf(error);
      }
    }),
  );
}

/** The same of a process that is at work. Rejects with ConfigError. */
export async function readCertificates(paths: TlsPaths): Promise<Certificates> {
  return certificatesOf(
    paths,
    await Promise.all(filesOf(paths).map((file) => readSmallFile(file.path).catch(reasonOf))),
  );
}

function filesOf({ trusted, own, names }: TlsPaths): PemFile[] {
  const ofTrusted: PemFile[] = trusted === undefined
    ? []
    : [{ path: trusted, name: names.trusted, expected: "certificates", check: checkCertificates }];
  if (own === undefined) return ofTrusted;
  return [
    ...ofTrusted,
    { path: own.certificate, name: names.certificate, expected: "a certificate", check: checkCertificates },
    { path: own.key, name: names.key, expected: "a key without a password", check: createPrivateKey },
  ];
}

/** `texts`: what was read of each file, or why it could not be. */
function certificatesOf(paths: TlsPaths, texts: readonly (string | UnreadableFileError)[]): Certificates {
  const problems = filesOf(paths).flatMap(({ name, expected, check }, i) => {
    const text = texts[i]!;
    if (typeof text !== "string") return [`${name}: ${text.message}`];
    try {
      check(text);
      return [];
    } catch {
      // What the parser says of it may repeat it.
      return [`${name}: expected ${expected} as PEM in the file`];
    }
  });
  const found = texts.map(String);
  const trusted = paths.trusted === undefined ? undefined : found.shift();
  const [certificate, key] = found;
  const own = certificate === undefined || key === undefined ? undefined : { certificate, key };
  if (own !== undefined && problems.length === 0 && !belong(own)) {
    problems.push(`${paths.names.key}: expected the key of the certificate in ${paths.names.certificate}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { trusted, own };
}

function reasonOf(error: unknown): UnreadableFileError {
  if (error instanceof UnreadableFileError) return error;
  throw error;
}

/** Throws where one of the certificates can't be read, or there is none. */
function checkCertificates(text: string): void {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Error("no certificate");
  for (const one of found) new X509Certificate(one);
}

function belong({ certificate, key }: { readonly certificate: string; readonly key: string }): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}
