/**
 * Directories that a launcher writes to, or believes what it finds in. Whoever owns a directory may put a link, or a
 * file of his own, under any name in it; a launcher that runs as root would write through the one and believe the
 * other. So such a directory belongs to the user who runs the launcher, and nobody else may write in it.
 */

/** Where a launcher keeps its servers' data where DATA_DIR is not set. */
export const DATA_DIR_DEFAULT = ".holdfast";
/** Reachable by name for other users, such as the one who runs PostgreSQL; they can't list it. */
export const PASSAGE_MODE = 0o711;
/** For nobody else at all. */
export const PRIVATE_MODE = 0o700;

const OTHERS_WRITE = 0o022;

/** Where a launcher keeps its servers' data and programs; an empty DATA_DIR counts as not set. */
export function dataDir(): string {
  return Deno.env.get("DATA_DIR") || DATA_DIR_DEFAULT;
}

/**
 * Makes sure that `dir` is there and ours alone to write in. `mode` is set on it; without one a new directory gets
 * {@link PASSAGE_MODE}, and one that is there only loses the right of others to write.
 *
 * @returns its path without links
 * @throws Error when it belongs to another user
 */
export async function ownDirectory(dir: string, mode?: number): Promise<string> {
  await Deno.mkdir(dir, { recursive: true, mode: mode ?? PASSAGE_MODE });
  const real = await Deno.realPath(dir);
  if (Deno.build.os === "windows") return real;
  const { uid, mode: found } = await Deno.lstat(real);
  if (uid !== Deno.uid()) {
    throw new Error(
      `${real} belongs to user ${uid}, who could mislead this one (${Deno.uid()}): ` +
        "give it to this user with chown, or set DATA_DIR to another directory",
    );
  }
  const bits = (found ?? 0) & 0o777;
  const wanted = mode ?? (bits & ~OTHERS_WRITE);
  if (wanted !== bits) await Deno.chmod(real, wanted);
  return real;
}

/**
 * Whether this is ours, and nobody else may write to it. `info` is of the thing itself, not of what a link leads to.
 */
export function isOursAlone(info: Deno.FileInfo): boolean {
  if (Deno.build.os === "windows") return true;
  return !info.isSymlink && info.uid === Deno.uid() && ((info.mode ?? 0) & OTHERS_WRITE) === 0;
}
