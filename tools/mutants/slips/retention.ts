/** Slips in retention, the doctor, and streams after a restore. */
import type { Slip } from "../plant.ts";

const PERIODS = {
  file: "src/store/statements/retention/periods.ts",
  tests: ["tests/integration/retention_test.ts"],
};

const EDGES = ["tests/integration/retention_edges_test.ts"];

export const RETENTION_SLIPS: readonly Slip[] = [
  {
    file: PERIODS.file,
    tests: EDGES,
    find: "set local idle_in_transaction_session_timeout = '${SILENCE_MAX}'",
    replace: "set local idle_in_transaction_session_timeout = 0",
    rule: "who falls silent while a period begins keeps nobody waiting for long",
  },
  {
    file: "src/store/statements/retention/old_orders.ts",
    tests: EDGES,
    find: "and not exists (select from orders where orders.order_id = page.order_id)",
    replace: "",
    rule: "what an order was changed by stays as long as the order",
  },
  {
    file: "src/store/statements/branches/levels.ts",
    tests: EDGES,
    find: "limit 1) is null",
    replace: "and false limit 1) is null",
    rule: "a place is not opened again by who decided so before a period",
  },
  {
    file: "src/store/statements/read_snapshot.ts",
    tests: EDGES,
    find: "and at > to_timestamp(asked.at_ms / 1000.0)) then null",
    replace: "and false) then null",
    rule: "a late count of a moment whose movements have left changes nothing",
  },
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
