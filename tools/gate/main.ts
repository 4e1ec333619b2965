/**
 * `deno task static`: everything that can be said of the repository without starting a server. Every step runs, so
 * that one run shows all that is wrong. It changes nothing in the work tree.
 */
import { bufBinary } from "./buf_binary.ts";
import { breakingChanges } from "./breaking.ts";
import { codeDirectories } from "./code_directories.ts";
import { generatedCodeDiffers, generatedPagesDiffer } from "./generated.ts";
import { ARTICLE_CONFIG, run, type StepResult } from "./run_program.ts";

/** A step answers undefined when all is well, else what is wrong or why it was left out. */
interface Step {
  readonly name: string;
  check(): Promise<StepResult>;
}

const ARTICLE_BUILD = ["build", "proto/article", "--config", ARTICLE_CONFIG] as const;

const STEPS: readonly Step[] = [
  { name: "format", check: () => run(Deno.execPath(), ["fmt", "--check"]) },
  { name: "lint", check: () => run(Deno.execPath(), ["lint"]) },
  { name: "types, and deno.lock", check: () => run(Deno.execPath(), ["check", "--frozen", ...codeDirectories()]) },
  { name: "buf lint", check: () => run(bufBinary(), ["lint"]) },
  {
    name: "the article's proto compiles",
    check: () => run(bufBinary(), [...ARTICLE_BUILD, "-o", "/dev/null"]),
  },
  { name: "buf breaking", check: breakingChanges },
  { name: "generated code is current", check: generatedCodeDiffers },
  { name: "generated pages are current", check: generatedPagesDiffer },
];

async function main(): Promise<number> {
  let failures = 0;
  for (const { name, check } of STEPS) {
    const result = await check().catch((error): StepResult => ({ state: "failed", words: String(error) }));
    if (result.state === "failed") failures++;
    console.log(`${result.state.padEnd(7)} ${name}${result.words === "" ? "" : `\n${result.words}`}`);
  }
  console.log(failures === 0 ? "static checks passed" : `static checks: ${failures} of ${STEPS.length} failed`);
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
