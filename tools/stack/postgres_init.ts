/**
 * Makes the data directory of a private PostgreSQL once, and its passwords. A directory whose making was interrupted is
 * made afresh: the data gets its final name only when it is whole.
 */
import { lchown } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../src/telemetry/log.ts";
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { makePassword, readPassword } from "./passwords.ts";
import { giveDirectory, type PostgresPlace } from "./postgres_place.ts";
import type { SystemUser } from "./system_user.ts";

/** Larger files of this name are none of PostgreSQL's. */
const VERSION_BYTES_MAX = 16;

export interface InitializeOptions {
  readonly place: PostgresPlace;
  readonly binDir: string;
  readonly user: SystemUser | undefined;
  readonly ownerRole: string;
  readonly fsync: boolean;
  readonly log: Log;
}

/**
 * Makes the data where it is missing, with `ownerRole` as its superuser and passwords asked of everybody.
 *
 * @throws Error with initdb's own words when it fails, or when the data belongs to another major version
 */
export async function initializeDatabase(options: InitializeOptions): Promise<void> {
  const { user } = options;
  const { dir, data } = options.place;
  const existing = await dataMajor(dir);
  if (existing !== undefined) return await checkVersion(data, existing, options.binDir);

  options.log.info({ dir }, "making a new database directory");
  const ownerPassword = await makePassword(passwordPath(options.place, "owner"));
  await makePassword(passwordPath(options.place, "server"));
  const unfinished = join(dir, "data.unfinished");
  const handedOver = join(dir, "initdb.password");
  for (const left of [unfinished, handedOver]) await Deno.remove(left, { recursive: true }).catch(() => {});
  await giveDirectory(unfinished, user);
  const args = ["-D", unfinished, "-U", options.ownerRole, "--auth=scram-sha-256"];
  args.push(`--pwfile=${handedOver}`, "--encoding=UTF8", "--locale=C");
  if (!options.fsync) args.push("--no-sync");
  const command = new Deno.Command(join(options.binDir, "initdb"), {
    args,
    cwd: unfinished,
    env: SERVER_ENVIRONMENT,
    clearEnv: true,
    stdin: "null",
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  // initdb opens the file as its own user, who can't open a pipe of ours; so it is there while initdb runs, and no
  // longer.
  await Deno.writeTextFile(handedOver, ownerPassword + "\n", { mode: 0o400, createNew: true });
  if (user !== undefined) await lchown(handedOver, user.uid, user.gid);
  const { success, stdout, stderr } = await command.output().finally(() => Deno.remove(handedOver));
  if (!success) {
    const decoder = new TextDecoder();
    throw new Error(`initdb could not make ${data}: ${decoder.decode(stderr).trim() || decoder.decode(stdout).trim()}`);
  }
  await Deno.rename(unfinished, data);
}

/** Major version of the data in `dir`, or undefined where there is none yet. */
export async function dataMajor(dir: string): Promise<number | undefined> {
  const path = join(dir, "data", "PG_VERSION");
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info === undefined || !info.isFile || info.size > VERSION_BYTES_MAX) return undefined;
  return Number((await Deno.readTextFile(path)).trim());
}

/** The password of `whose` role. */
export async function password(place: PostgresPlace, whose: "owner" | "server"): Promise<string> {
  return await readPassword(passwordPath(place, whose));
}

function passwordPath(place: PostgresPlace, whose: "owner" | "server"): string {
  return join(place.private, `${whose}_password`);
}

async function checkVersion(data: string, dataVersion: number, binDir: string): Promise<void> {
  const programVersion = await programMajor(binDir);
  if (programVersion === dataVersion) return;
  throw new Error(
    `${data} was made by PostgreSQL ${dataVersion}, but the one found is ${programVersion} (${binDir}): ` +
      `install PostgreSQL ${dataVersion}, or set DATA_DIR to a new directory`,
  );
}

/** Major version of the PostgreSQL in `binDir`. */
async function programMajor(binDir: string): Promise<number> {
  const { stdout } = await new Deno.Command(join(binDir, "postgres"), {
    args: ["--version"],
    env: SERVER_ENVIRONMENT,
    clearEnv: true,
    stdin: "null",
  }).output();
  return Number(/\) (\d+)/.exec(new TextDecoder().decode(stdout))?.[1]);
}
