/** One `deno test` invocation: its output is shown as it comes, and its counts are read from its summary. */
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "./child_environment.ts";
import { settled } from "./wait.ts";

const STOP_MS_MAX = 10_000;
/** Gives each test its limit. */
const PRELOAD = fileURLToPath(new URL("./test_preload.ts", import.meta.url));

/** How many tests ended which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A running invocation. `done` never rejects. */
export interface TestRun {
  readonly done: Promise<Counts>;
  /** Ends it, hard when it does not end by itself. */
  stop(): Promise<void>;
}

/** Starts `deno test` with `args` and `env`, and of the environment of this process only what Deno needs. */
export function runTests(args: readonly string[], env: Record<string, string>): TestRun {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-prompt", `--preload=${PRELOAD}`, ...args],
    // Colours would stand between the words of the summary.
    env: { ...denoEnvironment(), ...seeds(), ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const done = (async () => {
    let text = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
      Deno.stdout.writeSync(new TextEncoder().encode(part));
      text += part;
    }
    return count(text, (await child.status).success);
  })();
  return {
    done,
    async stop() {
      try {
        child.kill("SIGTERM");
        if (!await settled(done, STOP_MS_MAX)) child.kill("SIGKILL");
      } catch {
        // It ended before the signal came.
      }
      await done;
    },
  };
}

/** What repeats a run whose seed was printed. */
function seeds(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => name.endsWith("_SEED")));
}

/**
 * Reads the last summary in the output of `deno test`, such as "FAILED | 3 passed (1 step) | 1 failed (12ms)".
 * A run that failed without a failed test (a module that does not compile, a crash) counts as one failure.
 */
export function count(output: string, success: boolean): Counts {
  const last = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed/gm)].at(-1);
  const passed = Number(last?.[1] ?? 0);
  const failed = Number(last?.[2] ?? 0);
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}
