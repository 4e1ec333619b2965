/** What is set and changes nothing: said at the start, because whoever set it expects something of it. Pure. */
import { isLoopbackHost } from "./auth_setting.ts";
import { unusedOfCallers } from "./caller_settings.ts";
import { duplicates } from "./lists.ts";
import { isLoopback } from "./address_text.ts";
import { isAdminPort, type PortSettings } from "./checks.ts";
import { isAlwaysOwn } from "./origins.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import { postgresTlsNotes } from "./store_tls.ts";

/** Settings of the lock alone. */
const OF_THE_LOCK = [
  "REDIS_URLS",
  "REDIS_URLS_FILE",
  "REDIS_TLS_CA_FILE",
  "REDIS_TLS_CERT_FILE",
  "QUORUM_LOSS",
  "LOCK_TTL_MS",
  "LOCK_KEY_PREFIX",
];

/** The settings that are looked at; the lists in their normal form. */
export interface NotedSettings extends PortSettings {
  readonly ADMIN_HOST: string;
  readonly CONCURRENCY: string;
  readonly HOST: string;
  readonly AUTH?: readonly string[] | undefined;
  readonly TLS_CERT_FILE?: string | undefined;
  readonly DATABASE_URL: PostgresAddress;
  readonly CORS_ORIGINS: readonly string[];
  readonly ALLOWED_HOSTS: readonly string[];
  readonly TRUSTED_PROXIES: readonly unknown[];
}

/**
 * A line for the log for each; `given`: the names of the settings that are set; `connectS`: how long PostgreSQL may
 * take to let us in. None repeats an address.
 */
export function configNotes(settings: NotedSettings, given: ReadonlySet<string>, connectS: number): string[] {
  const { CONCURRENCY, DATABASE_URL, CORS_ORIGINS, ALLOWED_HOSTS, TRUSTED_PROXIES } = settings;
  const unused = CONCURRENCY === "redlock" ? [] : OF_THE_LOCK.filter((name) => given.has(name));
  return [
    ...(isLoopbackHost(settings.HOST) ? opennessThroughProxies(settings) : openness(settings)),
    ...unusedOfCallers(settings.AUTH ?? [], given),
    ...unused.map((name) => `${name} changes nothing: CONCURRENCY is ${CONCURRENCY}`),
    ...[...DATABASE_URL.notes, ...postgresTlsNotes(DATABASE_URL)].map((note) => `DATABASE_URL: ${note}`),
    ...(isLonger(DATABASE_URL.connectTimeoutS, connectS)
      ? [`DATABASE_URL: connect_timeout is cut to ${connectS} s, the longest that fits into what waits for it`]
      : []),
    ...(given.has("IDENTITY_BURST_CALLS_MAX") && !given.has("IDENTITY_CALLS_PER_S_MAX")
      ? ["IDENTITY_BURST_CALLS_MAX changes nothing: IDENTITY_CALLS_PER_S_MAX is not set"]
      : []),
    ...(given.has("TRUSTED_PROXIES_HEADER") && TRUSTED_PROXIES.length === 0
      ? ["TRUSTED_PROXIES_HEADER changes nothing: TRUSTED_PROXIES names none"]
      : []),
    ...adminNotes(settings),
    ...twice("CORS_ORIGINS", CORS_ORIGINS),
    ...twice("ALLOWED_HOSTS", ALLOWED_HOSTS),
    ...ALLOWED_HOSTS.flatMap((host, i) =>
      isAlwaysOwn(host)
        ? [`ALLOWED_HOSTS: entry ${i + 1} changes nothing: localhost and addresses are always the server's own`]
        : []
    ),
  ];
}

/** What those who can reach the port from other machines may do, or see. */
function openness({ HOST, AUTH = [], TLS_CERT_FILE }: NotedSettings): string[] {
  if (AUTH.length === 0) return [`AUTH is none: whoever can reach ${HOST} may do everything`];
  if (TLS_CERT_FILE !== undefined) return [];
  return [
    `AUTH is ${
      AUTH.join(",")
    } without TLS_CERT_FILE: credentials cross the network readable, unless a proxy in front ` +
    `ends TLS`,
  ];
}

/** The same where only this machine can reach the port, and a proxy on it passes on what others call. */
function opennessThroughProxies({ AUTH, TRUSTED_PROXIES }: NotedSettings): string[] {
  if (TRUSTED_PROXIES.length === 0 || (AUTH !== undefined && AUTH.length > 0)) return [];
  return [
    `AUTH is ${AUTH === undefined ? "not set" : "none"}: whoever calls through TRUSTED_PROXIES may do everything`,
  ];
}

/** For libpq 0, and less, is without an end. */
function isLonger(givenS: number | undefined, maxS: number): boolean {
  return givenS !== undefined && (givenS <= 0 || givenS > maxS);
}

function adminNotes(settings: NotedSettings): string[] {
  if (settings.ADMIN_PORT === undefined) return [];
  // One that was set is a problem, and not a note.
  if (isAdminPort(settings)) return ["ADMIN_PORT is off: its default is the service's own PORT; set it to another one"];
  if (isLoopback(settings.ADMIN_HOST)) return [];
  return ["ADMIN_HOST is beyond loopback: whoever reaches it sees metrics, and why the server is not ready"];
}

function twice(name: string, entries: readonly string[]): string[] {
  return duplicates(entries).map(({ place, first }) => `${name}: entry ${place} is the same as entry ${first}`);
}
