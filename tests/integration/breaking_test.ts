/** What the gate compares the protos with, on a repository of the test's own. */
import { assertEquals } from "@std/assert";
import { comparedCommit } from "../../tools/gate/breaking.ts";

/** Whoever runs the test has settings of git that are none of ours. */
const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  ...Object.fromEntries(
    ["AUTHOR", "COMMITTER"].flatMap((who) => [[`GIT_${who}_NAME`, "a"], [`GIT_${who}_EMAIL`, "a@example.org"]]),
  ),
};

Deno.test("protos are compared with the last release, and before the first one with the commit before", async () => {
  const root = await Deno.makeTempDir();
  const git = async (...args: string[]) => {
    const command = new Deno.Command("git", { args: ["-C", root, ...args], env: ENVIRONMENT });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const write = (text: string) => Deno.writeTextFile(`${root}/proto/a.proto`, text);
  const commit = async (text: string) => {
    await write(text);
    await git("add", ".");
    await git("commit", "--quiet", `--message=${text}`);
  };

  await Deno.mkdir(`${root}/proto`);
  assertEquals(await comparedCommit(root), undefined, "no repository");
  await git("init", "--quiet", "--initial-branch=main");
  await commit("first");
  assertEquals(await comparedCommit(root), undefined, "a first commit");
  await write("changed");
  assertEquals(await comparedCommit(root), "HEAD", "a changed work tree");
  await commit("second");
  assertEquals(await comparedCommit(root), "HEAD~1", "a second commit");

  await git("tag", "version-of-another-kind");
  await git("switch", "--quiet", "--create", "other");
  await commit("elsewhere");
  await git("tag", "v9.0.0");
  await git("switch", "--quiet", "main");
  assertEquals(await comparedCommit(root), "HEAD~1", "no tag of a release here");
  await git("tag", "v0.1.0", "HEAD~1");
  assertEquals(await comparedCommit(root), "v0.1.0");
  await write("changed again");
  assertEquals(await comparedCommit(root), "v0.1.0", "a changed work tree after a release");
  await commit("third");
  await git("tag", "--annotate", "--message=second release", "v0.2.0");
  await commit("fourth");
  assertEquals(await comparedCommit(root), "v0.2.0");
});
