/** Slips in the lanes, and in how the program closes them. */
import type { Slip } from "../plant.ts";

const ENDS = ["tests/integration/lanes_ends_test.ts"];
const CACHE = { file: "src/lanes/modes/lease_cache.ts", tests: ["tests/unit/lease_cache_test.ts"] };
const LOST = ["tests/integration/lanes_lost_write_test.ts"];

export const LANES_SLIPS: readonly Slip[] = [
  {
    file: "src/lanes/coalesced_reads.ts",
    find: "      for (const caller of batch) caller.resolve(values);\n",
    replace: `      for (const caller of batch) caller.resolve(values);
      for (const caller of this.#callers) {
        if (!caller.keys.every((key) => keys.includes(key))) continue;
        this.#callers.delete(caller);
        this.#waiting.free(caller.keys.length, caller.address);
        caller.resolve(values);
      }
`,
    rule: "a read begins after its question",
    tests: ["tests/unit/coalesced_reads_test.ts"],
  },
  {
    file: "src/lanes/coalesced_reads.ts",
    find: "      for (const { keys, address } of batch) this.#waiting.free(keys.length, address);\n",
    replace: "      this.#waiting.free(keys.length);\n",
    rule: "keys that callers wait for are counted for each of them, and freed so",
    tests: ["tests/unit/coalesced_reads_test.ts"],
  },
  {
    ...CACHE,
    find: `else cached.state = nextLeaseState(cached.state, "taken", stockKey);`,
    replace: `else nextLeaseState(cached.state, "taken", stockKey);`,
    rule: "a batch's leases are not released under it, cached ones neither",
  },
  {
    ...CACHE,
    find: "nowMs - cached.sinceMs >= SHARE_AFTER_MS_MAX);",
    replace: "nowMs - cached.lookedMs >= SHARE_AFTER_MS_MAX);",
    rule: "a goods is released after a while, whether others were seen to want it or not",
  },
  {
    ...CACHE,
    find: "this.remainingMs(stockKeys) >= neededMs;",
    replace: "this.remainingMs(stockKeys) > 0;",
    rule: "a batch writes only while every lease lasts for as long as a write may take",
  },
  {
    file: "src/lanes/refusals.ts",
    find: " && !this.#wasSeenFree(stockKeys[0]!)",
    replace: "",
    rule: "who saw a goods free and did not get it does not ask again in the same moment as others",
    tests: ["tests/integration/lanes_modes_test.ts"],
  },
  {
    file: "src/lanes/until_free.ts",
    find: "    else if (!isOver) lookLater();",
    replace: "    else lookLater();",
    rule: "nobody looks whether a goods is free once the wait for it is over",
    tests: ["tests/unit/until_free_test.ts"],
  },
  {
    file: "src/lanes/refusals.ts",
    find: "performance.now() + delayMs + lockAttemptMsMax > untilMs",
    replace: "performance.now() + delayMs > untilMs",
    rule: "no caller waits for longer than the lock wait, whatever the next attempt takes",
    tests: ["tests/integration/lanes_far_nodes_test.ts", "tests/integration/lanes_modes_test.ts"],
  },
  {
    file: "src/lanes/run_batch.ts",
    find: "      for (const entry of decision.entries) entry.pause();\n      if (error instanceof",
    replace: "      if (error instanceof",
    rule: "who left before anything began to commit leaves no trace, also on the second try",
    tests: ENDS,
  },
  {
    file: "src/lanes/decision.ts",
    find: "this.#verdicts[i]?.ok === true && entry.operation",
    replace: "this.#verdicts[i]?.ok === false && entry.operation",
    rule: "what has a lost write is never refused for want of something",
    tests: LOST,
  },
  {
    file: "src/lanes/decision.ts",
    find: " && entry.operation.dryRun !== true) entry",
    replace: ") entry",
    rule: "a dry run has no part in a write that was lost",
    tests: LOST,
  },
  {
    file: "src/lanes/decision.ts",
    find: "    this.next = [...behind, ...undecided];\n",
    replace: '    for (const entry of undecided) entry.fail(new Error("not decided"));\n',
    rule: "an entry that leans on another of its batch is decided once that is committed",
    tests: LOST,
  },
  {
    file: "src/lanes/run_batch.ts",
    find: `this.#refuse(seen.waiting, new RowLockedError("locked by another session"), seen.stockKeys);`,
    replace: `this.#refuse(seen.waiting, new RowLockedError("locked by another session"));`,
    rule: "an order that waits for a locked goods leaves its other goods to those who come",
    tests: ["tests/integration/lanes_failing_batch_test.ts"],
  },
  {
    file: "src/lanes/modes/redlock.ts",
    find: "if (refused !== undefined && refused.afterMs === undefined) this.#lingering.share(refused.stockKeys);\n",
    replace: "",
    rule: "a lease does not linger of goods that another process had a while ago",
    tests: ["tests/unit/lingering_test.ts"],
  },
  {
    file: "src/lanes/modes/lingering.ts",
    find: "      this.#untilMs.delete(stockKey);\n      if ((this",
    replace: "      if ((this",
    rule: "the moment for which a lease lingers begins anew with each batch",
    tests: ["tests/unit/lingering_test.ts"],
  },
  {
    file: "src/lanes/retry_rule.ts",
    find: "if (entries === 1 || isOfDatabase(cause)) return",
    replace: "if (entries === 1) return",
    rule: "what fails because of the database as such is nobody's fault, and does not go on in halves",
    tests: ["tests/unit/retry_rule_test.ts"],
  },
  {
    file: "src/lanes/retry_rule.ts",
    find: "if (inTime && attempt < attemptsMax)",
    replace: "if (inTime && attempt <= attemptsMax)",
    rule: "attempts are bounded, this one included",
    tests: ["tests/unit/retry_rule_test.ts"],
  },
  {
    file: "src/lanes/entry.ts",
    find: `if (this.#state !== "deciding") illegalTransition("an entry", this.#state, "answered");`,
    replace: "",
    rule: "an entry ends once, and with a verdict only while it is decided",
    tests: ["tests/unit/entry_test.ts"],
  },
  {
    file: "src/inventory/states.ts",
    find: `    if (state === "held") reached.add("expired");\n`,
    replace: "",
    rule: "a hold of a lost write may have ended since",
    tests: LOST,
  },
  {
    file: "src/inventory/operations/expire.ts",
    find: ` && typeof stateRule("expire", state) !== "string";`,
    replace: `; stateRule("expire", state);`,
    rule: "an expiry that is tried again ends no hold that was made anew",
    tests: LOST,
  },
  {
    file: "src/lanes/modes/lease_states.ts",
    find: `in_use: { taken: "in_use", batch_over: "idle", released: "released" },`,
    replace: `in_use: { taken: "in_use", batch_over: "idle", released: "released", yielded: "paused" },`,
    rule: "no lease is left to others under a batch",
    tests: ["tests/unit/lease_states_test.ts"],
  },
  {
    file: "src/lanes/locked_rows.ts",
    find: "    for (const orderId of orderIds) this.#remember(orderId);\n",
    replace: "",
    rule: "an order that was seen locked is looked at before it is tried again",
    tests: ["tests/unit/locked_rows_test.ts"],
  },
  {
    file: "src/lanes/entry.ts",
    find: "&& !showsUnwritten(",
    replace: "&& showsUnwritten(",
    rule: "a refusal is no answer while a write of the same order may still commit",
    tests: LOST,
  },
  {
    file: "src/lanes/entry.ts",
    find: "return !mayFollow(operation.kind, refusal.state);",
    replace: "return true;",
    rule: "who is refused for an order's state has not made what was undone since",
    tests: LOST,
  },
  {
    file: "src/lanes/modes/quorum_fallback.ts",
    find: "if (this.#sinceMs !== undefined) return;\n    this.#sinceMs = this.#clocks.timeMs();",
    replace: "this.#sinceMs = this.#clocks.timeMs();",
    rule: "since when batches go by row locks is counted from their first, and logged once",
    tests: ["tests/unit/quorum_fallback_test.ts"],
  },
  {
    file: "src/lanes/modes/quorum_fallback.ts",
    find:
      "    this.#askAgainMs = this.#clocks.monotonicMs() + ASK_AGAIN_AFTER_MS;\n    if (this.#sinceMs !== undefined) return;\n",
    replace:
      "    if (this.#sinceMs !== undefined) return;\n    this.#askAgainMs = this.#clocks.monotonicMs() + ASK_AGAIN_AFTER_MS;\n",
    rule: "a vain question is followed by a while without one, each time",
    tests: ["tests/unit/quorum_fallback_test.ts"],
  },
  {
    file: "src/lanes/modes/redlock.ts",
    find: "if (isAsked && refused?.afterMs === undefined)",
    replace: "if (isAsked)",
    rule: "goods that are left to others for a moment say nothing about the quorum",
    tests: ["tests/unit/quorum_fallback_test.ts"],
  },
  {
    file: "src/lanes/admission.ts",
    find: "    this.#operations.free(1, address);\n    this.#lines -= lines;\n",
    replace: "    this.#operations.free(1, address);\n",
    rule: "who has ended makes place for the lines of others",
    tests: ["tests/integration/lanes_capacity_test.ts"],
  },
  {
    file: "src/lanes/dispatcher.ts",
    find: "      for (const entry of batch.entries) {\n        if (!entry.hasEnded) entry.fail(error);",
    replace: "      for (const entry of taken) {\n        if (!entry.hasEnded) entry.fail(error);",
    rule: "a fault of a batch ends nobody who is in another batch by then",
    tests: ["tests/integration/lanes_test.ts"],
  },
  {
    file: "src/lanes/batches_under_way.ts",
    find: "    return young < YOUNG_MAX;\n",
    replace: "    return young <= YOUNG_MAX;\n",
    rule: "who comes while enough batches are young goes together with the next",
    tests: ["tests/integration/lanes_batch_test.ts"],
  },
  {
    file: "src/lanes/batches_under_way.ts",
    find: "if (nowMs - begunMs < YOUNG_MS) young++;",
    replace: "if (nowMs >= begunMs) young++;",
    rule: "batches that are stuck keep nobody else waiting",
    tests: ["tests/integration/lanes_batch_test.ts"],
  },
  {
    file: "src/lanes/dispatcher.ts",
    find: "    this.#guards.releaseAll();\n",
    replace: "",
    rule: "whoever closes releases every lease",
    tests: ENDS,
  },
  {
    file: "src/stock.ts",
    find: "      await lanes.close();\n",
    replace: "",
    rule: "an orderly stop waits for what is in progress, and leaves no lease key",
    tests: ["tests/e2e/orderly_stop_test.ts", "tests/integration/stock_close_test.ts"],
  },
  {
    file: "src/stock.ts",
    find: `      if ("lock" in mode) await mode.lock.close();\n`,
    replace: "",
    rule: "an orderly stop waits for the messages that release leases",
    tests: ["tests/e2e/orderly_stop_test.ts", "tests/integration/stock_close_test.ts"],
  },
];
