/**
 * What a log is to the parts of the program, and what of an error may be written to it. Pure.
 */

/** What the parts of Holdfast need of a log. Fields first, then a fixed sentence that can be searched for. */
export interface Log {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Levels from most to least talkative; `silent` writes nothing. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `json`: a line an event, for machines. `pretty`: for people. */
export const LOG_FORMATS = ["json", "pretty"] as const;
/** One of {@link LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Longest text that a field of an error may bring into a line; the rest is cut. */
const ERROR_TEXT_CHARACTERS_MAX = 2000;

/**
 * An error as log fields: name, message, code and stack, and the chain of causes.
 *
 * Only these are taken. A driver's error carries the statement, its parameters and connection options
 * in other properties, and those must never reach a log.
 */
export function errorFields(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: cut(String(error)) };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: cut(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined || depth > 0 ? {} : { stack: cut(error.stack) }),
    ...(error.cause === undefined || depth >= 3 ? {} : { cause: errorFields(error.cause, depth + 1) }),
  };
}

/** An error without its stacks, for what is expected to happen: a server that is away. */
export function errorSummary(error: unknown): Record<string, unknown> {
  return errorFields(error, 1);
}

function cut(text: string): string {
  return text.length <= ERROR_TEXT_CHARACTERS_MAX ? text : `${text.slice(0, ERROR_TEXT_CHARACTERS_MAX)}… (cut)`;
}
