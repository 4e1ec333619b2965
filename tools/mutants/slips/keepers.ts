/** Slips in what keepers run: retention, and the doctor. */
import type { Slip } from "../plant.ts";

const PERIODS = {
  file: "src/store/statements/retention/periods.ts",
  tests: ["tests/integration/retention_test.ts"],
};

export const KEEPER_SLIPS: readonly Slip[] = [
  {
    ...PERIODS,
    find: "check (at >= '${at}'::timestamptz)",
    replace: "check (at >= '${at}'::timestamptz or true)",
    rule: "a decision of before a period is not written into it",
  },
  {
    ...PERIODS,
    find: "from movements_${period} where version = 1",
    replace: "from movements_${period} where version = 0",
    rule: "the first movement of a place stays, by which it is found",
  },
  {
    ...PERIODS,
    find: "select goods_id, location_id, max(version) as version",
    replace: "select goods_id, location_id, min(version) as version",
    rule: "an opening is where a place stood after the last movement that left",
  },
  {
    file: "src/store/statements/retention/old_orders.ts",
    tests: PERIODS.tests,
    find: " and page.state <> 'held'",
    replace: "",
    rule: "an order that is held does not leave",
  },
  {
    file: "src/retention/plan.ts",
    tests: ["tests/unit/retention_test.ts"],
    find: "periods[i + 1]!.beganAtMs <= nowMs - keptMs",
    replace: "periods[i]!.beganAtMs <= nowMs - keptMs",
    rule: "a period leaves when all of it is older than the window",
  },
  {
    file: "src/store/statements/tail_marks.ts",
    tests: ["tests/integration/watch_resume_test.ts"],
    find: " and at = ${timeOfUs(sql, atUs)}",
    replace: "",
    rule: "a movement of a time that a restore has undone is not taken for another with its id",
  },
  {
    file: "src/watch/tail_reader.ts",
    tests: ["tests/integration/watch_resume_test.ts"],
    find: "Math.min(xip[0] ?? xmax, newestXid + 1)",
    replace: "xip[0] ?? xmax",
    rule: "ids that no movement has are not taken as seen",
  },
  {
    file: "src/doctor/examine.ts",
    tests: ["tests/integration/doctor_test.ts"],
    find: "const newer = applied.filter((number) => !migrations.includes(number));",
    replace: "const newer: string[] = [];",
    rule: "the doctor of one version does not judge the schema of a newer one",
  },
];
