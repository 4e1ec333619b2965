/**
 * Where a private PostgreSQL's files are. As root, the data belongs to the user who runs PostgreSQL, and that alone:
 *
 *     <dir>          ours; others only pass through it
 *     <dir>/data     PostgreSQL's user's
 *     <dir>/private  ours, closed: log, port, passwords and the record of the process
 *
 * Earlier versions gave all of it to PostgreSQL's user. Such a directory is taken back first, and then only what has
 * the form of a password or a port is taken over from it.
 */
import { lchown } from "node:fs/promises";
import { join } from "node:path";
import { ownDirectory, PASSAGE_MODE, PRIVATE_MODE } from "./own_directory.ts";
import { reachableDirectory, type SystemUser } from "./system_user.ts";

/** What earlier versions kept beside the data, and the form that it has. */
const KEPT: Readonly<Record<string, RegExp>> = {
  owner_password: /^[0-9a-f]{48}\n$/,
  server_password: /^[0-9a-f]{48}\n$/,
  port: /^\d{1,5}\n$/,
};
const LEFT_BEHIND = ["postgres.log", "postgres.process.json"] as const;
const KEPT_BYTES_MAX = 64;

/** Full paths; see the file. */
export interface PostgresPlace {
  readonly dir: string;
  readonly data: string;
  readonly private: string;
}

/**
 * Makes what is missing of the place, but for the data itself. `user` is who runs PostgreSQL when we may not.
 *
 * @throws Error when something in its place belongs to somebody else
 */
export async function postgresPlace(asked: string, user: SystemUser | undefined): Promise<PostgresPlace> {
  await Deno.mkdir(asked, { recursive: true, mode: PASSAGE_MODE });
  const dir = user === undefined ? await Deno.realPath(asked) : await reachableDirectory(asked, user);
  if (user !== undefined) await takeBack(dir, user);
  await ownDirectory(dir, user === undefined ? PRIVATE_MODE : PASSAGE_MODE);
  const place = { dir, data: join(dir, "data"), private: join(dir, "private") };
  await ownDirectory(place.private, PRIVATE_MODE);
  await takeOver(place);
  return place;
}

/** Makes an empty directory for `user`, who must not have one of this name; `path` is in a directory of ours. */
export async function giveDirectory(path: string, user: SystemUser | undefined): Promise<void> {
  await Deno.mkdir(path, { mode: PRIVATE_MODE });
  if (user !== undefined) await lchown(path, user.uid, user.gid);
}

/** From here on its former owner can neither add, rename nor remove anything in it. */
async function takeBack(dir: string, user: SystemUser): Promise<void> {
  const { uid, isDirectory } = await Deno.lstat(dir);
  if (!isDirectory || uid !== user.uid) return;
  await lchown(dir, Deno.uid() ?? 0, Deno.gid() ?? 0);
  await Deno.chmod(dir, PASSAGE_MODE);
}

async function takeOver(place: PostgresPlace): Promise<void> {
  for (const [name, form] of Object.entries(KEPT)) {
    const old = join(place.dir, name);
    const info = await lstat(old);
    if (info === undefined) continue;
    const text = info.isFile && info.size <= KEPT_BYTES_MAX ? await Deno.readTextFile(old) : "";
    const path = join(place.private, name);
    if (form.test(text) && await lstat(path) === undefined) {
      await Deno.writeTextFile(path, text, { mode: 0o600, createNew: true });
    }
    await Deno.remove(old);
  }
  for (const name of LEFT_BEHIND) {
    if (await lstat(join(place.dir, name)) !== undefined) await Deno.remove(join(place.dir, name));
  }
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
