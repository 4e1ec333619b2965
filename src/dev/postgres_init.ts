/**
 * Makes the data directory of a private PostgreSQL once, and the passwords beside it. A directory whose making was
 * interrupted is made afresh: the data gets its final name only when it is whole.
 */
import { join } from "node:path";
import type { Log } from "../telemetry/log.ts";
import type { SystemUser } from "./system_user.ts";

const PASSWORD_BYTES = 24;

export interface InitializeOptions {
  readonly dir: string;
  readonly binDir: string;
  readonly user: SystemUser | undefined;
  readonly ownerRole: string;
  readonly fsync: boolean;
  readonly log: Log;
}

/**
 * Makes `dir/data` where it is missing, with `ownerRole` as its superuser and passwords asked of everybody.
 *
 * @throws Error with initdb's own words when it fails, or when the data belongs to another major version
 */
export async function initializeDatabase(options: InitializeOptions): Promise<void> {
  const { dir, user } = options;
  if (user !== undefined) await Deno.chown(dir, user.uid, user.gid);
  const data = join(dir, "data");
  const existing = await dataMajor(dir);
  if (existing !== undefined) return await checkVersion(data, existing, options.binDir);

  options.log.info({ dir }, "making a new database directory");
  await makePassword(dir, "owner", user);
  await makePassword(dir, "server", user);
  const unfinished = join(dir, "data.unfinished");
  await Deno.remove(unfinished, { recursive: true }).catch(() => {});
  const args = ["-D", unfinished, "-U", options.ownerRole, "--auth=scram-sha-256"];
  args.push(`--pwfile=${passwordPath(dir, "owner")}`, "--encoding=UTF8", "--locale=C");
  if (!options.fsync) args.push("--no-sync");
  const { success, stdout, stderr } = await new Deno.Command(join(options.binDir, "initdb"), {
    args,
    cwd: dir,
    stdin: "null",
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  }).output();
  if (!success) {
    const decoder = new TextDecoder();
    throw new Error(`initdb could not make ${data}: ${decoder.decode(stderr).trim() || decoder.decode(stdout).trim()}`);
  }
  await Deno.rename(unfinished, data);
}

/** Major version of the data in `dir`, or undefined where there is none yet. */
export async function dataMajor(dir: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(dir, "data", "PG_VERSION")).catch(() => undefined);
  return text === undefined ? undefined : Number(text.trim());
}

/** The password of `whose` role, from its file in `dir`. */
export async function password(dir: string, whose: "owner" | "server"): Promise<string> {
  return (await Deno.readTextFile(passwordPath(dir, whose))).trim();
}

async function makePassword(dir: string, whose: "owner" | "server", user: SystemUser | undefined): Promise<void> {
  const path = passwordPath(dir, whose);
  await Deno.remove(path).catch(() => {});
  const secret = crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES)).toHex();
  await Deno.writeTextFile(path, secret + "\n", { mode: 0o600, createNew: true });
  if (user !== undefined) await Deno.chown(path, user.uid, user.gid);
}

function passwordPath(dir: string, whose: "owner" | "server"): string {
  return join(dir, `${whose}_password`);
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
  const { stdout } = await new Deno.Command(join(binDir, "postgres"), { args: ["--version"], stdin: "null" }).output();
  return Number(/\) (\d+)/.exec(new TextDecoder().decode(stdout))?.[1]);
}
