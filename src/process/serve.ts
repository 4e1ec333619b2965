/**
 * A process that serves: permissions, the app, and its end. Standard output gets one line, when it listens; everything
 * else is the log on standard error.
 */
import { adminLine, listenLine } from "./listen_line.ts";
import { processPages } from "../admin/pages.ts";
import { startApp } from "../app.ts";
import { openAdmin } from "./admin.ts";
import { openCertificate } from "./certificate.ts";
import { hostAndPort } from "../config/address_text.ts";
import { type Config, ConfigError } from "../config/config.ts";
import { EXIT_DEAF, EXIT_FAILED, EXIT_UNUSABLE, refuse } from "./exit_codes.ts";
import { missingPermissions, neededPermissions } from "../config/permissions.ts";
import { CONNECTIONS_MIN, connectionsThatFit } from "../config/open_files.ts";
import { guardProcess } from "./guard.ts";
import { LISTENER_LIMITS } from "../transport/limits.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { endProcess, lastLines } from "../telemetry/process_log.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { claimPort } from "./claim_port.ts";
import { buildInfo } from "./version.ts";

/** What fails where the address is not to be listened on: taken, not allowed, not of this machine, no such name. */
const LISTEN_CALLS = new Set(["listen", "bind", "getaddrinfo"]);
/**
 * Failures of these that are none of the address: names can't be asked for now, or the system has no resources left.
 */
const PASSING_CODES = new Set(["EAI_AGAIN", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

/** How to serve. */
export interface ServeOptions {
  readonly log: Log;
  /** Undefined: no spans are made. */
  readonly tracing: Tracing | undefined;
  /** Resolves when it is time to drain. */
  readonly shutdown: Promise<void>;
  /** Emits `reload` when renewed files are to be taken up. */
  readonly reloads: EventTarget;
  /** For a worker: it shares the port with others. The first of them claims it. */
  readonly port?: "claimed" | "joined";
}

/** Serves until `shutdown`, then drains and exits with 0. Exits with 78 or 1, and says why, when it can't go on. */
export async function serve(config: Config, { log, tracing, shutdown, reloads, port }: ServeOptions): Promise<never> {
  guardProcess(log);
  // All of it: what is thrown before the port is listened on would else be taken for a driver's, and the process end
  // with 0.
  try {
    const missing = await missingPermissions(neededPermissions(config));
    if (missing.length > 0) {
      refuse(`Cannot start without these permissions: ${missing.join(" ")}${whoseFiles(config, missing)}`);
    }
    const certificate = await openCertificate(config);
    const connectionsMax = connectionsThatFit(LISTENER_LIMITS.connectionsMax, config.databasePoolMax);
    if (connectionsMax < CONNECTIONS_MIN) {
      refuse(
        `Cannot start: this process may open files for ${connectionsMax} connections, expected ${CONNECTIONS_MIN} or ` +
          `more. Raise its limit of open files (ulimit -n)`,
      );
    }
    if (connectionsMax < LISTENER_LIMITS.connectionsMax) {
      log.warn(
        { connectionsMax, usual: LISTENER_LIMITS.connectionsMax },
        "fewer connections: the limit of open files is low",
      );
    }
    const admin = await openAdmin(config, log);
    if (port !== undefined) console.log(adminLine(admin?.url));
    if (port === "claimed") await claimPort(config.host, config.port);
    const app = await startApp(config, {
      log,
      tracing,
      tls: certificate?.pair,
      reusePort: port !== undefined,
      connectionsMax,
      onDeaf: () => void endProcess(EXIT_DEAF),
    });
    const watch = certificate?.watch((pair) => app.useCertificate(pair), log);
    admin?.show(processPages({
      served: app.served,
      build: buildInfo(),
      certificateExpiryMs: () => certificate?.expiresAtMs,
    }));
    reloads.addEventListener("reload", () => {
      void app.readConsole();
      if (watch !== undefined) return void watch.ask();
      if (config.console) return log.info({}, "SIGHUP: the console is read anew; settings are read at the start only");
      log.info({}, "SIGHUP changes nothing: there is no certificate, and settings are read at the start only");
    });
    console.log(listenLine(app.url));
    await shutdown;
    watch?.stop();
    await app.close();
    await admin?.close();
    log.info({}, "stopped");
    return await endProcess(0);
  } catch (error) {
    if (error instanceof ConfigError) {
      await lastLines();
      refuse(error.message);
    }
    const { code = "", syscall = "" } = error as { code?: string; syscall?: string };
    if (LISTEN_CALLS.has(syscall)) {
      await lastLines();
      const exitCode = PASSING_CODES.has(code) ? EXIT_FAILED : EXIT_UNUSABLE;
      refuse(`Cannot listen on ${hostAndPort(config.host, config.port)} (${code}): ${expectedAddress(code)}`, exitCode);
    }
    log.error({ error: errorFields(error) }, "cannot go on");
    return await endProcess(EXIT_FAILED);
  }
}

/** Which settings name the files that may not be read, for whoever did not know that this takes a permission. */
function whoseFiles({ tlsFiles }: Config, missing: readonly string[]): string {
  const paths = tlsFiles === undefined ? [] : [tlsFiles.cert, tlsFiles.key];
  if (!missing.some((flag) => paths.some((path) => flag.endsWith(`=${path}`)))) return "";
  return "\n  TLS_CERT_FILE and TLS_KEY_FILE name files to read; `bin/holdfast` permits what the settings need";
}

function expectedAddress(code: string): string {
  if (PASSING_CODES.has(code)) return "start it again when the system has what it lacks now";
  if (code === "EACCES") return "set PORT to one that this user may listen on, such as 1024 and above";
  return "set HOST and PORT to an address that is free here";
}
