/** Who logs in to PostgreSQL, and by which certificates: read anew where a connection comes to nothing. */
import { Reread } from "../../base/reread.ts";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { rereadDatabase } from "../../config/renewed_secrets.ts";
import { type Certificates, NO_CERTIFICATES, readCertificates } from "../../config/tls_files.ts";
import type { Log } from "../../telemetry/log.ts";
import { certificatePaths, readDatabaseCertificates } from "./certificates.ts";

/** What a connection is made with. */
export interface DatabaseAccess {
  readonly address: PostgresAddress;
  readonly certificates: Certificates;
}

/**
 * Reads the files of the address for a start; `urlFile`: the file that the address itself stands in. Throws ConfigError
 * that names each that can't be used.
 */
export function openDatabaseAccess(
  address: PostgresAddress,
  urlFile: string | undefined,
  log: Log,
): Reread<DatabaseAccess> {
  const paths = certificatePaths(address);
  return new Reread({
    first: { address, certificates: readDatabaseCertificates(address) },
    read: async () => ({
      address: urlFile === undefined ? address : await rereadDatabase(urlFile, address),
      certificates: paths === undefined ? NO_CERTIFICATES : await readCertificates(paths),
    }),
    renewed: () => log.info({}, "the access to PostgreSQL was read anew and is another one"),
    failed: ({ message }) => log.warn({ problem: message }, "the access to PostgreSQL can't be read anew"),
    nowMs: () => performance.now(),
  });
}
