/** Slips with what is seen of the program from outside: traces, and the lines for calls. */
import type { Slip } from "../plant.ts";

const CALLS = ["tests/e2e/traces_calls_test.ts"];

export const TELEMETRY_SLIPS: readonly Slip[] = [
  {
    file: "src/telemetry/tracing.ts",
    find: "return await context.with(ROOT_CONTEXT, work);",
    replace: "return await work();",
    rule: "a batch of no traced call is in the trace of none",
    tests: ["tests/e2e/traces_export_test.ts"],
  },
  {
    file: "src/telemetry/tracing.ts",
    find: "for (const call of others) call.addLink({ context: span.spanContext() });",
    replace: "",
    rule: "every call of a batch leads to it",
    tests: CALLS,
  },
  {
    file: "src/telemetry/tracing.ts",
    find: "if (!FAULTS.has(code)) return;",
    replace: "",
    rule: "what is refused is no error of the server",
    tests: CALLS,
  },
  {
    file: "src/telemetry/log_lines.ts",
    find: "write(printable(line))",
    replace: "write(line)",
    rule: "what callers send is text in the log",
    tests: ["tests/integration/log_lines_test.ts"],
  },
  {
    file: "src/telemetry/log_lines.ts",
    find: "{ mixin: () => fields() ?? {} }",
    replace: "{}",
    rule: "lines that belong to a trace have its ids",
    tests: CALLS,
  },
  {
    file: "src/telemetry/access_log.ts",
    find: "if (this.#inSecond >= ERROR_LINES_PER_SECOND_MAX) {",
    replace: "if (false) {",
    rule: "callers can't fill the log by calls that fail",
    tests: ["tests/unit/access_log_test.ts"],
  },
  {
    file: "src/rpc/seen_call.ts",
    find: 'once("aborted", () => this.end(undefined));',
    replace: 'once("aborted", () => {});',
    rule: "a call whose caller has left has a code in its span",
    tests: CALLS,
  },
];
