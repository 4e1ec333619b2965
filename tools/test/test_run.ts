/**
 * One `deno test` invocation, or a check of types: its output is kept until it ends, and its counts are read from its
 * summary.
 */
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "../../src/process/child_environment.ts";
import { settled } from "../../src/base/bounded_wait.ts";

const STOP_MS_MAX = 10_000;
/** Of a longer output only the end is kept: the summary is there, and what failed. */
const OUTPUT_CHARACTERS_MAX = 4_000_000;
/** So much of what failed in one invocation is said again in the end. */
const FAILURE_CHARACTERS_MAX = 5_000;
/** Leaves the check of types out; each `deno test` has it, as types are checked once for all. */
export const NO_CHECK = "--no-check";
/** Gives each test its limit. */
const PRELOAD = fileURLToPath(new URL("./test_preload.ts", import.meta.url));

/** How many tests passed, and how many failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** What an invocation came to. `output` is both of its outputs, as they came. */
export interface TestEnd extends Counts {
  readonly output: string;
  readonly ms: number;
}

/** A running invocation. `done` never rejects. */
export interface TestRun {
  readonly done: Promise<TestEnd>;
  /** Ends it, hard when it does not end by itself. */
  stop(): Promise<void>;
}

/**
 * Starts `deno test` with `args` and `env`, and of the environment of this process only what Deno needs. `givesWay`: it
 * and what it starts get of the processors what others leave.
 */
export function runTests(args: readonly string[], env: Record<string, string>, givesWay: boolean): TestRun {
  return runDeno(givesWay, ["test", "--no-prompt", NO_CHECK, `--preload=${PRELOAD}`, ...args], {
    ...switches(),
    ...env,
  });
}

/**
 * Starts a check of the types of `paths` and of all that they reach, which counts as a failure when it finds something.
 */
export function checkTypes(paths: readonly string[]): TestRun {
  return runDeno(true, ["check", "--frozen", ...paths], {});
}

function runDeno(givesWay: boolean, args: readonly string[], env: Record<string, string>): TestRun {
  const startedMs = performance.now();
  const line = [...(givesWay ? ["nice", "-n", "19"] : []), Deno.execPath(), ...args];
  const child = new Deno.Command(line[0]!, {
    args: line.slice(1),
    // Colours would stand between the words of the summary.
    env: { ...denoEnvironment(), ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const part of stream) {
      output = (output + decoder.decode(part, { stream: true })).slice(-OUTPUT_CHARACTERS_MAX);
    }
  };
  const done = Promise.all([child.status, read(child.stdout), read(child.stderr)]).then(([{ success }]) => ({
    ...count(output, success),
    output,
    ms: performance.now() - startedMs,
  }));
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

/**
 * What repeats a run whose seed was printed, what attacks come with (tests/support/attack.ts), and whether pictures of
 * pages are taken (tests/browser/support/browser.ts).
 */
function switches(): Record<string, string> {
  const isSwitch = (name: string) => name.endsWith("_SEED") || ["ATTACKS_WITH", "TAKE_PICTURES"].includes(name);
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => isSwitch(name)));
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

/**
 * What the output of a failed `deno test` says of its failures: from the errors on, and of much the beginning, as each
 * error begins with its words. Where it says nothing of errors it is the end of the output.
 */
export function failuresOf(output: string): string {
  const errors = output.lastIndexOf("\n ERRORS ");
  if (errors === -1) return output.slice(-FAILURE_CHARACTERS_MAX);
  return output.slice(errors + 1, errors + 1 + FAILURE_CHARACTERS_MAX);
}
