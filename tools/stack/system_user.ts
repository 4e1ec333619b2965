/**
 * Who runs PostgreSQL and Redis. PostgreSQL refuses to run as root, and Redis has no need to, so root hands them to
 * other users; and PostgreSQL's must be able to reach the data through every directory above it.
 */
import { dirname, join, resolve } from "node:path";
import { ownDirectory, PASSAGE_MODE } from "./own_directory.ts";

/** Tried in this order; the first is made by packages of the server, the second exists on every system. */
const DATABASE_USERS = ["postgres", "nobody"] as const;
const REDIS_USERS = ["redis", "nobody"] as const;
/** Where the data goes when the user cannot reach the directory that was asked for. */
const REACHABLE_ROOT = "/var/lib/holdfast";

/** A user of the system, as /etc/passwd has it. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that PostgreSQL must run as, or undefined when it can run as we do.
 *
 * @throws Error when we are root and the system has no user for it
 */
export function databaseUser(): SystemUser | undefined {
  if (!isRoot()) return undefined;
  const user = findUser(DATABASE_USERS);
  if (user !== undefined) return user;
  throw new Error(
    "PostgreSQL does not run as root, and there is no user `postgres` to hand it to: add one with `useradd postgres`",
  );
}

/**
 * The user that Redis is to run as, or undefined when it is ours.
 *
 * @throws Error when we are root and the system has no user for it
 */
export function redisUser(): SystemUser | undefined {
  if (!isRoot()) return undefined;
  const user = findUser(REDIS_USERS);
  if (user !== undefined) return user;
  throw new Error("There is no user `redis` to run Redis as, and root must not: add one with `useradd redis`");
}

function isRoot(): boolean {
  return Deno.build.os !== "windows" && Deno.uid() === 0;
}

function findUser(names: readonly string[]): SystemUser | undefined {
  const lines = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
  for (const name of names) {
    const line = lines.find((fields) => fields[0] === name);
    if (line !== undefined) return { name, uid: Number(line[2]), gid: Number(line[3]) };
  }
  return undefined;
}

/**
 * A directory for the data that `user` can reach: `dir` itself, or one under {@link REACHABLE_ROOT} when a directory
 * above `dir` is closed to others (a clone under /root, for instance). It is made where it is missing.
 *
 * @throws Deno.errors.PermissionDenied when neither can be made
 */
export async function reachableDirectory(dir: string, user: SystemUser): Promise<string> {
  await Deno.mkdir(dir, { recursive: true });
  const real = await Deno.realPath(dir);
  if (canReach(real, user)) return real;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(real));
  const stand = join(REACHABLE_ROOT, new Uint8Array(digest).slice(0, 8).toHex());
  await ownDirectory(REACHABLE_ROOT, PASSAGE_MODE);
  await Deno.mkdir(stand, { recursive: true, mode: PASSAGE_MODE });
  return stand;
}

function canReach(dir: string, user: SystemUser): boolean {
  for (let above = dirname(resolve(dir));; above = dirname(above)) {
    const { mode, uid, gid } = Deno.statSync(above);
    const bits = mode ?? 0;
    const open = uid === user.uid ? bits & 0o100 : gid === user.gid ? bits & 0o010 : bits & 0o001;
    if (open === 0) return false;
    if (above === dirname(above)) return true;
  }
}
