/**
 * One launcher per data directory. The lock is the system's own (flock): it ends with the process that holds it,
 * however that ends, so there is no stale lock to judge.
 */
import { join } from "node:path";

/** Held by {@link lockDirectory}'s caller until it is closed or the process ends. */
export interface DirectoryLock extends Disposable {
  close(): void;
}

/**
 * Takes `dir` for this process.
 *
 * @throws Error that names the process which has it
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  await Deno.mkdir(dir, { recursive: true });
  const path = join(dir, "launcher.lock");
  const file = await Deno.open(path, { read: true, write: true, create: true });
  if (!await file.tryLock(true)) {
    file.close();
    const holder = (await Deno.readTextFile(path)).trim();
    throw new Error(
      `Another launcher (process ${holder}) runs on ${dir}: stop it first, or set DATA_DIR to another directory`,
    );
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  const close = () => file.close();
  return { close, [Symbol.dispose]: close };
}
