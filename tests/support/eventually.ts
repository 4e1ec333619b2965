/** The one helper with which a test waits for what another process, a socket, a timer or a background loop does. */
import { until } from "../../src/base/bounded_wait.ts";

/** Bound of a wait for what has to happen: only a hang reaches it, on however busy a machine. */
export const HANG_MS = 30_000;

/**
 * Looks until it is so; every so many ms, for what is so for a short time.
 *
 * @param what for the error, such as "the server is ready"
 * @throws Error that says what was waited for, when it does not come to be so within `msMax`
 */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  msMax: number = HANG_MS,
  everyMs?: number,
): Promise<void> {
  if (!await until(isSo, msMax, everyMs)) throw new Error(`Waited ${msMax} ms in vain: ${what}`);
}
