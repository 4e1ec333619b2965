/** Slips in sales that are written without a read. */
import type { Slip } from "../plant.ts";

export const KEPT_LEVEL_SLIPS: readonly Slip[] = [
  {
    file: "src/inventory/settle_kept.ts",
    find: "settled.verdicts.length === operations.length && settled.verdicts.every(isWritten);",
    replace: "settled.verdicts.length === operations.length;",
    rule: "nobody is refused on a kept level, nor answered for an earlier call",
    tests: ["tests/unit/settle_kept_test.ts"],
  },
  {
    file: "src/inventory/settle_kept.ts",
    find: ` && !("order" in verdict && verdict.order.asked !== undefined)`,
    replace: "",
    rule: "nobody gets less than he asks for on a kept level",
    tests: ["tests/unit/settle_kept_test.ts"],
  },
  {
    file: "src/store/statements/branches/levels.ts",
    find: "? sql`and ${hasNoPolicy(sql)}\n             and (l",
    replace: "? sql`and (l",
    rule: "a policy that was given by hand since a level was kept is not sold past",
    tests: ["tests/integration/lanes_unread_test.ts"],
  },
  {
    file: "src/lanes/kept_levels.ts",
    find: "(readMs === undefined ? 2 : 1)",
    replace: "1",
    rule: "who is alone with a goods again needs no read for it soon",
    tests: ["tests/unit/kept_levels_test.ts"],
  },
  {
    file: "src/lanes/kept_levels.ts",
    find: "2 * (this.#goods.get(stockKey)?.movedMs ?? 0)",
    replace: "0",
    rule: "a goods that others move each time is ever more seldom decided on without a read",
    tests: ["tests/unit/kept_levels_test.ts"],
  },
  {
    file: "src/lanes/kept_levels.ts",
    find: " || nowMs - kept.readMs > msMaxOf(kept.level)) return",
    replace: ") return",
    rule: "a level is kept for a bounded time from the read that it goes back to",
    tests: ["tests/unit/kept_levels_test.ts"],
  },
  {
    file: "src/inventory/settle_kept.ts",
    find: "{ ...settled.changes, atWrite: true }",
    replace: "settled.changes",
    rule: "what is decided without a read has the time of its write",
    tests: ["tests/unit/settle_kept_test.ts"],
  },
  {
    file: "src/lanes/run_batch.ts",
    find: "      kept.moved(keysOfAll(decision.entries));\n",
    replace: "",
    rule: "a goods that others move costs one vain write in a while, and not one each time",
    tests: ["tests/integration/lanes_unread_test.ts"],
  },
  {
    file: "src/lanes/kept_levels.ts",
    find: "reserved > 0 ? KEPT_RESERVED_MS_MAX : KEPT_MS_MAX",
    replace: "KEPT_MS_MAX",
    rule: "a level of which holds have units is kept for a moment, as the time of some may be up",
    tests: ["tests/unit/kept_levels_test.ts"],
  },
  {
    file: "src/lanes/kept_levels.ts",
    find: "sinceMs !== undefined && isThrough &&",
    replace: "sinceMs !== undefined &&",
    rule: "where more holds have ended than one read has, the next batch reads",
    tests: ["tests/unit/kept_levels_test.ts"],
  },
  {
    file: "src/store/statements/write_changes.ts",
    find: "atWrite === true ? sql`levels.holds_from` : holdsFromRead",
    replace: "holdsFromRead",
    rule: "a hold that ended before a sale without a read is found by the next read",
    tests: ["tests/integration/lanes_unread_holds_test.ts"],
  },
  {
    file: "src/store/statements/branches/levels.ts",
    find: "(l.reserved = 0\n                  or levels",
    replace: "(true\n                  or levels",
    rule: "no sale leaves units reserved whose hold ended long ago, however late it is written",
    tests: ["tests/integration/lanes_unread_holds_test.ts"],
  },
];
