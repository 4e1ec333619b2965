/**
 * What gives a server its memory. glibc's own malloc is dear here: with jemalloc in front of it a call takes an eighth
 * to a third less CPU time, and under load the process hardly more memory (docs/benchmarks.md).
 */

/** As the system's loader knows it, wherever it lies. */
const JEMALLOC = "libjemalloc.so.2";

/**
 * What LD_PRELOAD is to be for a server: what it is set to, be that nothing; else jemalloc, where there is one that
 * Deno runs on; else "".
 */
export function preloaded(): string {
  return Deno.env.get("LD_PRELOAD") ?? (canPreload(JEMALLOC) ? JEMALLOC : "");
}

/**
 * Whether this Deno runs with that library in front. Tried, as a library that is not there only makes the loader
 * complain, but one for another libc or another size of pages ends the process.
 */
export function canPreload(library: string): boolean {
  // The loaders of macOS and Windows do not read LD_PRELOAD.
  if (Deno.build.os !== "linux") return false;
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["--version"],
    env: { LD_PRELOAD: library },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
  }).outputSync();
  return success && stderr.length === 0;
}

/** Of an environment. */
export interface AllocatorEnvironment {
  /** "" for nothing. */
  readonly LD_PRELOAD: string;
}

let known: AllocatorEnvironment | undefined = undefined;

/** What a launcher that starts servers itself adds to their environment. Tried once in a process. */
export function allocatorEnvironment(): AllocatorEnvironment {
  return known ??= { LD_PRELOAD: preloaded() };
}
