/**
 * Which commit the last release is: the one that gave the newest version's heading to CHANGELOG.md, as CONTRIBUTING.md
 * has it under "Releasing". Not by the tag: many a clone has none. Reads git and changes nothing in it.
 */
import { output } from "./run_program.ts";

const CHANGELOG = "CHANGELOG.md";
const RELEASED = /^## \d+\.\d+\.\d+ - /m;

/**
 * The commit of the last release that HEAD of the repository at `root` comes from. Undefined before the first one, and
 * where history is not there: no repository, or a shallow clone, whose oldest commit seems to have made everything.
 */
export async function lastRelease(root: string): Promise<string | undefined> {
  const git = (...args: string[]) => output("git", ["-C", root, ...args]);
  if ((await git("rev-parse", "--is-shallow-repository")).words !== "false") return undefined;
  const changelog = await git("show", `HEAD:./${CHANGELOG}`);
  const heading = changelog.success ? RELEASED.exec(changelog.words)?.[0] : undefined;
  if (heading === undefined) return undefined;
  const { words } = await git("log", "--max-count=1", "--format=%H", `-S${heading}`, "--", CHANGELOG);
  return words === "" ? undefined : words;
}
