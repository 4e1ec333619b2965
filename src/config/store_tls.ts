/**
 * The settings DATABASE_TLS_* and REDIS_TLS_*: which files TLS to a store is spoken with, and what must go together
 * for it. Pure.
 */
import { AddressError } from "./address_text.ts";
import { isThisMachine, type PostgresAddress } from "./postgres_address.ts";
import type { RedisAddress } from "./redis_address.ts";

/** Paths of a certificate of our own and of its key. */
export interface OwnPaths {
  readonly certificate: string;
  readonly key: string;
}

/** Paths of PEM files, and what each is called where something is wrong with it. */
export interface TlsPaths {
  /** Certificates to trust; undefined: those that the runtime trusts. */
  readonly trusted: string | undefined;
  readonly own: OwnPaths | undefined;
  readonly names: { readonly trusted: string; readonly certificate: string; readonly key: string };
}

type Given = Readonly<Record<string, string | undefined>>;

/** The files that the settings `<prefix>_CA_FILE`, `_CERT_FILE` and `_KEY_FILE` name; undefined: they name none. */
export function tlsPaths(prefix: "DATABASE_TLS" | "REDIS_TLS", given: Given): TlsPaths | undefined {
  const names = { trusted: `${prefix}_CA_FILE`, certificate: `${prefix}_CERT_FILE`, key: `${prefix}_KEY_FILE` };
  const [trusted, certificate, key] = [given[names.trusted], given[names.certificate], given[names.key]];
  const own = certificate === undefined || key === undefined ? undefined : { certificate, key };
  return trusted === undefined && own === undefined ? undefined : { trusted, own, names };
}

/**
 * The address, under TLS by these files: as `verify-full`, unless it says what else. Throws AddressError with problems
 * that begin with the name of a setting, where the address has no TLS or files of its own.
 */
export function underDatabaseTls(address: PostgresAddress, paths: TlsPaths, setting: string): PostgresAddress {
  const { tls, hosts } = address;
  const why = tls.rootCertificate !== undefined || tls.own !== undefined
    ? "has sslrootcert or sslcert"
    : tls.mode === "disable"
    ? "has sslmode=disable"
    : hosts.every(({ dial }) => "path" in dial)
    ? "leads to a socket of this machine"
    : undefined;
  if (why !== undefined) {
    const name = paths.trusted === undefined ? paths.names.certificate : paths.names.trusted;
    throw new AddressError([`${name}: expected nothing, as ${setting} ${why}`]);
  }
  const { trusted, own } = paths;
  return { ...address, tls: { ...tls, mode: tls.mode ?? "verify-full", rootCertificate: trusted, own, isSet: true } };
}

/** What is wrong with files for nodes that are not spoken to under TLS. */
export function redisTlsProblems(nodes: readonly RedisAddress[], paths: TlsPaths | undefined): string[] {
  const clear = nodes.findIndex(({ tls }) => !tls);
  if (paths === undefined || clear < 0) return [];
  const name = paths.trusted === undefined ? paths.names.certificate : paths.names.trusted;
  return [`${name}: expected rediss:// for every entry of REDIS_URLS, and entry ${clear + 1} is redis://`];
}

/** What of an address leaves it open who answers: a sentence each, without any part of it. */
export function postgresTlsNotes({ hosts, tls, channelBinding }: PostgresAddress): string[] {
  const { mode, rootCertificate } = tls;
  // A log-in that is bound to the certificate of a server that knows the password leaves nobody in between.
  if (channelBinding === "require" || mode === "disable") return [];
  const remedy = "set sslmode=verify-full, and DATABASE_TLS_CA_FILE for an authority of your own";
  if (mode === "require" && rootCertificate === undefined) {
    return [
      `sslmode=require takes any certificate, so that whoever stands in between reads and changes all: ${remedy}`,
    ];
  }
  const isOpen = mode === undefined || mode === "prefer" || mode === "allow";
  if (!isOpen || hosts.every(isThisMachine)) return [];
  return [
    `${
      mode === undefined ? "without sslmode" : `with sslmode=${mode}`
    } a connection may come about without TLS: ${remedy}`,
  ];
}
