/** Copies of the work tree, and what is run in them. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { settled } from "../../src/base/bounded_wait.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Until a run that was asked to stop is asked again, and until it is killed. */
const STOP_MS_MAX = 30_000;
/** Of what a run said, the last characters are kept. */
const WORDS_KEPT = 4000;

/** A directory that is removed at the end of its scope. */
export interface Copy extends AsyncDisposable {
  readonly path: string;
}

/** How a run of tests ended; `counts` is its last line, and `words` the end of what it said. */
export interface End {
  readonly is: "passed" | "failed" | "stopped";
  readonly counts: string;
  readonly words: string;
}

/**
 * Copies the files that git knows, or would take, with the packages as they are here. Throws where git can't be run.
 */
export async function freshCopy(): Promise<Copy> {
  const listed = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: ROOT,
  }).output();
  if (!listed.success) throw new Error(new TextDecoder().decode(listed.stderr));
  const path = await Deno.makeTempDir({ prefix: "holdfast-mutant-" });
  const [files, directories] = [new TextDecoder().decode(listed.stdout).split("\0"), new Set<string>()];
  for (const file of files) {
    if (file === "" || !await isFile(join(ROOT, file))) continue;
    const directory = dirname(join(path, file));
    if (!directories.has(directory)) await Deno.mkdir(directory, { recursive: true });
    directories.add(directory);
    await Deno.copyFile(join(ROOT, file), join(path, file));
  }
  await Deno.symlink(join(ROOT, "node_modules"), join(path, "node_modules"));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** What the compiler says against the file; undefined if nothing. */
export async function compiles(cwd: string, file: string): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--frozen", file],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return success ? undefined : new TextDecoder().decode(stderr).trim();
}

/** Runs tests by the project's own task, for `msMax` at most. */
export async function runTests(
  cwd: string,
  tests: readonly string[],
  msMax: number,
  stop: AbortSignal,
): Promise<End> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "test", "--", ...tests],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = { stdout: "", stderr: "" };
  const read = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const bytes of child[name]) {
      said[name] = (said[name] + decoder.decode(bytes, { stream: true })).slice(-WORDS_KEPT);
    }
  };
  const end = (is: End["is"]): End => ({
    is,
    counts: said.stdout.trimEnd().split("\n").at(-1) ?? "",
    words: `${said.stderr}${said.stdout}`.trim(),
  });
  const ended = Promise.all([child.status, read("stdout"), read("stderr")]);
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, msMax);
  const interrupted = () => over.resolve();
  stop.addEventListener("abort", interrupted, { once: true });
  try {
    const first = await Promise.race([ended, over.promise]);
    if (first !== undefined) return end(first[0].success ? "passed" : "failed");
    // The first time it stops its servers, the second time it goes at once.
    for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
      child.kill(signal);
      if (await settled(ended, STOP_MS_MAX)) break;
    }
    return end("stopped");
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", interrupted);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch (error) {
    // Removed here, and not yet from git.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
