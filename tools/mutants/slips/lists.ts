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
    file: `${LISTS}/frame.ts`,
    find: "return sql`${sql.unsafe(String(value))}`;",
    replace: "return sql`${value}::int`;",
    rule: "the limit of a scan is known to the planner, whatever it knows of values",
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
    file: `${LISTS}/level_scans.ts`,
    find: "only: sql`expires_at > statement_timestamp()`,",
    replace: "only: sql`true`,",
    rule: "a goods has holds if one of them lives: the scan does not spend itself on others",
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
    file: `${LISTS}/order_scans.ts`,
    find: "order by ${column} ${sort}, created_at ${sort}, order_id ${sort} limit",
    replace: "order by created_at ${sort}, order_id ${sort} limit",
    rule: "orders of a buyer are found by their own index",
    tests: PLANS,
  },
  {
    ...TOKENS,
    find: "if (!fingerprint.equals(fingerprintOf(list)))",
    replace: "if (fingerprint.length !== fingerprintOf(list).length)",
    rule: "a token is taken by the query that it is of, and by no other",
  },
  {
    ...TOKENS,
    find: `if (bytes.length <= HEAD_BYTES || bytes.toString("base64url") !== token)`,
    replace: `if (bytes.length <= HEAD_BYTES)`,
    rule: "a token has one spelling",
  },
];
