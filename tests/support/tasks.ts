/** The commands of deno.json as processes, run to their end under the permissions that they have there. */
import { taskFlags } from "./server.ts";

/** What a command came to. */
export interface TaskResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the task with these arguments and environment. */
export async function runTask(
  task: "keys" | "migrate",
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<TaskResult> {
  const flags = await taskFlags(task);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `src/${task}/main.ts`, ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
