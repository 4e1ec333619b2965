/** The files of a PostgreSQL address: those that its parameters name, or DATABASE_TLS_*. */
import type { PostgresAddress } from "../../config/postgres_address.ts";
import type { TlsPaths } from "../../config/store_tls.ts";
import { type Certificates, NO_CERTIFICATES, readCertificatesSync } from "../../config/tls_files.ts";

/** Their paths, and how each is called. `setting`: where the address is from. Undefined: TLS is not spoken. */
export function certificatePaths({ tls }: PostgresAddress, setting = "DATABASE_URL"): TlsPaths | undefined {
  const { mode, rootCertificate, own, isSet } = tls;
  if (mode === "disable") return undefined;
  const names = isSet
    ? { trusted: "DATABASE_TLS_CA_FILE", certificate: "DATABASE_TLS_CERT_FILE", key: "DATABASE_TLS_KEY_FILE" }
    : { trusted: `${setting}: sslrootcert`, certificate: `${setting}: sslcert`, key: `${setting}: sslkey` };
  return { trusted: rootCertificate === "system" ? undefined : rootCertificate, own, names };
}

/** Reads them, for a start. Throws ConfigError that names each that can't be read or is not what it should be. */
export function readDatabaseCertificates(address: PostgresAddress, setting?: string): Certificates {
  const paths = certificatePaths(address, setting);
  return paths === undefined ? NO_CERTIFICATES : readCertificatesSync(paths);
}
