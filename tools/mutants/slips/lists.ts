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
];
