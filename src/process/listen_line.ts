/** The one line on standard output: where the service listens. Launchers and scripts wait for it. */

const PATTERN = /^Holdfast listens on (\S+)$/;

/** The line for an address such as `http://127.0.0.1:8080`. */
export function listenLine(url: string): string {
  return `Holdfast listens on ${url}`;
}

/** The address that a line names; undefined for any other line. */
export function listenUrl(line: string): string | undefined {
  return PATTERN.exec(line)?.[1];
}
