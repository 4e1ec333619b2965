/**
 * Which Deno permissions the settings need, and which of them are missing. Without this check a missing one
 * would show as a database or a Redis that is away.
 */
import type { Config } from "./config.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "postgres:": "5432",
  "postgresql:": "5432",
  "redis:": "6379",
  "rediss:": "6379",
};

/** The flags that are missing for these settings, ready to be added to the command line; none if all are there. */
export async function missingPermissions(config: Config): Promise<string[]> {
  const hosts = [`${config.host}:${config.port}`, ...[config.databaseUrl, ...config.redisUrls].map(hostOf)];
  const files = config.tlsFiles === undefined ? [] : [config.tlsFiles.cert, config.tlsFiles.key];
  const missing: string[] = [];
  for (const host of hosts) {
    // Port 0 can't be named: it is "any port of this host".
    const asked = host.endsWith(":0") ? host.slice(0, -2) : host;
    if (!await granted({ name: "net", host: asked })) missing.push(`--allow-net=${asked}`);
  }
  for (const path of files) {
    if (!await granted({ name: "read", path })) missing.push(`--allow-read=${path}`);
  }
  return missing;
}

async function granted(permission: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(permission)).state === "granted";
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || DEFAULT_PORTS[protocol]}`;
}
