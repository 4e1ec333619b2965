/** The addresses that migrate works on, from the environment: the owner's, and the one that the server will use. */
import { readSmallFileSync } from "../base/small_file.ts";
import { AddressError } from "../config/address_text.ts";
import { ConfigError } from "../config/config.ts";
import { parsePostgresAddress, type PostgresAddress } from "../config/postgres_address.ts";
import { SECRET_NAMES, secretFileName, underFileName, withSecretFiles } from "../config/secret_files.ts";
import { SERVER_ROLE } from "../config/settings.ts";
import { tlsPaths, underDatabaseTls } from "../config/store_tls.ts";

const TLS_NAMES = ["DATABASE_TLS_CA_FILE", "DATABASE_TLS_CERT_FILE", "DATABASE_TLS_KEY_FILE"] as const;
/** The variables that are read. */
const ADDRESS_NAMES: readonly string[] = [
  ...["DATABASE_URL", "DATABASE_OWNER_URL"].flatMap((name) => [name, secretFileName(name)]),
  ...TLS_NAMES,
];

/** Both addresses. */
export interface MigrateAddresses {
  /** Of a role that may change the schema. */
  readonly owner: PostgresAddress;
  readonly server: PostgresAddress;
}

/**
 * Both addresses, each for the other where one is not set. `read` answers an environment variable, `readFile` the text
 * of a file of secrets. Throws ConfigError with the problems of both.
 */
export function migrateAddresses(
  read: (name: string) => string | undefined,
  readFile = readSmallFileSync,
): MigrateAddresses {
  const given = Object.fromEntries(
    [...ADDRESS_NAMES, ...SECRET_NAMES].map((name) => [name, read(name) || undefined]),
  );
  const { values, problems: ofFiles } = withSecretFiles(given, readFile);
  const problems = [...ofFiles];
  const [owner, server] = ["DATABASE_OWNER_URL", "DATABASE_URL"].map((name) => {
    const text = values[name];
    try {
      return text === undefined ? undefined : databaseAddress(name, text, values);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems.map((problem) => underFileName(problem, given)));
    }
  });
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  const [first, second] = [owner ?? server, server ?? owner];
  if (first !== undefined && second !== undefined) return { owner: first, server: second };
  throw new ConfigError([
    "DATABASE_OWNER_URL: expected, such as postgres://owner:password@host:5432/database, or DATABASE_OWNER_URL_FILE; " +
    "or DATABASE_URL where its role owns the database",
  ]);
}

/** The address of that name; the server's has a default for its user. Throws ConfigError that names what is wrong. */
function databaseAddress(
  name: string,
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): PostgresAddress {
  try {
    const paths = tlsPaths("DATABASE_TLS", values);
    const address = parsePostgresAddress(text, name === "DATABASE_URL" ? SERVER_ROLE : "");
    return paths === undefined ? address : underDatabaseTls(address, paths, name);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const isNamed = (problem: string) => problem.startsWith("DATABASE_TLS_");
    throw new ConfigError(error.problems.map((problem) => isNamed(problem) ? problem : `${name}: ${problem}`));
  }
}
