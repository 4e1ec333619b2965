import { assertEquals, assertMatch } from "@std/assert";
import type { Measurement } from "../../bench/measure.ts";
import { planRun } from "../../bench/plan.ts";
import { resultsText, scenarioResult } from "../../bench/report/results.ts";
import { table } from "../../bench/report/table.ts";

const { scenarios } = planRun({ smoke: false, sellBatch: true });

function measured(residentMiB: number | undefined): Measurement {
  const nothing = { parts: [], latenciesUs: [], laterUs: [], longestMs: 0, lateUs: 0, refused: {}, unknown: {} };
  return { ...nothing, rate: 100, residentMiB, violations: [] };
}

Deno.test("of a scenario's rounds the largest memory is kept, in the record and in its row of the table", () => {
  const scenario = scenarios.find(({ id }) => id === "grpc/sell/one_goods/1")!;
  const result = scenarioResult(scenario, [measured(210.4), measured(1234.6), measured(undefined)]);
  assertEquals(result.residentMiB, 1235);
  const results = {
    at: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    setting: { cores: 2, platform: "linux x86_64", versions: {}, postgresql: {} },
    ratios: [],
    ledgers: {},
    scenarios: { [scenario.id]: result },
  };
  assertEquals(JSON.parse(resultsText(results)), results);
  const rows = table(results, scenarios).split("\n");
  assertMatch(rows.find((row) => row.startsWith("gRPC ")) ?? "", / RSS MiB /);
  assertMatch(rows.find((row) => row.startsWith(`  ${scenario.title}`)) ?? "", / 1,235 +clean$/);
});

Deno.test("the CPU time of a call is that of all rounds together", () => {
  const scenario = scenarios.find(({ id }) => id === "grpc/sell/one_goods/1")!;
  const rounds = [{ ms: 100, answered: 1000 }, { ms: 500, answered: 2000 }].map((cpu) => ({ ...measured(1), cpu }));
  assertEquals(scenarioResult(scenario, rounds).cpuUs, 200);
  assertEquals("cpuUs" in scenarioResult(scenario, [measured(1)]), false);
});

Deno.test("where none of ours served there is no memory to report", () => {
  const scenario = scenarios.find(({ kind }) => kind === "pgbench")!;
  assertEquals("residentMiB" in scenarioResult(scenario, [measured(undefined)]), false);
});
