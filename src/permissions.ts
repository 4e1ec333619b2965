/**
 * Which Deno permissions the settings need. The launcher grants exactly these, and the server looks for them before
 * it starts: a missing one would otherwise show as a database or a Redis that is away.
 */
import type { Config } from "./config.ts";
import { COUNTED_FILE } from "./open_files.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "postgres:": "5432",
  "postgresql:": "5432",
  "redis:": "6379",
  "rediss:": "6379",
};

/** Hosts to listen on and to talk to, as `host:port`, and files to read. */
export interface NeededPermissions {
  readonly net: readonly string[];
  readonly read: readonly string[];
}

/** The permissions that the settings need, each once. */
export function neededPermissions(config: Config): NeededPermissions {
  // Port 0 can't be named: it is any port of this host.
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const listener = config.port === 0 ? host : `${host}:${config.port}`;
  const nodes = config.concurrency === "redlock" ? config.redisUrls : [];
  return {
    net: [...new Set([listener, ...[config.databaseUrl, ...nodes].map(hostOf)])],
    read: [COUNTED_FILE, ...(config.tlsFiles === undefined ? [] : [config.tlsFiles.cert, config.tlsFiles.key])],
  };
}

/** The flags that are missing for these settings, ready to be added to the command line; none if all are there. */
export async function missingPermissions(config: Config): Promise<string[]> {
  const { net, read } = neededPermissions(config);
  const needed: [Deno.PermissionDescriptor, flag: string][] = [
    ...net.map((host): [Deno.PermissionDescriptor, string] => [{ name: "net", host }, `--allow-net=${host}`]),
    ...read.map((path): [Deno.PermissionDescriptor, string] => [{ name: "read", path }, `--allow-read=${path}`]),
  ];
  const missing: string[] = [];
  for (const [permission, flag] of needed) {
    if ((await Deno.permissions.query(permission)).state !== "granted") missing.push(flag);
  }
  return missing;
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || DEFAULT_PORTS[protocol]}`;
}
