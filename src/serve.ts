/**
 * A process that serves: permissions, the app, and its end. Standard output gets one line, when it listens; everything
 * else is the log on standard error.
 */
import { listenLine } from "./listen_line.ts";
import { startApp } from "./app.ts";
import { type Config, ConfigError } from "./config.ts";
import { EXIT_DEAF, EXIT_FAILED, refuse } from "./exit_codes.ts";
import { missingPermissions, neededPermissions } from "./permissions.ts";
import { CONNECTIONS_MIN, connectionsThatFit } from "./open_files.ts";
import { guardProcess } from "./process_guard.ts";
import { LISTENER_LIMITS } from "./rpc/listener_limits.ts";
import { errorFields, type Log } from "./telemetry/log.ts";
import { endProcess, lastLines } from "./telemetry/process_log.ts";
import { claimPort } from "./workers/claim_port.ts";

/** Taken, not allowed, not of this machine, no such name. */
const UNUSABLE_ADDRESS_CODES = new Set(["EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

/** How to serve. */
export interface ServeOptions {
  readonly log: Log;
  /** Resolves when it is time to drain. */
  readonly shutdown: Promise<void>;
  /** For a worker: it shares the port with others. The first of them claims it. */
  readonly port?: "claimed" | "joined";
}

/** Serves until `shutdown`, then drains and exits with 0. Exits with 78 or 1, and says why, when it can't go on. */
export async function serve(config: Config, { log, shutdown, port }: ServeOptions): Promise<never> {
  guardProcess(log);
  // All of it: what is thrown before the port is listened on would else be taken for a driver's, and the process end with 0.
  try {
    const missing = await missingPermissions(neededPermissions(config));
    if (missing.length > 0) refuse(`Cannot start without these permissions: ${missing.join(" ")}`);
    const tls = await readTls(config.tlsFiles);
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
    if (port === "claimed") await claimPort(config.host, config.port);
    const app = await startApp(config, {
      log,
      tls,
      reusePort: port !== undefined,
      connectionsMax,
      onDeaf: () => void endProcess(EXIT_DEAF),
    });
    console.log(listenLine(app.url));
    await shutdown;
    await app.close();
    log.info({}, "stopped");
    return await endProcess(0);
  } catch (error) {
    if (error instanceof ConfigError) {
      await lastLines();
      refuse(error.message);
    }
    const code = (error as { code?: string }).code ?? "";
    if (UNUSABLE_ADDRESS_CODES.has(code)) {
      await lastLines();
      refuse(
        `Cannot listen on ${config.host}:${config.port} (${code}): set HOST and PORT to an address that is free here`,
      );
    }
    log.error({ error: errorFields(error) }, "cannot go on");
    return await endProcess(EXIT_FAILED);
  }
}

async function readTls(files: Config["tlsFiles"]): Promise<{ cert: string; key: string } | undefined> {
  if (files === undefined) return undefined;
  return { cert: await Deno.readTextFile(files.cert), key: await Deno.readTextFile(files.key) };
}
