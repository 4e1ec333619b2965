/** What a session has to be set to, and what of it is reported. */
import { assertEquals } from "@std/assert";
import {
  refusesSettings,
  Sessions,
  sessionSettings,
  type SessionState,
  unfitSettings,
} from "../../src/store/postgres/sessions.ts";
import { SILENT } from "../support/silent_log.ts";

const LIMITS = { statementTimeoutMs: 1000, lockTimeoutMs: 250 };
const FIT: SessionState = {
  enable_seqscan: "off",
  jit: "off",
  synchronous_commit: "on",
  statement_timeout: 1000,
  idle_in_transaction_session_timeout: 1000,
  lock_timeout: 250,
};

Deno.test("a session that has what ours ask for is fit, and so is a stricter one", () => {
  assertEquals(Object.keys(sessionSettings(LIMITS)).sort(), Object.keys(FIT).sort());
  assertEquals(unfitSettings(FIT, LIMITS), []);
  const stricter = { statement_timeout: 1, idle_in_transaction_session_timeout: 1, lock_timeout: 1 };
  assertEquals(unfitSettings({ ...FIT, ...stricter, synchronous_commit: "remote_apply" }, LIMITS), []);
});

Deno.test("each setting that does not do is reported, with what was expected", () => {
  const rows: [Partial<SessionState>, string][] = [
    [{ enable_seqscan: "on" }, "enable_seqscan is on, expected off"],
    [{ jit: "on" }, "jit is on, expected off"],
    [
      { synchronous_commit: "local" },
      "synchronous_commit is local, expected on or remote_apply: what is acknowledged could be lost",
    ],
    [{ statement_timeout: 0 }, "statement_timeout is 0 ms, expected 1 to 1000"],
    [{ statement_timeout: 1001 }, "statement_timeout is 1001 ms, expected 1 to 1000"],
    [
      { idle_in_transaction_session_timeout: 5000 },
      "idle_in_transaction_session_timeout is 5000 ms, expected 1 to 1000",
    ],
    [{ lock_timeout: 0 }, "lock_timeout is 0 ms, expected 1 to 250"],
  ];
  for (const [change, reported] of rows) assertEquals(unfitSettings({ ...FIT, ...change }, LIMITS), [reported]);
  assertEquals(unfitSettings({ ...FIT, jit: "on", lock_timeout: 251 }, LIMITS).length, 2);
});

Deno.test("only a refusal of what the log-in asked for is a sign of a pooler", () => {
  const refusal = (code: string, message: string) => refusesSettings(Object.assign(new Error(message), { code }));
  assertEquals(refusal("08P01", "unsupported startup parameter: enable_seqscan"), true);
  assertEquals(refusal("08P01", "no more connections allowed (max_client_conn)"), false);
  assertEquals(refusal("42704", 'unrecognized configuration parameter "x"'), false);
  assertEquals(refusesSettings("unsupported startup parameter"), false);
});

Deno.test("sessions are begun for a pooler from the first sign on, which is logged once", () => {
  const lines: unknown[] = [];
  const log = { ...SILENT, info: (fields: unknown) => lines.push(fields) };
  const sessions = new Sessions(log);
  assertEquals(sessions.kind, "own");
  sessions.foundPooler("a");
  sessions.foundPooler("b");
  assertEquals(sessions.kind, "pooled");
  assertEquals(lines, [{ sign: "a" }]);
});
