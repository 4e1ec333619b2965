import { assert, assertEquals } from "@std/assert";
import { planRun } from "../../bench/plan.ts";
import { ratios } from "../../bench/report/ratios.ts";
import { resultsText, type ScenarioResult } from "../../bench/report/results.ts";
import { table } from "../../bench/report/table.ts";

const { scenarios: once, sizes } = planRun({ smoke: false, sellBatch: true });
const { turns } = planRun({ smoke: false, sellBatch: true, only: "turns" });
const { turns: hosts } = planRun({ smoke: false, sellBatch: true, only: "hosts" });
const scenarios = [...once, ...turns.scenarios, ...hosts.scenarios];
const LIMITS = { lockWaitMsMax: 2000 };

/** Every scenario at the same rate, but for what a test changes. */
function measured(changes: Readonly<Record<string, Partial<ScenarioResult>>> = {}): Record<string, ScenarioResult> {
  const same: ScenarioResult = {
    title: "a scenario",
    unit: "orders/s",
    rounds: [100, 100, 100],
    median: 100,
    latencyMs: { count: 3, p50: 1, p99: 2, p999: 3, max: 4 },
    smallestShare: 0.5,
    cpuUs: 100,
    longestMs: 10,
    violations: [],
  };
  return Object.fromEntries(scenarios.map(({ id }) => [id, { ...same, ...changes[id] }]));
}

function find(claim: RegExp, changes: Readonly<Record<string, Partial<ScenarioResult>>>, ledgersClean = true) {
  const found = ratios(measured(changes), sizes, ledgersClean, LIMITS).filter((ratio) => claim.test(ratio.claim));
  assertEquals(found.length, 1);
  return found[0];
}

Deno.test("every ratio names scenarios of a plan: nothing is left unmeasured in a whole run, and by turns", () => {
  const claims = (kind: readonly { id: string }[]) => {
    const of = Object.fromEntries(kind.map(({ id }) => [id, measured()[id]!]));
    return ratios(of, sizes, true, LIMITS);
  };
  for (const { claim, value, isMet } of [...claims(once), ...claims(scenarios)]) {
    assert(value !== undefined && isMet !== undefined, claim);
  }
  const all = claims(scenarios).map(({ claim }) => claim);
  const whole = new Set(claims(once).map(({ claim }) => claim));
  const others = all.filter((claim) => !whole.has(claim));
  assert(
    others.length > 0 && others.every((claim) => /^Sell (by|with|beside) |^four hosts by /.test(claim)),
    `${others}`,
  );
});

Deno.test("a ratio is met at its target, and not below it", () => {
  const goods = (median: number) => find(/article's approach/, { "in_process/one_goods/1": { median } });
  const claim = "in-process, one goods / article's approach at its best";
  assertEquals(goods(2000), { claim, value: 20, target: ">= 20", isMet: true });
  assertEquals(goods(1990)?.isMet, false);
});

Deno.test("what is measured side by side is compared round by round, with its spread", () => {
  const sell = (...rounds: number[]) =>
    find(/^gRPC Sell, one goods/, { "grpc/sell/one_goods/1": { rounds }, "grpc/noop": { rounds: [100, 50, 200] } });
  const claim = "gRPC Sell, one goods / no-op";
  assertEquals(sell(60, 45, 80), { claim, value: 0.6, spread: [0.4, 0.9], target: ">= 0.6", isMet: true });
  assertEquals(sell(59, 45, 80)?.isMet, false);
});

Deno.test("the article's approach counts at its best", () => {
  const changes = { "article/one_goods/lone": { median: 400 }, "in_process/one_goods/1": { median: 4000 } };
  assertEquals(find(/article's approach/, changes)?.value, 10);
});

Deno.test("waits and callers that gave up are compared with their limits", () => {
  const four = (change: Partial<ScenarioResult>) => ({ "in_process/one_goods/4": change });
  assertEquals(find(/longest call/, four({ longestMs: 2200 }))?.isMet, false);
  assertEquals(find(/gave up/, four({}))?.isMet, true);
  assertEquals(find(/gave up/, four({ refused: { busy: 3, short_stock: 9 } }))?.value, 3);
});

Deno.test("what has turns is compared turn by turn, with its spread, and by CPU time", () => {
  const changes = {
    "turns/sell/plain": { rounds: [100, 50, 200, 100], cpuUs: 90 },
    "turns/sell/keyed": { rounds: [99, 48, 198, 120], cpuUs: 100 },
  };
  const claim = "Sell by a key / by anybody, one goods";
  assertEquals(find(/by anybody, one goods$/, changes), {
    claim,
    value: 0.99,
    spread: [0.96, 0.99],
    target: ">= 0.95",
    isMet: true,
  });
  const cpu = { claim: `${claim}, by the server's CPU time`, value: 0.9, target: ">= 0.95", isMet: false };
  assertEquals(find(/by anybody, one goods, by/, changes), cpu);
});

Deno.test("what spreading costs a sale is compared with what it costs a call that does nothing", () => {
  const changes = {
    "fleet/uniform/by_goods": { rounds: [60, 75, 120] },
    "fleet/noop/by_goods": { rounds: [70, 75, 200] },
    "fleet/noop/one": { rounds: [100, 100, 250] },
  };
  const claim = "four hosts by their goods / one behind HAProxy, 10,000 goods / the same of a no-op";
  assertEquals(find(/10,000 goods \/ the same of a no-op$/, changes), { claim, value: 1, target: ">= 1", isMet: true });
  const dearer = { ...changes, "fleet/uniform/by_goods": { rounds: [60, 72, 120] } };
  assertEquals(find(/10,000 goods \/ the same of a no-op$/, dearer)?.isMet, false);
});

Deno.test("the last ratio says whether the stock adds up", () => {
  const last = (changes: Parameters<typeof measured>[0], clean: boolean) =>
    ratios(measured(changes), sizes, clean, LIMITS).at(-1)?.isMet;
  assertEquals(last({}, true), true);
  assertEquals(last({}, false), false);
  assertEquals(last({ "grpc/noop": { violations: ["one too many"] } }, true), false);
});

Deno.test("what was not measured is shown as such, and the record can be read back", () => {
  const some = { "grpc/noop": measured()["grpc/noop"]! };
  const results = {
    at: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    setting: { cores: 2, platform: "linux x86_64", versions: {}, postgresql: {} },
    ratios: ratios(some, sizes, true, LIMITS),
    ledgers: {},
    scenarios: some,
  };
  assert(table(results, scenarios).includes("not measured"));
  assertEquals(JSON.parse(resultsText(results)), results);
});
