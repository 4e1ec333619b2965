/** Slips in the supervision of workers. */
import type { Slip } from "../plant.ts";

const PLAN = { file: "src/workers/plan.ts", tests: ["tests/unit/workers_plan_test.ts"] };

export const WORKERS_SLIPS: readonly Slip[] = [
  {
    ...PLAN,
    find: "const failures = livedWell ? 1 : state.failures + 1;",
    replace: "const failures = state.failures + 1;",
    rule: "a worker that had lived well begins a new row of deaths",
  },
  {
    ...PLAN,
    find: "atMs - state.sinceMs >= LIVED_MS_MIN;",
    replace: "atMs - state.sinceMs > LIVED_MS_MIN;",
    rule: "a worker has lived well from the very bound on",
  },
  {
    ...PLAN,
    find: "exitCode: plan.exitCode || (clean ? 0 : EXIT_FAILED)",
    replace: "exitCode: clean ? 0 : EXIT_FAILED",
    rule: "an exit code that says why is not covered by a later one",
  },
  {
    file: "src/workers/heartbeat.ts",
    find: "if (looks + 1 >= this.#looksMax)",
    replace: "if (looks + 1 > this.#looksMax)",
    rule: "a worker is silent for too long at the last of the looks",
    tests: ["tests/unit/workers_heartbeat_test.ts"],
  },
  {
    file: "src/workers/supervise.ts",
    find: "      silence.forget(worker);\n      clearTimeout(late);",
    replace: "      clearTimeout(late);",
    rule: "of a worker that has ended no sign of life is expected",
    tests: ["tests/unit/workers_supervise_test.ts"],
  },
  {
    file: "src/workers/restart_delay.ts",
    find: "(1 + random) / 2",
    replace: "random",
    rule: "no wait is shorter than the one before it",
    tests: ["tests/unit/workers_numbers_test.ts"],
  },
];
