/** Runs one program of the gate to its end and keeps what it said. */

/** buf's configuration for proto/article: its service has no package, so it is a module of its own. */
export const ARTICLE_CONFIG = JSON.stringify({ version: "v2", modules: [{ path: "proto/article" }] });

/** The same for bench/proto, which is no part of the API. */
export const BENCH_CONFIG = JSON.stringify({ version: "v2", modules: [{ path: "bench/proto" }] });

const RUN_MS_MAX = 300_000;

/** How a step ended; `words` is for the reader, empty when there is nothing to say. */
export interface StepResult {
  readonly state: "ok" | "failed" | "skipped";
  readonly words: string;
}

/** What a program wrote, and whether it ended well. */
export interface Output {
  readonly success: boolean;
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** Both outputs, as text. */
  readonly words: string;
}

/** Runs a program in the project's directory, for at most {@link RUN_MS_MAX}. */
export async function output(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout, words: `${decoder.decode(stderr)}${decoder.decode(stdout)}`.trim() };
}

/** Runs a program whose exit code is the answer; its words are shown only when it failed. */
export async function run(program: string, args: readonly string[]): Promise<StepResult> {
  const { success, words } = await output(program, args);
  return success ? { state: "ok", words: "" } : { state: "failed", words };
}
