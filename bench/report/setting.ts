/** What a run was made on: counts, versions and the settings that matter, and no name of the machine. */
import type postgres from "postgres";
import { allocatorEnvironment } from "../../src/process/allocator.ts";
import type { Setting } from "./results.ts";

/** Settings of PostgreSQL that a rate depends on. */
const POSTGRES_SETTINGS = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_level",
  "shared_buffers",
  "max_wal_size",
  "autovacuum",
] as const;

/** Asks the programs of the run: PostgreSQL by any connection to it, and Redis. */
export async function readSetting(sql: postgres.Sql, redisProgram: string): Promise<Setting> {
  const [version] = await sql<{ server_version: string }[]>`show server_version`;
  const settings = await sql<{ name: string; value: string }[]>`
    select name, current_setting(name) as value from pg_settings where name = any (${[...POSTGRES_SETTINGS]})`;
  const redis = await new Deno.Command(redisProgram, { args: ["--version"], stdin: "null" }).output();
  return {
    cores: navigator.hardwareConcurrency,
    platform: `${Deno.build.os} ${Deno.build.arch}`,
    versions: {
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      allocator: allocatorEnvironment().LD_PRELOAD || "the system's",
      postgresql: version?.server_version.split(" ")[0] ?? "",
      // Where it runs in a container this is the engine's.
      redis: /v?[=\s](\d+\.\d+\.\d+)/.exec(new TextDecoder().decode(redis.stdout))?.[1] ?? "",
    },
    postgresql: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
  };
}
