/**
 * A whole run, a smoke run, or what is compared by turns alone: scenarios in rounds or by turns, and the stock checked
 * after every measurement. Standard output gets the table at the end.
 */
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config/config.ts";
import { InventoryService } from "../src/gen/inventory/v1/inventory_pb.ts";
import { checkLedger, stockTotals } from "./stock_totals.ts";
import { type Environment, withEnvironment } from "./environment.ts";
import { measure, type Measurement } from "./measure.ts";
import { nextRound, type Plan, planRun, type Wanted } from "./plan.ts";
import { VARIANTS } from "./load/protocol.ts";
import { chart } from "./report/chart.ts";
import { ratios } from "./report/ratios.ts";
import { type Results, resultsText, rounded, scenarioResult } from "./report/results.ts";
import { readSetting } from "./report/setting.ts";
import { table } from "./report/table.ts";
import { roundOf } from "./rounds.ts";
import type { RunContext } from "./run_context.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { measureTurns } from "./turns.ts";

/**
 * Runs it, prints its table, and writes the record of its kind, unless it is a smoke run; `only` leaves all else out.
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
    needsFleet: allOf(plan).some(({ fleet }) => fleet !== undefined),
    // Others, and those who watch, would only take of the cores what is measured on them.
    variants: VARIANTS.filter((name) => allOf(plan).some(({ variant }) => variant === name)),
  };
  const results = await withEnvironment(needs, context, (environment) => runAll(plan, environment, context));
  console.log(table(results, allOf(plan)));
  for (const words of wrongs(results)) console.log(words);
  if (!smoke) await write(results, plan, only, context);
  return results.ratios.at(-1)?.isMet === true;
}

async function runAll(plan: Plan, environment: Environment, { stop, report }: RunContext): Promise<Results> {
  const { scenarios, warmup, rounds, turns, sizes, smoke } = plan;
  report(`warming up: ${warmup.length} measurements`);
  const unusual: string[] = [];
  for (const { scenario, first } of warmup) {
    stop.throwIfAborted();
    unusual.push(...(await measure(scenario, environment, first)).violations);
  }
  const setupMs = performance.now();
  if (turns.cycles > 0) {
    report(`${turns.scenarios.length} scenarios by turns, ${turns.warmup} + ${turns.cycles} times each`);
  }
  const measured = new Map<string, Measurement[]>([
    ...scenarios.map(({ id }): [string, Measurement[]] => [id, []]),
    ...await measureTurns(turns, environment, stop),
  ]);
  let wholeRoundMs = 0;
  for (let round = 1; round <= rounds; round++) {
    const startedMs = performance.now();
    const planned = roundOf(plan, round);
    const now = round === 1 ? planned : nextRound(plan, round, { elapsedMs: startedMs, setupMs, wholeRoundMs });
    if (now.length === 0) {
      report(`the machine is slow: no time is left for round ${round}`);
      break;
    }
    if (now.length < planned.length) {
      report(`the machine is slow: round ${round} has ${now.length} of ${planned.length} scenarios`);
    }
    for (const [index, scenario] of now.entries()) {
      stop.throwIfAborted();
      // Another one alone in every second round, so that whole rounds, every second one, have each of them as well.
      const measurement = await measure(scenario, environment, Math.floor(round / 2));
      measured.get(scenario.id)?.push(measurement);
      const wrong = measurement.violations.length === 0 ? "" : `  WRONG: ${measurement.violations.join("; ")}`;
      const rate = rounded(measurement.rate).toLocaleString("en");
      const place = `round ${round} of ${rounds}, ${index + 1} of ${now.length}`;
      report(`${place}: ${scenario.title}: ${rate} ${scenario.unit}${wrong}`);
    }
    if (now.length === scenarios.length) wholeRoundMs = performance.now() - startedMs;
  }
  const ledgers = await checkLedgers(environment, report);
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

/** Checks two at a time, the largest first: begun last, it would keep one core busy while the other has nothing. */
async function checkLedgers(
  { stocks, sql }: Environment,
  report: RunContext["report"],
): Promise<Record<string, string[]>> {
  const sized = await Promise.all(stocks.map(async (name) => ({ name, ...await stockTotals(sql(name)) })));
  const queue = sized.toSorted((a, b) => b.movements - a.movements);
  const found: Record<string, string[]> = {};
  const check = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      found[next.name] = await checkLedger(sql(next.name));
      report(`checked the ledger of ${next.name}: ${next.movements.toLocaleString("en")} movements`);
    }
  };
  await Promise.all([check(), check()]);
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
