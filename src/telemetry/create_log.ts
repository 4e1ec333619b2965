/**
 * The program's log: one line per event, on standard error, so that standard output stays free for the
 * one line that scripts wait for ("Holdfast listens on ...").
 */
import pino from "pino";
import { prettyFactory } from "pino-pretty";
import { errorFields, type Log, type LogFormat, type LogLevel } from "./log.ts";

const encoder = new TextEncoder();

/** Writes a line to standard error, and waits for whoever reads that: for programs that serve nobody. */
function writeNow(line: string): void {
  Deno.stderr.writeSync(encoder.encode(line));
}

/**
 * Makes the log; `base` is in every line, and `write` is given each, with its end. An Error under the key `error` is
 * written by {@link errorFields}. `fields` answers what is added to a line, such as which trace it belongs to.
 */
export function createLog(
  level: LogLevel,
  format: LogFormat,
  base: Record<string, unknown> | null = null,
  write: (line: string) => void = writeNow,
  fields: (() => object | undefined) | undefined = undefined,
): Log {
  const pretty = format === "pretty" ? prettyFactory({ colorize: Deno.stderr.isTerminal() }) : undefined;
  return pino(
    {
      level,
      base,
      ...(fields === undefined ? {} : { mixin: () => fields() ?? {} }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (value: unknown) => (value instanceof Error ? errorFields(value) : value) },
    },
    {
      write(line: string) {
        write(pretty?.(line) ?? line);
      },
    },
  );
}
