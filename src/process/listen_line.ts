/**
 * The line on standard output: where the service listens. Launchers and scripts wait for it. Processes under a
 * supervisor also say where their admin port is, which only that reads.
 */

const PATTERN = /^Holdfast listens on (\S+)$/;
const ADMIN_PATTERN = /^Metrics of Holdfast are at (\S+)$/;
/** Instead of an address, where there is no port. */
const NOWHERE = "none";

/** The line for an address such as `http://127.0.0.1:8080`. */
export function listenLine(url: string): string {
  return `Holdfast listens on ${url}`;
}

/** The address that a line names; undefined for any other line. */
export function listenUrl(line: string): string | undefined {
  return PATTERN.exec(line)?.[1];
}

/** The line for the address of an admin port; undefined: there is none. */
export function adminLine(url: string | undefined): string {
  return `Metrics of Holdfast are at ${url ?? NOWHERE}`;
}

/** What such a line says: an address, or null where there is no port; undefined for any other line. */
export function adminUrl(line: string): string | null | undefined {
  const url = ADMIN_PATTERN.exec(line)?.[1];
  return url === NOWHERE ? null : url;
}
