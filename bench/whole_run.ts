/**
 * A whole run, a smoke run, or what is compared by turns alone: every scenario in each round, and the stock checked
 * after every measurement. Standard output gets the table at the end.
 */
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config/config.ts";
import { InventoryService } from "../src/gen/inventory/v1/inventory_pb.ts";
import { checkLedger } from "./stock_totals.ts";
import { type Environment, withEnvironment } from "./environment.ts";
import { measure, type Measurement } from "./measure.ts";
import { nextRound, type Plan, planRun, type Wanted } from "./plan.ts";
import { chart } from "./report/chart.ts";
import { ratios } from "./report/ratios.ts";
import { type Results, resultsText, rounded, scenarioResult } from "./report/results.ts";
import { readSetting } from "./report/setting.ts";
import { table } from "./report/table.ts";
import type { RunContext } from "./run_context.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { measureTurns } from "./turns.ts";

/**
 * Runs it, prints its table, and writes the record of a whole one, or of several hosts; `only` leaves all else out.
 *
 * @returns whether the stock adds up
 */
export async function runWhole(
  { smoke, only }: Pick<Wanted, "smoke" | "only">,
  context: RunContext,
): Promise<boolean> {
  const plan = planRun({
    smoke,
    ...(only === undefined ? {} : { only }),
    sellBatch: Object.hasOwn(InventoryService.method, "sellBatch"),
  });
  const needs = {
    sizes: plan.sizes,
    needsFleet: plan.turns.scenarios.some(({ fleet }) => fleet !== undefined),
    // Where nobody is compared with them they only take of the cores what the others are measured on.
    needsWatchers: plan.turns.scenarios.some(({ variant }) => variant === "watched"),
  };
  const results = await withEnvironment(needs, context, (environment) => runAll(plan, environment, context));
  console.log(table(results, allOf(plan)));
  for (const words of wrongs(results)) console.log(words);
  if (!smoke && only !== "turns") await write(results, plan, only, context);
  return results.ratios.at(-1)?.isMet === true;
}

async function runAll(plan: Plan, environment: Environment, { stop, report }: RunContext): Promise<Results> {
  const { scenarios, warmup, rounds, turns, sizes, smoke } = plan;
  report(`warming up: ${warmup.length} of ${scenarios.length} scenarios`);
  const unusual: string[] = [];
  for (const scenario of warmup) {
    stop.throwIfAborted();
    unusual.push(...(await measure(scenario, environment)).violations);
  }
  const setupMs = performance.now();
  report(`${turns.scenarios.length} scenarios by turns, ${turns.warmup} + ${turns.cycles} times each`);
  const measured = new Map<string, Measurement[]>([
    ...scenarios.map(({ id }): [string, Measurement[]] => [id, []]),
    ...await measureTurns(turns, environment, stop),
  ]);
  let wholeRoundMs = 0;
  for (let round = 1; round <= rounds; round++) {
    const startedMs = performance.now();
    const now = round === 1 ? scenarios : nextRound(plan, { elapsedMs: startedMs, setupMs, wholeRoundMs });
    if (now.length === 0) {
      report(`the machine is slow: no time is left for round ${round}`);
      break;
    }
    if (now.length < scenarios.length) {
      report(`the machine is slow: round ${round} has ${now.length} of ${scenarios.length} scenarios`);
    }
    for (const [index, scenario] of now.entries()) {
      stop.throwIfAborted();
      const measurement = await measure(scenario, environment);
      measured.get(scenario.id)?.push(measurement);
      const wrong = measurement.violations.length === 0 ? "" : `  WRONG: ${measurement.violations.join("; ")}`;
      const rate = rounded(measurement.rate).toLocaleString("en");
      const place = `round ${round} of ${rounds}, ${index + 1} of ${now.length}`;
      report(`${place}: ${scenario.title}: ${rate} ${scenario.unit}${wrong}`);
    }
    if (now.length === scenarios.length) wholeRoundMs = performance.now() - startedMs;
  }
  report(`checking the ledgers of ${environment.stocks.join(", ")}`);
  const ledgers = await checkLedgers(environment);
  stop.throwIfAborted();
  const results = Object.fromEntries(
    [...scenarios, ...turns.scenarios].map((
      scenario,
    ) => [scenario.id, scenarioResult(scenario, measured.get(scenario.id) ?? [])]),
  );
  const whole = unusual.length === 0 && Object.values(ledgers).every((violations) => violations.length === 0);
  return {
    at: new Date().toISOString(),
    seconds: Math.round(performance.now() / 1000),
    setting: await readSetting(environment.sql("baselines"), environment.redisProgram),
    // The last one is whether the stock adds up. A smoke run is too short and too cold for the others.
    ratios: ratios(results, sizes, whole, loadConfig(() => undefined)).slice(smoke ? -1 : 0)
      .filter(({ value }) => rounds > 0 || value !== undefined),
    ledgers,
    scenarios: results,
  };
}

/** The largest one takes as long as all the others together, so they are checked beside it. */
async function checkLedgers({ stocks, sql }: Environment): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const check = async (names: readonly string[]) => {
    for (const name of names) found[name] = await checkLedger(sql(name));
  };
  await Promise.all([check(stocks.slice(-1)), check(stocks.slice(0, -1))]);
  return Object.fromEntries(stocks.map((name) => [name, found[name] ?? []]));
}

/** Everything that stock and ledger say, a line each. */
function wrongs({ scenarios, ledgers }: Results): string[] {
  return [
    ...Object.entries(scenarios).flatMap(([id, { violations }]) => violations.map((words) => `WRONG ${id}: ${words}`)),
    ...Object.entries(ledgers).flatMap(([name, violations]) => violations.map((words) => `WRONG ${name}: ${words}`)),
  ];
}

async function write(results: Results, plan: Plan, only: Wanted["only"], { report }: RunContext): Promise<void> {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const name = only ?? "results";
  await Deno.writeTextFile(path(`${name}.json`), resultsText(results));
  if (only === undefined) await Deno.writeTextFile(path("results.svg"), chart(results, allOf(plan)));
  report(`wrote bench/${name}.json${only === undefined ? " and bench/results.svg" : ""}`);
}

function allOf({ scenarios, turns }: Plan): readonly Scenario[] {
  return [...scenarios, ...turns.scenarios];
}
