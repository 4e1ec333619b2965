/**
 * A directory whose files are in memory, where we may mount one (Linux, as root). Tests make and drop hundreds of
 * databases, which costs a file system on disk far more than the tests themselves: a whole run took 338 s on disk and
 * 267 s in memory, and 90 of 200 s of system time were spent there.
 */
import { systemEnvironment } from "../../src/process/child_environment.ts";

/** What it may grow to; a whole run needs less than half of it. */
const SIZE_BYTES_MAX = 4 * 2 ** 30;
/** Not where the servers and tests would have too little left. */
const AVAILABLE_BYTES_MIN = 2 * SIZE_BYTES_MAX;

/**
 * Keeps what will be written below `dir`, which is empty, in memory. False: that can't be had, and it stays on disk.
 */
export async function keepInMemory(dir: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.systemMemoryInfo().available < AVAILABLE_BYTES_MIN) return false;
  return await succeeds("mount", ["-t", "tmpfs", "-o", `size=${SIZE_BYTES_MAX},mode=700`, "holdfast-test", dir]);
}

/**
 * Gives the memory of a directory back, with all that is in it; nothing where there is none. Files may still be open.
 */
export async function leaveMemory(dir: string): Promise<void> {
  if (Deno.build.os === "linux") await succeeds("umount", ["--lazy", dir]);
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const command = new Deno.Command(program, {
    args: [...args],
    env: systemEnvironment(),
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return await command.output().then(({ success }) => success, () => false);
}
