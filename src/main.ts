/**
 * The process: settings, permissions, the app, signals. Standard output gets one line, when it listens;
 * everything else is the log on standard error.
 */
import { startApp } from "./app.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { refusedDenoVersion } from "./deno_version.ts";
import { missingPermissions } from "./permissions.ts";
import { createLog } from "./telemetry/create_log.ts";
import { errorFields, type Log } from "./telemetry/log.ts";

const EXIT_FAILED = 1;
/** The settings, the permissions or the runtime are not such that starting could work. */
const EXIT_UNUSABLE = 78;
/** Taken, not allowed, not of this machine, no such name. */
const UNUSABLE_ADDRESS_CODES = new Set(["EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

function refuse(reason: string): never {
  console.error(reason);
  Deno.exit(EXIT_UNUSABLE);
}

function settings(): Config {
  try {
    return loadConfig((name) => Deno.env.get(name));
  } catch (error) {
    if (error instanceof ConfigError) refuse(error.message);
    throw error;
  }
}

async function readTls(files: Config["tlsFiles"]): Promise<{ cert: string; key: string } | undefined> {
  if (files === undefined) return undefined;
  return { cert: await Deno.readTextFile(files.cert), key: await Deno.readTextFile(files.key) };
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function shutdownSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        if (asked) Deno.exit(EXIT_FAILED);
        asked = true;
        log.info({ signal }, "shutting down; a second signal exits at once");
        resolve();
      });
    }
  });
}

const refusal = refusedDenoVersion(Deno.version.deno);
if (refusal !== undefined) refuse(refusal);
const config = settings();
const missing = await missingPermissions(config);
if (missing.length > 0) refuse(`Cannot start without these permissions: ${missing.join(" ")}`);
const log = createLog(config.logLevel, config.logFormat);

// A driver's loose end must not take the service down: what it belonged to ends by its own time limit.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  log.error({ error: errorFields(event.reason) }, "unhandled rejection");
});

const shutdown = shutdownSignal(log);
try {
  const app = await startApp(config, { log, tls: await readTls(config.tlsFiles) });
  console.log(`Holdfast listens on ${app.url}`);
  await shutdown;
  await app.close();
  log.info({}, "stopped");
  Deno.exit(0);
} catch (error) {
  const code = (error as { code?: string }).code ?? "";
  if (UNUSABLE_ADDRESS_CODES.has(code)) {
    refuse(
      `Cannot listen on ${config.host}:${config.port} (${code}): set HOST and PORT to an address that is free here`,
    );
  }
  log.error({ error: errorFields(error) }, "cannot go on");
  Deno.exit(EXIT_FAILED);
}
