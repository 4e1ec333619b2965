/** Generates code and pages once more, beside the work tree, and compares them with what is committed. */
import { join, relative } from "node:path";
import { generatedPages } from "../docs/pages.ts";
import { bufBinary } from "./buf_binary.ts";
import { ARTICLE_CONFIG, BENCH_CONFIG, output, type StepResult } from "./run_program.ts";

const GENERATED = ["src/gen", "bench/gen"] as const;
/** As the task `gen` has them. */
const RUNS = [
  ["generate"],
  ["generate", "proto/article", "--template", "buf.gen.article.yaml", "--config", ARTICLE_CONFIG],
  ["generate", "bench/proto", "--template", "buf.gen.bench.yaml", "--config", BENCH_CONFIG],
] as const;

/** Fails when generated code is not what the protos and plugins of now make; names each file. */
export async function generatedCodeDiffers(): Promise<StepResult> {
  const dir = await Deno.makeTempDir({ prefix: "holdfast-gate-" });
  try {
    // The plugin is a local program.
    const path = `${join(Deno.cwd(), "node_modules", ".bin")}:${Deno.env.get("PATH") ?? ""}`;
    for (const args of RUNS) {
      const { success, words } = await output(bufBinary(), [...args, "--output", dir], { PATH: path });
      if (!success) return { state: "failed", words };
    }
    const different: string[] = [];
    for (const root of GENERATED) {
      const wanted = await readTree(join(dir, root));
      const found = await readTree(root);
      const names = [...new Set([...wanted.keys(), ...found.keys()])].sort();
      different.push(...names.filter((name) => wanted.get(name) !== found.get(name)).map((name) => join(root, name)));
    }
    return different.length === 0 ? { state: "ok", words: "" } : {
      state: "failed",
      words: `run \`deno task gen\` and commit: ${different.join(", ")} differ`,
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Fails when a page is not what the protos and settings of now make; names each. */
export async function generatedPagesDiffer(): Promise<StepResult> {
  const different: string[] = [];
  for (const [path, wanted] of await generatedPages()) {
    if (wanted !== await Deno.readTextFile(path).catch(() => "")) different.push(path);
  }
  return different.length === 0 ? { state: "ok", words: "" } : {
    state: "failed",
    words: `run \`deno task docs\` and commit: ${different.join(", ")} differ`,
  };
}

async function readTree(root: string, dir = root): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Deno.readDir(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) { for (const [name, text] of await readTree(root, path)) files.set(name, text); }
    else files.set(relative(root, path), await Deno.readTextFile(path));
  }
  return files;
}
