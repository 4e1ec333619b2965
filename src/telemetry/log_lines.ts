/**
 * The program's log as lines of JSON, one for each event. Without `pino-pretty`, which a process that serves loads only
 * where it is asked for: with what it needs it is 30 files.
 */
import pino from "pino";
import { errorFields, type Log, type LogLevel } from "./log.ts";
import { printable } from "./printable.ts";

/** What is in every line, and where lines go. */
export interface LinesOptions {
  /** In every line. */
  readonly base: Record<string, unknown> | null;
  /** Is given each line, with its end. */
  readonly write: (line: string) => void;
  /** Answers what is added to a line, such as which trace it belongs to. */
  readonly fields: (() => object | undefined) | undefined;
}

/** Makes the log. An Error under the key `error` is written by {@link errorFields}. */
export function logLines(level: LogLevel, { base, write, fields }: LinesOptions): Log {
  return pino(
    {
      level,
      base,
      ...(fields === undefined ? {} : { mixin: () => fields() ?? {} }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (value: unknown) => (value instanceof Error ? errorFields(value) : value) },
    },
    // Here, as most fields may have something of a caller's: an origin, a subject of a token, a path.
    { write: (line: string) => write(printable(line)) },
  );
}
