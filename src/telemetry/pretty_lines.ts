/** Lines of the log as people read them. */
import { prettyFactory } from "pino-pretty";

/** What makes such text of a line of JSON, for standard error: in colours where that is a terminal. */
export function prettyLines(): (line: string) => string {
  const pretty = prettyFactory({ colorize: Deno.stderr.isTerminal() });
  return (line) => pretty(line) ?? line;
}
