/** Another version of the program, out of the history of this repository. */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Lays the program of a commit out in `dir`, with the packages of this one; undefined where there is no such commit, or
 * no history.
 */
export async function checkOut(commit: string, dir: string): Promise<URL | undefined> {
  await Deno.mkdir(dir, { recursive: true });
  const archive = join(dir, "archive.tar");
  const done = await run("git", "-C", ROOT, "archive", "--format=tar", `--output=${archive}`, commit) &&
    await run("tar", "-xf", archive, "-C", dir) &&
    await run("ln", "-s", join(ROOT, "node_modules"), join(dir, "node_modules"));
  if (!done) return undefined;
  await Deno.remove(archive);
  return pathToFileURL(`${dir}/`);
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    // Not there, or not granted to this run.
    return false;
  }
}
