/**
 * Everything that a run takes place on: one PostgreSQL, five Redis, and fleets of processes that reach them by links.
 */
import { join } from "node:path";
import type { PrivatePostgres } from "../../../tools/stack/postgres.ts";
import { type PrivateRedis, startRedisNodes } from "../../../tools/stack/redis.ts";
import { createLog } from "../../../src/telemetry/create_log.ts";
import { testEnvironment } from "../../support/env.ts";
import { makeDatabase, startCopiedPostgres } from "../../support/own_postgres.ts";
import { DataDisk } from "./data_disk.ts";
import { Fleet, FLEETS } from "./fleet.ts";
import { checkOut } from "./version.ts";

const REDIS_NODES = 5;

/** See the file. `await using` stops everything. */
export interface Stage extends AsyncDisposable {
  readonly postgres: PrivatePostgres;
  readonly redis: readonly PrivateRedis[];
  readonly fleets: readonly Fleet[];
  /** A checkout of the version before; undefined where there is none. */
  readonly before: URL | undefined;
  /** The file system of the tables; undefined where this machine gives none of its own. */
  readonly disk: DataDisk | undefined;
}

/** How to set it up. */
export interface StageOptions {
  /** Whether to ask the system for a file system of the tables' own, which takes root. */
  readonly disk: boolean;
  /** Commit of the version before, if it is to take part. */
  readonly before?: string;
}

/** Starts it all. Throws what does not start. */
export async function openStage({ disk: wantsDisk, before: commit }: StageOptions): Promise<Stage> {
  const log = createLog("error", "pretty");
  const dir = await Deno.makeTempDir();
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const { redisProgram } = testEnvironment();
  const stops: (() => Promise<void>)[] = [];
  const dispose = async () => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    const redis = await startRedisNodes(REDIS_NODES, { dir, program: redisProgram, log });
    stops.push(async () => void await Promise.all(redis.map((node) => node.kill())));
    const disk = wantsDisk ? await DataDisk.mount(join(dir, "disk")) : undefined;
    if (disk !== undefined) stops.push(() => disk.unmount());
    // Its processes are killed, never the machine, so nothing that was written is lost without fsync.
    const postgres = await startCopiedPostgres(join(dir, "postgres"));
    stops.push(() => postgres.stop("immediate"));
    if (disk !== undefined) await disk.makeTablespace(postgres.ownerUrl("postgres"));
    const fleets: Fleet[] = [];
    for (const plan of FLEETS) {
      await makeDatabase(postgres, plan.name);
      if (disk !== undefined) await disk.move(postgres.ownerUrl("postgres"), plan.name);
      const [ownerUrl, serverUrl] = [postgres.ownerUrl(plan.name), postgres.serverUrl(plan.name)];
      fleets.push(new Fleet(plan, { ownerUrl, serverUrl, postgresPort: () => postgres.port, redis }));
    }
    stops.push(async () => void await Promise.all(fleets.map((fleet) => fleet.close())));
    await Promise.all(fleets.map((fleet) => fleet.start()));
    const before = commit === undefined ? undefined : await checkOut(commit, join(dir, "before"));
    return { postgres, redis, fleets, before, disk, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
