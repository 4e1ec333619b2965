/**
 * A session of migrate's own: on the host that takes writes, dialled as the service dials it. What was found out in it,
 * such as whether there is TLS, goes to dbmate, which finds out less by itself.
 */
import type { Buffer } from "node:buffer";
import postgres from "postgres";
import { type PostgresAddress, postgresHostText, withOneHost } from "../config/postgres_address.ts";
import type { Certificates } from "../config/tls_files.ts";
import { readDatabaseCertificates } from "../store/postgres/certificates.ts";
import { driverAddress } from "../store/postgres/client.ts";
import { innermost } from "../store/errors.ts";
import { Dialer } from "../store/postgres/dialer.ts";

const CONNECT_MS_MAX = 10_000;
/** No such database. */
const NO_DATABASE = "3D000";

/** An open session. */
export interface OpenSession {
  readonly sql: postgres.Sql;
  /** The address, with the host that it is on. */
  readonly address: PostgresAddress;
  readonly certificates: Certificates;
  /** The server's own, as DER; undefined: there is no TLS. */
  readonly peerCertificate: Buffer | undefined;
}

/**
 * What `work` makes of a session on the host that takes writes. `setting`: where the address is from.
 *
 * Throws ConfigError for files that can't be read, Error where no host can be used, and what `work` throws.
 */
export async function withSession<T>(
  address: PostgresAddress,
  setting: string,
  work: (session: OpenSession) => Promise<T>,
): Promise<T> {
  const certificates = readDatabaseCertificates(address, setting);
  const reasons: string[] = [];
  for (let index = 0; index < address.hosts.length; index++) {
    const one = withOneHost(address, index);
    const dialer = new Dialer({ address: one, certificates, connectTimeoutMs: CONNECT_MS_MAX });
    const sql = connect(one, dialer);
    try {
      const refusal = await refusalOf(sql, address.hosts.length > 1);
      const { peerCertificate } = dialer;
      if (refusal === undefined) return await work({ sql, address: one, certificates, peerCertificate });
      reasons.push(`${postgresHostText(one.hosts[0]!)}: ${refusal}`);
    } finally {
      await sql.end({ timeout: 1 });
      dialer.destroy();
    }
  }
  throw new Error(`Cannot use the database of ${setting}: ${reasons.join("; ")}`);
}

function connect(address: PostgresAddress, dialer: Dialer): postgres.Sql {
  const { options } = address;
  return postgres({
    ...driverAddress(address),
    // A pooler in between may have each statement run in another session.
    prepare: false,
    max: 1,
    connect_timeout: CONNECT_MS_MAX / 1000,
    onnotice: () => {},
    onparameter: () => dialer.admitted = true,
    ...dialer.options,
    connection: {
      application_name: address.applicationName ?? "holdfast_migrate",
      ...(options === undefined ? {} : { options }),
    },
  });
}

/** Why the host can't be used; undefined if it can. Of several only one that takes writes can. */
async function refusalOf(sql: postgres.Sql, isOneOfSeveral: boolean): Promise<string | undefined> {
  try {
    const [row] = await sql<{ read_only: string }[]>`select current_setting('transaction_read_only') as read_only`;
    return isOneOfSeveral && row?.read_only !== "off" ? "it takes no writes" : undefined;
  } catch (error) {
    const inner = innermost(error);
    const { code, message } = inner as { code?: string; message?: string };
    const hint = code === NO_DATABASE ? ". Create the database first: it must exist, and may be empty" : "";
    return `${message || code || inner}${hint}`;
  }
}
