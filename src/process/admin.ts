/**
 * The admin port of a process, opened before anything else of it: a port that somebody has set, and that can't be had,
 * ends the start. The one that is set by nobody may be another trial's on the same machine: then it is said, and the
 * service goes on without.
 */
import { type AdminPort, openAdminPort } from "../admin/admin_port.ts";
import { hostAndPort } from "../config/address_text.ts";
import type { Config } from "../config/config.ts";
import { EXIT_UNUSABLE, refuse } from "./exit_codes.ts";
import type { Log } from "../telemetry/log.ts";
import { lastLines } from "../telemetry/process_log.ts";

/** The port; undefined where there is to be none, or the default one is taken. Ends the process as above. */
export async function openAdmin(
  { admin, allowedHosts }: Pick<Config, "admin" | "allowedHosts">,
  log: Log,
): Promise<AdminPort | undefined> {
  if (admin === undefined) return undefined;
  const { host, port, isGiven } = admin;
  try {
    const opened = await openAdminPort({ host, port, allowedHosts, log });
    log.info({ url: opened.url }, "metrics and health are here");
    return opened;
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    const problem = `ADMIN_PORT: can't listen on ${hostAndPort(host, port)} (${code || message})`;
    if (isGiven) {
      await lastLines();
      refuse(`Cannot start: ${problem}: set ADMIN_PORT to a port that is free here, or to off`, EXIT_UNUSABLE);
    }
    log.warn(
      { host, port, code },
      "no metrics: the default ADMIN_PORT can't be listened on; set ADMIN_PORT to a port that is free here, or to off",
    );
    return undefined;
  }
}
