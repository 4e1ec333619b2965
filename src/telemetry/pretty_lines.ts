/** Lines of the log as people read them. */
import { prettyFactory } from "pino-pretty";
import { printable } from "./printable.ts";

/** What makes such text of a line of JSON, for standard error: in colours where that is a terminal. */
export function prettyLines(): (line: string) => string {
  const pretty = prettyFactory({ colorize: Deno.stderr.isTerminal() });
  // Again: what was written as JSON has it is read as such, and comes out as it was.
  return (line) => printable(pretty(line) ?? line);
}
