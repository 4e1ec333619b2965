/** Slips in holds: reserve, confirm, and what happens when their time is up. */
import type { Slip } from "../plant.ts";

const HOLDS = { tests: ["tests/integration/holds_test.ts"] };
const SHORTFALLS = { tests: ["tests/integration/holds_shortfalls_test.ts"] };
const EXPIRY = { tests: ["tests/integration/holds_expiry_test.ts"] };
const SWEEPER = { file: "src/jobs/hold_sweeper.ts", tests: ["tests/unit/hold_sweeper_test.ts"] };

export const HOLD_SLIPS: readonly Slip[] = [
  {
    ...EXPIRY,
    file: "src/inventory/settle.ts",
    find: "  for (const hold of due) movements.push(expire(working, hold));\n",
    replace: "",
    rule: "an expired hold blocks no sale",
  },
  {
    ...EXPIRY,
    file: "src/store/statements/read_levels.ts",
    find: "case when holds_from <= statement_timestamp() then",
    replace: "case when false then",
    rule: "what is read of a level does not count expired holds",
  },
  {
    ...HOLDS,
    file: "src/inventory/hold_lines.ts",
    find: "return `${keyOf(line)} ${line.expiresAtMs}`;",
    replace: "return `${keyOf(line)}`;",
    rule: "a hold with more time has one row of holds, not two",
  },
  {
    file: "src/inventory/operations/reserve.ts",
    find: `of: "reserved", `,
    replace: `of: "on_hand", `,
    rule: "a refusal says that what is reserved would pass int32, not what is on hand",
    tests: ["tests/unit/decide_stock_test.ts"],
  },
  {
    ...SHORTFALLS,
    file: "src/inventory/operations/confirm.ts",
    find: "effect: { steps: [], order: expired, shortfall },",
    replace: "effect: { steps: [], shortfall },",
    rule: "no shortfall goes on record beside a sale that another process made meanwhile",
  },
  {
    ...SHORTFALLS,
    file: "src/inventory/operations/confirm.ts",
    find: "effect: { steps, order, endsShortfall: true }",
    replace: "effect: { steps, order }",
    rule: "a shortfall ends when its order is sold after all",
  },
  {
    file: "src/inventory/operations/confirm.ts",
    find: "const effect = { steps, order: sold, endsShortfall: true } as const;",
    replace: "const effect = { steps, order: sold } as const;",
    rule: "a shortfall ends too when its order is reserved anew and then sold",
    tests: ["tests/unit/decide_stock_test.ts"],
  },
  {
    ...SHORTFALLS,
    file: "src/store/statements/shortfalls.ts",
    find: "and coalesce(${openedAtMs ?? null}::bigint = ${openedMs(sql)}, true)",
    replace: "",
    rule: "a late copy of what resolved a shortfall does not resolve the next one",
  },
  {
    ...SHORTFALLS,
    file: "src/store/statements/branches/records.ts",
    find: "resolution = null, opened_at = ${at}",
    replace: "resolution = null",
    rule: "a shortfall that is open again is known from the one before",
  },
  {
    file: "src/store/statements/shortfalls.ts",
    find: "greatest(date_trunc('milliseconds', statement_timestamp()), created_at, opened_at)",
    replace: "date_trunc('milliseconds', statement_timestamp())",
    rule: "a shortfall is not resolved as of before it was opened",
    tests: ["tests/integration/clock_back_test.ts"],
  },
  {
    ...SWEEPER,
    find: "this.#at = this.#nextFrom ?? before(atMs - OVERLAP_MS);",
    replace: "this.#at = before(atMs - OVERLAP_MS);",
    rule: "what could not be written down is looked at again",
  },
];
