/**
 * `deno task bench [--smoke] [--turns]`: measures Holdfast beside what it is compared with, on servers of its own, and
 * checks the stock after every measurement. Progress is on standard error; standard output gets the table at the end.
 *
 * A whole run writes bench/results.json and bench/results.svg. A smoke run is short, writes nothing, and is about
 * correctness alone. Either fails when the stock does not add up; a ratio that misses its target is shown and fails
 * nothing. `--turns` measures only what is compared by turns, oftener and on small tables, and writes nothing.
 */
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config/config.ts";
import { isForReader, message } from "../tools/reader_errors.ts";
import { listenForStop } from "../tools/stop_requests.ts";
import { EXIT_FAILED } from "../src/process/exit_codes.ts";
import { InventoryService } from "../src/gen/inventory/v1/inventory_pb.ts";
import { createLog } from "../src/telemetry/create_log.ts";
import { checkLedger } from "./stock_totals.ts";
import { type Environment, withEnvironment } from "./environment.ts";
import { measure, type Measurement } from "./measure.ts";
import { nextRound, type Plan, planRun, RUN_MS_MAX } from "./plan.ts";
import { chart } from "./report/chart.ts";
import { ratios } from "./report/ratios.ts";
import { type Results, resultsText, rounded, scenarioResult } from "./report/results.ts";
import { readSetting } from "./report/setting.ts";
import { table } from "./report/table.ts";
import { measureTurns } from "./turns.ts";

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(): Promise<number> {
  const args = Deno.args.filter((arg) => arg !== "--");
  if (args.some((arg) => arg !== "--smoke" && arg !== "--turns")) {
    console.error("Usage: deno task bench [--smoke] [--turns]");
    return EXIT_USAGE;
  }
  const [smoke, turnsOnly] = [args.includes("--smoke"), args.includes("--turns")];
  const plan = planRun({ smoke, turnsOnly, sellBatch: Object.hasOwn(InventoryService.method, "sellBatch") });
  const log = createLog("warn", "pretty");
  const stop = new AbortController();
  const requests = listenForStop();
  requests.first.then((why) => stop.abort(new Error(`stopped: ${why}`)));
  requests.second.then(() => Deno.exit(EXIT_INTERRUPTED));
  const timer = setTimeout(
    () => stop.abort(new Error(`The run was not over after ${RUN_MS_MAX / 1000} s, and was stopped`)),
    RUN_MS_MAX,
  );
  try {
    const results = await withEnvironment(
      plan.sizes,
      log,
      stop.signal,
      report,
      (environment) => runAll(plan, environment, stop.signal),
    );
    console.log(table(results, [...plan.scenarios, ...plan.turns.scenarios]));
    const clean = results.ratios.at(-1)?.isMet === true;
    for (const words of wrongs(results)) console.log(words);
    if (!smoke && !turnsOnly) await write(results, plan);
    report(clean ? "done, and the stock adds up" : "FAILED: the stock does not add up, see above");
    return clean ? 0 : EXIT_FAILED;
  } catch (error) {
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    log.error(isForReader(cause) ? {} : { error: cause }, `the bench could not finish: ${message(cause)}`);
    return requests.isAsked() ? EXIT_INTERRUPTED : EXIT_FAILED;
  } finally {
    clearTimeout(timer);
  }
}

async function runAll(plan: Plan, environment: Environment, stop: AbortSignal): Promise<Results> {
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
    setting: await readSetting(environment),
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

async function write(results: Results, plan: Plan): Promise<void> {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  await Deno.writeTextFile(path("results.json"), resultsText(results));
  await Deno.writeTextFile(path("results.svg"), chart(results, [...plan.scenarios, ...plan.turns.scenarios]));
  report("wrote bench/results.json and bench/results.svg");
}

function report(progress: string): void {
  const seconds = Math.round(performance.now() / 1000).toString().padStart(3);
  console.error(`[${seconds} s] ${progress}`);
}

if (import.meta.main) Deno.exit(await main());
