/**
 * Comparisons of a few percent: what is compared is measured by turns, many and short, so that a slow moment of the
 * machine meets all of it alike, and each turn is compared with its own neighbours. The stock is looked at before the
 * first turn and after the last.
 */
import type { Environment } from "./environment.ts";
import { acknowledged, type Measurement, measurementOf, runLoad, serversOf, soonMs, totals } from "./measure.ts";
import type { Tally } from "./load/protocol.ts";
import { sequenceOf, type Turns } from "./turn_sequence.ts";
import { stockViolations } from "./stock_violations.ts";

/**
 * Measures them all, on one database. Answers the measurements of each, one a cycle, so that those of a place in two
 * lists are of the same cycle; what the stock says against them is with the last of the first.
 *
 * @throws Error when a process fails or meets what it did not expect, and the reason of `stop`
 */
export async function measureTurns(
  turns: Turns,
  environment: Environment,
  stop: AbortSignal,
): Promise<Map<string, Measurement[]>> {
  const measured = new Map<string, Measurement[]>(turns.scenarios.map(({ id }) => [id, []]));
  const [first] = turns.scenarios;
  if (first === undefined) return measured;
  const before = await totals(first, environment);
  const tallies: Tally[] = [];
  for (const { scenario, counts, first: firstServer } of sequenceOf(turns)) {
    stop.throwIfAborted();
    const servers = serversOf(scenario, environment, firstServer);
    const cpuBeforeMs = servers.map((each) => each.cpuMs());
    const own = await runLoad(scenario, environment, soonMs(), firstServer);
    tallies.push(...own);
    if (!counts) continue;
    measured.get(scenario.id)?.push(measurementOf(scenario, own, { servers, cpuBeforeMs }));
  }
  const after = await totals(first, environment);
  if (before === undefined || after === undefined) return measured;
  const violations = stockViolations(before, after, acknowledged(tallies, first), { operation: "sell", ended: 0 });
  const its = measured.get(first.id) ?? [];
  const last = its.pop();
  if (last !== undefined) its.push({ ...last, violations: [...last.violations, ...violations] });
  return measured;
}
