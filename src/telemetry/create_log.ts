/**
 * The log of a program that serves nobody: one line per event, on standard error, so that standard output stays free
 * for what scripts wait for. Whoever reads it is waited for.
 */
import type { Log, LogFormat, LogLevel } from "./log.ts";
import { logLines } from "./log_lines.ts";
import { prettyLines } from "./pretty_lines.ts";

const encoder = new TextEncoder();

/** Makes the log. */
export function createLog(level: LogLevel, format: LogFormat): Log {
  const pretty = format === "pretty" ? prettyLines() : (line: string) => line;
  const write = (line: string) => void Deno.stderr.writeSync(encoder.encode(pretty(line)));
  return logLines(level, { base: null, fields: undefined, write });
}
