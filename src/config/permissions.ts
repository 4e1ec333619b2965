/**
 * Which Deno permissions the settings need. The launcher grants exactly these, and the server looks for them before
 * it starts: a missing one would otherwise show as a database or a Redis that is away.
 */
import { hostAndPort } from "./address_text.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import type { Config } from "./config.ts";
import type { TlsPaths } from "./store_tls.ts";
import { COUNTED_FILE } from "./open_files.ts";

/**
 * Hosts to listen on and to talk to, as `host:port`, files to read, and sockets, which are talked to, read and written.
 */
export interface NeededPermissions {
  readonly net: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** The permissions that the settings need, each once. */
export function neededPermissions(config: Config): NeededPermissions {
  const { admin } = config;
  const listeners = [config, ...(admin === undefined ? [] : [admin])].map(listenPermission);
  const nodes = config.concurrency === "redlock" ? config.redisNodes : [];
  const database = databasePermissions(config.database);
  const tlsFiles = config.tlsFiles === undefined ? [] : [config.tlsFiles.cert, config.tlsFiles.key];
  const callers = callerPermissions(config);
  const nodesFiles = nodes.length === 0 || config.redisTls === undefined ? [] : pathsOf(config.redisTls);
  return {
    read: [
      ...new Set([COUNTED_FILE, ...tlsFiles, ...callers.read, ...secretFiles(config), ...database.read, ...nodesFiles]),
    ],
    net: [
      ...new Set([
        ...listeners,
        ...database.net,
        ...nodes.map(({ host, port }) => hostAndPort(host, port)),
        ...callers.net,
      ]),
    ],
    write: database.write,
  };
}

/** What verifying callers needs. */
function callerPermissions({ jwt, mtls }: Config): Pick<NeededPermissions, "net" | "read"> {
  const files = mtls === undefined ? [] : [mtls.caFile];
  if (jwt === undefined) return { net: [], read: files };
  if ("file" in jwt.keys) return { net: [], read: [...files, jwt.keys.file] };
  const { hostname, port, protocol } = new URL(jwt.keys.url);
  const ownPort = protocol === "https:" ? 443 : 80;
  return { net: [hostAndPort(hostname.replace(/^\[|\]$/g, ""), Number(port) || ownPort)], read: files };
}

/** The files that settings stand in: read by whoever reads the settings. */
export function secretFiles({ databaseUrlFile, redisUrlsFile }: Config): string[] {
  return [databaseUrlFile, redisUrlsFile].filter((path) => path !== undefined);
}

function pathsOf({ trusted, own }: TlsPaths): string[] {
  return [trusted, own?.certificate, own?.key].filter((path) => path !== undefined);
}

/** What listening there needs. Port 0 can't be named: it is any port of this host. */
export function listenPermission({ host, port }: { readonly host: string; readonly port: number }): string {
  return port === 0 ? hostAndPort(host, 0).slice(0, -2) : hostAndPort(host, port);
}

/** What talking to a PostgreSQL needs. */
export function databasePermissions({ hosts, tls }: PostgresAddress): NeededPermissions {
  const sockets = hosts.flatMap(({ dial }) => "path" in dial ? [dial.path] : []);
  const files = tls.mode === "disable" ? [] : [
    ...(tls.rootCertificate === undefined || tls.rootCertificate === "system" ? [] : [tls.rootCertificate]),
    ...(tls.own === undefined ? [] : [tls.own.certificate, tls.own.key]),
  ];
  return {
    net: hosts.map(({ dial }) => "path" in dial ? `unix:${dial.path}` : hostAndPort(dial.host, dial.port)),
    read: [...files, ...sockets],
    write: sockets,
  };
}

/** The flags for these permissions, a kind in one flag; none for a kind that is not needed. */
export function permissionFlags({ net, read, write }: NeededPermissions): string[] {
  // A comma in a path is written as two.
  const paths = (list: readonly string[]) => list.map((path) => path.replaceAll(",", ",,"));
  const kinds: [flag: string, list: readonly string[]][] = [["net", net], ["read", paths(read)], [
    "write",
    paths(write),
  ]];
  return kinds.flatMap(([kind, list]) => list.length === 0 ? [] : [`--allow-${kind}=${list.join(",")}`]);
}

/**
 * The flags that are missing, ready to be added to the command line, one for each host and file; none if all are there.
 */
export async function missingPermissions({ net, read, write }: NeededPermissions): Promise<string[]> {
  const needed: [Deno.PermissionDescriptor, NeededPermissions][] = [
    ...net.map((
      host,
    ): [Deno.PermissionDescriptor, NeededPermissions] => [{ name: "net", host }, only({ net: [host] })]),
    ...read.map((
      path,
    ): [Deno.PermissionDescriptor, NeededPermissions] => [{ name: "read", path }, only({ read: [path] })]),
    ...write.map((path): [Deno.PermissionDescriptor, NeededPermissions] => [
      { name: "write", path },
      only({ write: [path] }),
    ]),
  ];
  const missing: string[] = [];
  for (const [permission, one] of needed) {
    if ((await Deno.permissions.query(permission)).state !== "granted") missing.push(...permissionFlags(one));
  }
  return missing;
}

function only(some: Partial<NeededPermissions>): NeededPermissions {
  return { net: [], read: [], write: [], ...some };
}
