/** Slips in the lock. */
import type { Slip } from "../plant.ts";

const CLOCK = { file: "src/lock/redlock.ts", tests: ["tests/integration/lock_clock_test.ts"] };
const LOCK = ["tests/integration/lock_test.ts"];
const EXTENSION = ["tests/integration/lock_extend_test.ts"];

export const LOCK_SLIPS: readonly Slip[] = [
  {
    file: "src/lock/nodes/node_link.ts",
    find: "    stream.cork();\n",
    replace: "",
    rule: "a release and the next lease go to a node in one write",
    tests: ["tests/integration/lock_writes_test.ts"],
  },
  {
    file: "src/lock/nodes/node_link.ts",
    find: '    this.#redis.stream.on("error", () => {});\n',
    replace: "",
    rule: "a node that breaks a log-in off under TLS leaves no error that nobody catches",
    tests: ["tests/integration/redis_tls_test.ts"],
  },
  {
    file: "src/lock/nodes/nodes.ts",
    find: "if (await this.#access.renew())",
    replace: "if (await this.#access.renew() && this.#connection !== undefined)",
    rule: "a password that was replaced in its file is that of the next dial",
    tests: ["tests/integration/redis_tls_test.ts"],
  },
  {
    file: "src/lock/nodes/standing.ts",
    find: '  if (noLogInFor !== undefined) return { state: "refused", reason: noLogInFor };\n',
    replace: "",
    rule: "a node that refuses the log-in is no node that is away",
    tests: ["tests/unit/lock_standing_test.ts", "tests/integration/redis_tls_test.ts"],
  },
  {
    ...CLOCK,
    find: "    owned.startedMs = startedMs;\n",
    replace: "    owned.startedMs = this.#options.nowMs();\n",
    rule: "validity counts from before the asking, after an extension too",
  },
  {
    ...CLOCK,
    find: "quarantineMs = ttlMs,",
    replace: "quarantineMs = ttlMs / 2,",
    rule: "quarantine is the whole TTL",
  },
  {
    ...CLOCK,
    find: "const overMs = startedMs + ttlMs - owned.sinceMs - tenureMsMax(ttlMs);",
    replace: "const overMs = startedMs - owned.sinceMs - tenureMsMax(ttlMs);",
    rule: "the bound of a tenure is exact, not only finite",
  },
  {
    ...CLOCK,
    find: "await tryExtend(this.#nodes, lock, ttlMs);",
    replace: "await tryExtend(this.#nodes, lock, Math.round(ttlMs / 2));",
    rule: "what a lease claims is what the nodes were asked for",
  },
  {
    ...CLOCK,
    find: "if (this.#remainingMs(owned) < usableValidityMs(ttlMs)) this.#lose",
    replace: "if (this.#remainingMs(owned) < 0) this.#lose",
    rule: "an extension that took too long is lost",
  },
  {
    file: "src/lock/nodes/nodes.ts",
    find: "    this.#connection = undefined;\n    this.#uptime = undefined;\n",
    replace: "    this.#connection = undefined;\n",
    rule: "a restarted node never votes before its new uptime is known",
    tests: CLOCK.tests,
  },
  {
    file: "src/lock/nodes/nodes.ts",
    find: "      if (this.#uptime === undefined) await this.#identify(connection);\n",
    replace: "      if (this.#uptime === undefined) void this.#identify(connection).catch(() => {});\n",
    rule: "which server a node is, and that it may say so, is known before it votes",
    tests: ["tests/integration/lock_vote_test.ts", ...CLOCK.tests],
  },
  {
    file: "src/lock/nodes/nodes.ts",
    find:
      `    if (error.message.startsWith("READONLY")) this.#uptime = { leastMs: 0, readMs: this.#options.nowMs() };\n`,
    replace: "",
    rule: "a node that was a replica goes through quarantine before it votes",
    tests: CLOCK.tests,
  },
  {
    file: "src/lock/nodes/standing.ts",
    find: "other < node && otherId === runId",
    replace: "other > node && otherId === runId",
    rule: "of nodes that are one server the first has the vote",
    tests: ["tests/unit/lock_reason_test.ts"],
  },
  {
    file: "src/lock/validity.ts",
    find: "return ttlMs - Math.round(ttlMs * DRIFT_FACTOR) - DRIFT_MS - spentMs;",
    replace: "return ttlMs - DRIFT_MS - spentMs;",
    rule: "the drift of the clocks is taken off a lease's time",
    tests: ["tests/unit/lock_timing_test.ts", "tests/unit/lock_quarantine_test.ts"],
  },
  {
    file: "src/lock/nodes/standing.ts",
    find: "Math.max(0, Number(seconds) - 1) * 1000",
    replace: "Number(seconds) * 1000",
    rule: "an uptime is never taken for longer than it is",
    tests: ["tests/unit/lock_quarantine_test.ts"],
  },
  {
    file: "src/lock/redlock.ts",
    find: "      lease.release();\n",
    replace: "",
    rule: "a lease with too little of its time left is released",
    tests: LOCK,
  },
  {
    file: "src/lock/redlock.ts",
    find: "    this.#release(owned, [...owned.stockKeys]);\n    throw new LeaseLostError",
    replace: "    throw new LeaseLostError",
    rule: "a lease that is lost is released where it still is",
    tests: EXTENSION,
  },
  {
    file: "src/lock/redlock.ts",
    find: 'filter((_, i) => ballot.votes[i] === "no");',
    replace: 'filter((_, i) => ballot.votes[i] === "yes");',
    rule: "who has the goods is asked of the nodes that refused, and the hint is left there",
    tests: LOCK,
  },
  {
    file: "src/lock/scripts.ts",
    find: "if values[i] == ARGV[1] then",
    replace: "if values[i] then",
    rule: "a release takes nothing that is another's by now",
    tests: LOCK,
  },
  {
    file: "src/lock/scripts.ts",
    find: "if values[i] ~= ARGV[1] then",
    replace: "if not values[i] then",
    rule: "an extension takes nothing that is another's by now",
    tests: EXTENSION,
  },
  {
    file: "src/lock/waiter_hints.ts",
    find: " && names[i] !== this.#name) wanted.add",
    replace: ") wanted.add",
    rule: "a process's own hints are not those of others",
    tests: ["tests/integration/lock_test.ts"],
  },
  {
    file: "src/lock/nodes/standing.ts",
    find: "  if (!isKnown) return",
    replace: "  if (!isKnown && quarantineLeftMs > 0) return",
    rule: "a node has no vote before it is known which server it is",
    tests: ["tests/unit/lock_standing_test.ts"],
  },
  {
    file: "src/lock/ballot.ts",
    find: "if (yes + out < quorum && missing + out < quorum)",
    replace: "if (yes + out < quorum)",
    rule: "goods are taken only once that can't be the loss of the quorum any more",
    tests: ["tests/unit/lock_votes_test.ts"],
  },
  {
    file: "src/lock/nodes/script_call.ts",
    find: "if (args[i] !== last[i]) return false;",
    replace: "{}",
    rule: "a node is asked what is asked of it, and not what was asked last",
    tests: ["tests/integration/lock_script_call_test.ts"],
  },
];
