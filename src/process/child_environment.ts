/**
 * The environment of the processes that launchers start. None gets ours whole: it may contain DATABASE_OWNER_URL, or
 * secrets that have nothing to do with Holdfast.
 */

/** Where programs and temporary files are, and how this machine writes. */
const SYSTEM_NAMES = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TZ",
  "LANG",
  "LC_ALL",
  "NO_COLOR",
  "SystemRoot",
  "USERPROFILE",
] as const;

/** What Deno looks for to find, check and fetch packages. */
const DENO_NAMES = [
  "DENO_DIR",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "NODE_EXTRA_CA_CERTS",
  // Read where the store of certificates is the system's.
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "XDG_CACHE_HOME",
  "LOCALAPPDATA",
  "NPM_CONFIG_REGISTRY",
  "JSR_URL",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
];

/** How the Docker client finds its engine. */
const DOCKER_NAMES = [
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_CONFIG",
  "DOCKER_CERT_PATH",
  "DOCKER_TLS_VERIFY",
  "XDG_RUNTIME_DIR",
] as const;

/** What Deno reads of how, and where to, it sends traces. */
const TRACE_NAMES = [
  "OTEL_DENO",
  "OTEL_DENO_TRACING",
  "OTEL_DENO_METRICS",
  "OTEL_DENO_CONSOLE",
  "OTEL_SERVICE_NAME",
  "OTEL_RESOURCE_ATTRIBUTES",
  "OTEL_PROPAGATORS",
  "OTEL_TRACES_SAMPLER",
  "OTEL_TRACES_SAMPLER_ARG",
  ...["ENDPOINT", "PROTOCOL", "HEADERS", "TIMEOUT", "COMPRESSION", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"]
    .map((name) => `OTEL_EXPORTER_OTLP_${name}`),
  ...["SCHEDULE_DELAY", "MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE", "EXPORT_TIMEOUT"].map((name) => `OTEL_BSP_${name}`),
] as const;

/** Where a server that is started with it sends its traces. */
export function traceEnvironment(): Record<string, string> {
  return ours(TRACE_NAMES);
}

/** For a program of the system. */
export function systemEnvironment(): Record<string, string> {
  return ours(SYSTEM_NAMES);
}

/** For a Deno that runs code of ours. */
export function denoEnvironment(): Record<string, string> {
  return ours([...SYSTEM_NAMES, ...DENO_NAMES]);
}

/** For the Docker client. */
export function dockerEnvironment(): Record<string, string> {
  return ours([...SYSTEM_NAMES, ...DOCKER_NAMES]);
}

/** For a server that needs nothing of ours; it must not write in the language of whoever started it. */
export const SERVER_ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: "C", PATH: "/usr/bin:/bin" };

function ours(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name): [string, string][] => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
