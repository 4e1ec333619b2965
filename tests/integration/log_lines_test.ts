/** What of callers' texts comes into the log, as machines and as people read it. */
import { assert, assertEquals } from "@std/assert";
import { logLines } from "../../src/telemetry/log_lines.ts";
import { prettyLines } from "../../src/telemetry/pretty_lines.ts";

Deno.test("a line has nothing of a caller's that a terminal would obey, and says the same all the same", () => {
  const lines: string[] = [];
  const log = logLines("info", { base: null, fields: undefined, write: (line) => void lines.push(line) });
  const fields = { origin: "https://a\u001b[2J\u007f\u0085\u009b2J", actor: "a\u202eb\u2028\u{e0041}\u00e9\u{1f600}" };
  log.info(fields, "said");
  log.error({ error: new Error("of \u009b2J") }, "failed");
  const unseen = /[^\n -~\u00a0-\u{1ffff}]|[\u202a-\u202e\u2028\u2029]/u;
  for (const line of [...lines, ...lines.map(prettyLines())]) assert(!unseen.test(line), JSON.stringify(line));
  const { origin, actor } = JSON.parse(lines[0]!);
  assertEquals({ origin, actor }, fields);
  // Letters stay as they are.
  assert(lines[0]!.includes("\u00e9\u{1f600}"), lines[0]);
  assertEquals(lines.map((line) => line.indexOf("\n") === line.length - 1), [true, true]);
});
