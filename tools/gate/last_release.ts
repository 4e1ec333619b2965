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
  // Of what git says its warnings are no part, such as that a tag has the name of a branch.
  const git = async (...args: string[]) => {
    const { success, stdout } = await output("git", ["-C", root, ...args]);
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  };
  if (await git("rev-parse", "--is-shallow-repository") !== "false") return undefined;
  const heading = RELEASED.exec(await git("show", `HEAD:./${CHANGELOG}`) ?? "")?.[0];
  if (heading === undefined) return undefined;
  // Where somebody has signatures shown, what gpg says of one stands before the commit.
  const asked = ["--max-count=1", "--format=%H", "--no-show-signature", `-S${heading}`];
  const commit = await git("log", ...asked, "--", CHANGELOG);
  return commit === "" ? undefined : commit;
}
