/**
 * Compares the protos with those of the last release. Before the first one, and in a clone that is too shallow to know
 * it, with the previous commit: HEAD while they are being changed in the work tree, else the commit before HEAD. Reads
 * git and changes nothing in it.
 */
import { join } from "node:path";
import { bufBinary } from "./buf_binary.ts";
import { lastRelease } from "./last_release.ts";
import { ARTICLE_CONFIG, output, type StepResult } from "./run_program.ts";

/** What the comparison needs of a commit. */
const PROTO_PATHS = ["proto", "buf.yaml"] as const;
/** What the protos import out of node_modules, which no commit has. */
const IMPORTED_DIR = "node_modules/google-proto-files/google/rpc";
const IMPORTED_FILES = [`${IMPORTED_DIR}/status.proto`] as const;
/** Our module of the workspace, which is without the article's contract, then that one. */
const INPUTS = [
  // Of a workspace buf compares all modules, and these need not be as many in both commits.
  { path: "proto/inventory", args: ["breaking", "proto"], subdir: "#subdir=proto", against: [] },
  {
    path: "proto/article",
    args: ["breaking", "proto/article", "--config", ARTICLE_CONFIG],
    subdir: "",
    against: ["--against-config", ARTICLE_CONFIG],
  },
] as const;

/** What the protos of the repository at `root` are compared with; undefined where it is not there. */
export async function comparedCommit(root: string): Promise<string | undefined> {
  const git = (...args: string[]) => output("git", ["-C", root, ...args]);
  const release = await lastRelease(root);
  if (release !== undefined) return release;
  const changed = !(await git("diff", "--quiet", "HEAD", "--", "proto")).success;
  const commit = changed ? "HEAD" : "HEAD~1";
  return (await git("rev-parse", "--verify", "--quiet", `${commit}^{commit}`)).success ? commit : undefined;
}

/** Fails when a client of that commit's API would break; skipped when there is no such commit. */
export async function breakingChanges(): Promise<StepResult> {
  const commit = await comparedCommit(".");
  if (commit === undefined) {
    return { state: "skipped", words: "there is no commit to compare with (a first one, a shallow clone, or no git)" };
  }
  const listed = await output("git", ["ls-tree", "-r", "--name-only", commit, "--", "proto"]);
  if (!listed.success) return { state: "failed", words: listed.words };
  if (!listed.words.split("\n").some((path) => path.endsWith(".proto"))) {
    return { state: "skipped", words: `${commit} has no proto` };
  }
  const imported = [`--prefix=${IMPORTED_DIR}/`, ...IMPORTED_FILES.map((file) => `--add-file=${file}`), "--prefix="];
  const archive = await output("git", ["archive", "--format=tar", ...imported, commit, "--", ...PROTO_PATHS]);
  if (!archive.success) return { state: "failed", words: archive.words };

  const dir = await Deno.makeTempDir({ prefix: "holdfast-gate-" });
  try {
    const before = join(dir, "before.tar");
    await Deno.writeFile(before, archive.stdout);
    const words: string[] = [];
    for (const { path, args, subdir, against } of INPUTS) {
      if (!listed.words.includes(`${path}/`)) continue;
      const compared = await output(bufBinary(), [...args, "--against", `${before}${subdir}`, ...against]);
      if (!compared.success) words.push(compared.words);
    }
    return words.length === 0
      ? { state: "ok", words: "" }
      : { state: "failed", words: [`compared with ${commit}:`, ...words].join("\n") };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
