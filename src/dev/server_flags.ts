/** The permissions that the server needs for its settings, one by one and no wider: its own listener and its stores. */
import type { Config } from "../config.ts";
import { SETTING_NAMES } from "../config.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "postgres:": 5432,
  "postgresql:": 5432,
  "redis:": 6379,
  "rediss:": 6379,
};

/** The flags for `deno run`, to stand before `src/main.ts`. */
export function serverFlags(config: Config): string[] {
  // Port 0 cannot be named: it is any port of this host.
  const listener = config.port === 0 ? config.host : `${config.host}:${config.port}`;
  const hosts = new Set([listener, ...[config.databaseUrl, ...config.redisUrls].map(hostOf)]);
  const files = config.tlsFiles === undefined ? [] : [config.tlsFiles.cert, config.tlsFiles.key];
  return [
    "--no-prompt",
    `--allow-net=${[...hosts].join(",")}`,
    "--allow-sys=hostname",
    ...(files.length === 0 ? [] : [`--allow-read=${files.join(",")}`]),
    `--allow-env=${SETTING_NAMES.join(",")}`,
    // Libraries that look through the whole environment then see the named variables only, and do not fail.
    "--ignore-env",
  ];
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === "" ? DEFAULT_PORTS[protocol] : port}`;
}
