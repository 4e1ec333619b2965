/** Slips in lists and their tokens. */
import type { Slip } from "../plant.ts";

const LISTS = "src/store/statements/lists";
const RIGHT = ["tests/integration/lists_test.ts"];
const PLANS = ["tests/integration/lists_plans_test.ts"];
const TOKENS = { file: "src/services/page_token.ts", tests: ["tests/unit/page_token_test.ts"] };

export const LIST_SLIPS: readonly Slip[] = [
  {
    file: `${LISTS}/frame.ts`,
    find: "rows.at(-1)?.[0] : edge ?? undefined",
    replace: "rows.at(-1)?.[0] : undefined",
    rule: "a list goes on behind the edge of a scan in which few rows fit",
    tests: PLANS,
  },
  {
    file: `${LISTS}/levels.ts`,
    find: "level.is_low and sums.available < level.low_stock_until as is_low",
    replace: "level.is_low as is_low",
    rule: "what is low is so without what expired holds have",
    tests: RIGHT,
  },
  {
    file: `${LISTS}/levels.ts`,
    find: "(live.reserved > 0)",
    replace: "(level.reserved > 0)",
    rule: "a goods has holds only if one of them lives",
    tests: RIGHT,
  },
  {
    file: `${LISTS}/movement_scans.ts`,
    find: "version <= begin.version",
    replace: "version < begin.version",
    rule: "the movements of a place begin with the last of its time",
    tests: RIGHT,
  },
  {
    file: `${LISTS}/order_scans.ts`,
    find: `expired: ["expired", "held"],`,
    replace: `expired: ["expired"],`,
    rule: "a hold whose time is up is listed as expired, whether or not it is on record as such",
    tests: RIGHT,
  },
  {
    ...TOKENS,
    find: "if (!fingerprint.equals(fingerprintOf(list)))",
    replace: "if (fingerprint.length !== fingerprintOf(list).length)",
    rule: "a token is taken by the query that it is of, and by no other",
  },
  {
    file: "src/inventory/explained.ts",
    find: "return isChained && total.version",
    replace: "return total.version",
    rule: "a ledger whose rows do not follow on one another does not add up",
    tests: ["tests/integration/explain_test.ts"],
  },
  {
    file: "src/services/query/stats.ts",
    find: "const top = goodsId === AFTER_ALL_GOODS ? day - 1 : day;",
    replace: "const top = day;",
    rule: "a page of stats goes on with the day before, once all goods of a day were there",
    tests: ["tests/integration/stats_test.ts"],
  },
  {
    file: "src/store/statements/stats/turnover.ts",
    find: "and at < ${timeOf(sql, sql`day.end_us`)}",
    replace: "and at <= ${timeOf(sql, sql`day.end_us`)}",
    rule: "what is written down at midnight is of the day that begins",
    tests: ["tests/integration/stats_test.ts"],
  },
  {
    file: "src/services/query/days.ts",
    find: "if (before === after) return",
    replace: "if (before >= after) return",
    rule: "a day on which clocks are set back begins once",
    tests: ["tests/unit/days_test.ts"],
  },
];
