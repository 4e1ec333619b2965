/** Slips in who may call. */
import type { Slip } from "../plant.ts";

const TABLE = { file: "src/auth/keys/key_table.ts", tests: ["tests/unit/key_table_test.ts"] };
const RULING = { file: "src/auth/authenticator.ts", tests: ["tests/integration/rights_test.ts"] };

export const CALLER_SLIPS: readonly Slip[] = [
  {
    ...RULING,
    find: "right !== undefined && !identity.rights.has(right)",
    replace: "false",
    rule: "a caller without the right of a method may not call it",
  },
  {
    ...RULING,
    find: "if (right === ANYONE || head.path === BALANCER_PATH) return undefined;",
    replace: "if (right === ANYONE || right === undefined) return undefined;",
    rule: "what is served here is no business of whoever proves nothing",
  },
  {
    ...TABLE,
    find: "export const KNOWN_MS_MAX = 1000;",
    replace: "export const KNOWN_MS_MAX = 10_000;",
    rule: "no call is decided by what was known of keys longer ago than a second",
  },
  {
    ...TABLE,
    find: "      this.#verified.clear();\n",
    replace: "",
    rule: "a key that was good is looked at again when any has changed",
  },
  {
    ...TABLE,
    find: `if (!isSame) throw new UnauthenticatedError("wrong_secret", id);`,
    replace: "",
    rule: "the id of a key is not enough",
  },
  {
    ...TABLE,
    find: "if (nowMs >= entry.endsAt)",
    replace: "if (false)",
    rule: "a key expires to the moment, whatever was read when",
  },
  {
    file: "src/auth/keys/key_table.ts",
    find: "this.#byId.get(row.id) === entry && !row.isRevoked &&",
    replace: "",
    rule: "a stream ends when its key is revoked",
    tests: ["tests/unit/key_table_test.ts", "tests/integration/keys_test.ts"],
  },
  {
    file: "src/services/stock/apply_batch.ts",
    find: "if (identity === undefined || identity.rights.has(right)) return;",
    replace: "return;",
    rule: "a part of a batch asks for the right of its single call",
    tests: ["tests/integration/rights_test.ts"],
  },
  {
    file: "src/app.ts",
    find: "callers === undefined ? believedActor : (values) => identityOf(values)?.name",
    replace: "believedActor",
    rule: "no line of a call has a name that nobody has proven",
    tests: ["tests/integration/rights_test.ts"],
  },
  {
    file: "src/services/attribution.ts",
    find: `given !== "" && given !== identity.name`,
    replace: "false",
    rule: "nobody asks in the name of another",
    tests: ["tests/unit/attribution_test.ts"],
  },
  {
    file: "src/config/auth_setting.ts",
    find: "if (AUTH !== undefined || isLoopbackHost(HOST)) return [];",
    replace: "return [];",
    rule: "a port that others can reach is not open by oversight",
    tests: ["tests/unit/auth_setting_test.ts"],
  },
  {
    file: "src/auth/stream_watch.ts",
    find: "request.stream && !request.signal.aborted",
    replace: "request.stream",
    rule: "no stream is looked at that has ended",
    tests: ["tests/integration/stream_watch_test.ts"],
  },
];
