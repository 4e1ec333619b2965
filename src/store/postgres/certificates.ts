/** The files that the address of a PostgreSQL names: certificates to trust, and one of our own. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { ConfigError } from "../../config/config.ts";
import type { PostgresCertificates } from "./secure.ts";

/**
 * Reads them. `setting`: where the address is from.
 *
 * Throws ConfigError that names the parameter of a file that can't be read or is not what it should be.
 */
export function readCertificates({ tls }: PostgresAddress, setting = "DATABASE_URL"): PostgresCertificates {
  const { mode, rootCertificate, own } = tls;
  if (mode === "disable") return { trusted: undefined, own: undefined };
  const problems: string[] = [];
  const read = (parameter: string, path: string, expected: string, check: (text: string) => unknown): string => {
    try {
      const text = Deno.readTextFileSync(path);
      try {
        check(text);
        return text;
      } catch {
        problems.push(`${setting}: ${parameter}: expected ${expected} as PEM in the file`);
      }
    } catch (error) {
      problems.push(`${setting}: ${parameter}: its file can't be read (${(error as Error).name})`);
    }
    return "";
  };
  const isFile = rootCertificate !== undefined && rootCertificate !== "system";
  const files = {
    trusted: isFile ? read("sslrootcert", rootCertificate, "certificates", checkCertificates) : undefined,
    own: own && {
      certificate: read("sslcert", own.certificate, "a certificate", checkCertificates),
      key: read("sslkey", own.key, "a key without a password", createPrivateKey),
    },
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return files;
}

/** Throws where one of the certificates can't be read, or there is none. */
function checkCertificates(text: string): void {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Error("no certificate");
  for (const one of found) new X509Certificate(one);
}
