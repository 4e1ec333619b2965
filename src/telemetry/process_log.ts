/**
 * The log of a process that serves: on standard error, without ever waiting for whoever reads that, and the end of the
 * process, which waits for it, but not for long.
 */
import { LineWriter } from "./line_writer.ts";
import type { Log, LogFormat, LogLevel } from "./log.ts";
import { logLines } from "./log_lines.ts";

/** How long the end of a process waits for its last lines to be taken. */
const LAST_LINES_MS_MAX = 1000;

const lines = new LineWriter((bytes) => Deno.stderr.write(bytes));

/**
 * Makes the log; `base` is in every line, and `fields` answers what is added to one. There is one log in a process. It
 * leaves standard output to the one line that scripts wait for ("Holdfast listens on ...").
 */
export async function createProcessLog(
  level: LogLevel,
  format: LogFormat,
  base?: Record<string, unknown>,
  fields?: () => object | undefined,
): Promise<Log> {
  const pretty = format === "pretty" ? (await import("./pretty_lines.ts")).prettyLines() : (line: string) => line;
  const log = logLines(level, { base: base ?? null, fields, write: (line) => lines.line(pretty(line)) });
  lines.onLoss = (count) => log.error({ lines: count }, "lines of the log were not written: nobody took them");
  return log;
}

/** Resolves when the lines so far were taken, or after a bounded time. */
export function lastLines(): Promise<void> {
  return lines.flush(LAST_LINES_MS_MAX);
}

/** Ends the process with its last lines written, as far as somebody takes them. */
export async function endProcess(code: number): Promise<never> {
  await lastLines();
  Deno.exit(code);
}
