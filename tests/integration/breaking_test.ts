/** What the gate compares the protos with, on a repository of the test's own. */
import { assertEquals } from "@std/assert";
import { comparedCommit } from "../../tools/gate/breaking.ts";
import { lastRelease } from "../../tools/gate/last_release.ts";

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
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  };
  const head = () => git("rev-parse", "HEAD");
  const write = (text: string) => Deno.writeTextFile(`${root}/proto/a.proto`, text);
  const commit = async (text: string) => {
    await write(text);
    await git("add", ".");
    await git("commit", "--quiet", `--message=${text}`);
  };
  const release = async (changelog: string) => {
    await Deno.writeTextFile(`${root}/CHANGELOG.md`, changelog);
    await git("add", ".");
    await git("commit", "--quiet", "--message=release");
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

  await git("tag", "v0.1.0", "HEAD~1");
  assertEquals(await comparedCommit(root), "HEAD~1", "a tag alone releases nothing");
  await release("## Unreleased\n\n## 0.1.0 - 2020-01-01\n");
  const first = await head();
  assertEquals(await comparedCommit(root), first);
  await write("changed again");
  assertEquals(await comparedCommit(root), first, "a changed work tree after a release");
  await commit("third");
  await Deno.writeTextFile(`${root}/CHANGELOG.md`, "## 0.2.0 - 2020-01-03\n\n## 0.1.0 - 2020-01-01\n");
  assertEquals(await comparedCommit(root), first, "a heading that is not committed");
  await release("## Unreleased\n\n## 0.2.0 - 2020-01-03\n\n## 0.1.0 - 2020-01-01\n");
  const second = await head();
  await release("## Unreleased\n\n- new\n\n## 0.2.0 - 2020-01-04\n\n## 0.1.0 - 2020-01-01\n");
  await commit("fourth");
  assertEquals(await comparedCommit(root), second, "a date and a change that came later");

  const shallow = await Deno.makeTempDir();
  await git("clone", "--quiet", "--depth=1", `file://${root}`, shallow);
  assertEquals(await lastRelease(shallow), undefined, "a clone without history");
  assertEquals(await comparedCommit(shallow), undefined, "a clone without history");
  for (const dir of [root, shallow]) await Deno.remove(dir, { recursive: true });
});
