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

/** In the place of gpg: signs whatever it is given, and has something to say of each signature. */
const SIGNER = `#!/bin/sh
cat > /dev/null
case "$*" in *--verify*) echo "gpg: Signature made" >&2; exit 1 ;; esac
printf '\\n[GNUPG:] SIG_CREATED \\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\n-----END PGP SIGNATURE-----\\n'
`;

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

  await git("update-ref", "refs/tags/HEAD", "HEAD~1");
  assertEquals(await comparedCommit(root), second, "git warns of a tag that is named as HEAD is");
  await git("update-ref", "-d", "refs/tags/HEAD");

  const signer = `${root}/.git/signer`;
  await Deno.writeTextFile(signer, SIGNER, { mode: 0o755 });
  await git("config", "gpg.program", signer);
  await git("config", "commit.gpgSign", "true");
  await git("config", "log.showSignature", "true");
  await release("## Unreleased\n\n## 0.3.0 - 2020-01-05\n");
  assertEquals(await comparedCommit(root), await git("rev-parse", "HEAD"), "git shows the signatures of commits");

  const shallow = await Deno.makeTempDir();
  await git("clone", "--quiet", "--depth=1", `file://${root}`, shallow);
  assertEquals(await lastRelease(shallow), undefined, "a clone without history");
  assertEquals(await comparedCommit(shallow), undefined, "a clone without history");
  for (const dir of [root, shallow]) await Deno.remove(dir, { recursive: true });
});
