/**
 * One launcher per data directory. The lock is the system's own (flock): it ends with the process that has it,
 * however that ends, so there is no stale lock to judge.
 */
import { join } from "node:path";
import { ownDirectory } from "./own_directory.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { until } from "../../src/base/bounded_wait.ts";

/** A launcher that is just stopping, such as one whose terminal was closed, is waited for this long. */
const LOCK_WAIT_MS_MAX = 3_000;

const LOCK_MODE = 0o600;

/** Kept by {@link lockDirectory}'s caller until it is closed or the process ends. */
export interface DirectoryLock extends Disposable {
  close(): void;
}

/**
 * Takes `dir` for this process.
 *
 * @throws Error that names the process which has it, when that one keeps it for {@link LOCK_WAIT_MS_MAX}
 */
export async function lockDirectory(dir: string, log: Log): Promise<DirectoryLock> {
  const lock = await tryLockDirectory(dir);
  if (lock !== undefined) return lock;
  log.info({ dir }, "another launcher has the directory, waiting a moment for it to stop");
  let late: DirectoryLock | undefined;
  await until(async () => (late = await tryLockDirectory(dir)) !== undefined, LOCK_WAIT_MS_MAX);
  if (late !== undefined) return late;
  const owner = (await Deno.readTextFile(lockPath(dir))).trim();
  throw new Error(
    `Another launcher (process ${owner}) runs on ${dir}: stop it first, or set DATA_DIR to another directory and PORT ` +
      "to another port",
  );
}

/**
 * Takes `dir` for this process, or answers undefined when another process has it.
 *
 * @throws Error when it belongs to another user
 */
export async function tryLockDirectory(dir: string): Promise<DirectoryLock | undefined> {
  await ownDirectory(dir);
  const file = await Deno.open(lockPath(dir), { read: true, write: true, create: true, mode: LOCK_MODE });
  // Whoever may open it may lock it. Earlier versions made it for all to read.
  if (Deno.build.os !== "windows") await Deno.chmod(lockPath(dir), LOCK_MODE);
  if (!await file.tryLock(true)) {
    file.close();
    return undefined;
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  const close = () => file.close();
  return { close, [Symbol.dispose]: close };
}

function lockPath(dir: string): string {
  return join(dir, "launcher.lock");
}
