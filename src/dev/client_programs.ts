/**
 * Programs of others for the tests in tests/clients: clients in other languages, proxies and poolers. Those that are
 * missing are brought in with one call of apt, beside the tests that need none of them.
 */
import type { Log } from "../telemetry/log.ts";
import { aptInstall } from "./apt.ts";
import { findProgram } from "./programs.ts";
import { message } from "./reader_errors.ts";

/** Each with the packages that bring it. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  pgbouncer: ["pgbouncer"],
};

/** Where they are, for the tests. */
export interface ClientPrograms {
  /** What the tests read; see tests/support/client_programs.ts. */
  readonly env: Readonly<Record<string, string>>;
  /** Full paths of those that are there. */
  readonly paths: readonly string[];
}

/** Finds them, and brings in what is missing. Never throws: a test that needs one that is missing fails, and says why. */
export async function bringClientPrograms(log: Log): Promise<ClientPrograms> {
  const missing = Object.keys(PACKAGES).filter((name) => findProgram(name) === undefined);
  const packages = [...new Set(missing.flatMap((name) => PACKAGES[name] ?? []))];
  let reason = "apt's packages do not hold it";
  if (packages.length > 0) await aptInstall(packages, log).catch((error) => reason = message(error));
  const programs = Object.entries(PACKAGES).map(([name, packages]) => {
    const path = findProgram(name);
    const advice = `install it (\`sudo apt-get install ${packages.join(" ")}\`)`;
    return [name, path === undefined ? { missing: `${name} is missing: ${reason}; ${advice}` } : { path }] as const;
  });
  const paths = programs.flatMap(([, { path }]) => path ?? []);
  return { env: { TEST_CLIENT_PROGRAMS: JSON.stringify(Object.fromEntries(programs)) }, paths };
}
