import { assert, assertEquals, assertThrows } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { GoodInvInfoSchema, SellInfoSchema } from "../../src/gen/article/inventory_pb.ts";
import { measuredPage } from "../../tools/docs/measured_page.ts";
import { memoryTrend } from "../../bench/memory/slope.ts";
import { askedOf } from "../../bench/options.ts";
import { readH2load } from "../../bench/versus/h2load.ts";
import type { VersusMeasurement } from "../../bench/versus/measure_server.ts";
import {
  type Side,
  SIDES,
  VERSUS_MS_MAX,
  VERSUS_PLAN,
  VERSUS_SMOKE_PLAN,
  versusPlannedMs,
  versusTurns,
} from "../../bench/versus/plan.ts";
import { versusRows, versusTable, versusText } from "../../bench/versus/record.ts";
import { detailRequest, sellRequest } from "../../bench/versus/requests.ts";
import { VERSUS_SCENARIOS } from "../../bench/versus/scenarios.ts";

Deno.test("a comparison is planned to end in less than six minutes, and a smoke run of it in a minute", () => {
  assert(versusPlannedMs(VERSUS_PLAN) <= Math.min(VERSUS_MS_MAX, 360_000) - 30_000, `${versusPlannedMs(VERSUS_PLAN)}`);
  assert(versusPlannedMs(VERSUS_SMOKE_PLAN) <= 60_000);
});

Deno.test("in each round both servers have each scenario once, side by side, and neither is always the first", () => {
  const turns = versusTurns(VERSUS_PLAN);
  assertEquals(turns.length, VERSUS_PLAN.rounds * VERSUS_SCENARIOS.length * SIDES.length);
  const firsts = turns.filter((_, i) => i % 2 === 0).map(({ side }) => side);
  for (let i = 0; i < turns.length; i += 2) {
    assertEquals(turns[i]!.scenario, turns[i + 1]!.scenario);
    assert(turns[i]!.side !== turns[i + 1]!.side);
  }
  assertEquals(new Set(firsts).size, 2);
});

Deno.test("every scenario is compared with scenarios of the same goods", () => {
  const ids = new Map(VERSUS_SCENARIOS.map((scenario) => [scenario.id, scenario]));
  for (const { id, goods, method, against } of VERSUS_SCENARIOS) {
    assert(against.includes(id), id);
    for (const other of against) assertEquals([ids.get(other)?.goods, ids.get(other)?.method], [goods, method], id);
  }
});

function measured(rates: Readonly<Record<string, Partial<Record<Side, readonly number[]>>>>) {
  const of = (perSecond: number): VersusMeasurement => ({ perSecond, done: perSecond * 3, cpuMs: 300 });
  return new Map(VERSUS_SCENARIOS.map(({ id }) => {
    const side = (name: Side) => (rates[id]?.[name] ?? [100, 100, 100]).map(of);
    return [id, { holdfast: side("holdfast"), go: side("go") }];
  }));
}

Deno.test("what is compared are medians, with the other's best of as many goods, and CPU time of all rounds", () => {
  const rows = versusRows(measured({
    "sell/one_goods/32": { go: [500, 700, 90] },
    "sell/one_goods/256": { holdfast: [10_000, 14_000, 12_000], go: [10, 10, 10] },
  }));
  assertEquals(rows["sell/one_goods/256"]?.holdfast, {
    rounds: [10_000, 14_000, 12_000],
    median: 12_000,
    cpuUs: 8.33,
  });
  assertEquals([rows["sell/one_goods/256"]?.ratio, rows["sell/one_goods/256"]?.isMet], [24, true]);
  assertEquals([rows["sell/one_goods/32"]?.ratio, rows["sell/one_goods/32"]?.isMet], [0.2, false]);
});

Deno.test("the record is text that reads back as it was, and has a row of the table for each scenario", () => {
  const record = {
    at: "2026-01-01T00:00:00.000Z",
    seconds: 300,
    setting: { cores: 2, platform: "linux x86_64", versions: {}, postgresql: {} },
    limits: [{ title: "fsyncs", perSecond: 900, p50Ms: 1.1 }],
    violations: [],
    scenarios: versusRows(measured({})),
  };
  assertEquals(JSON.parse(versusText(record)), record);
  const table = versusTable(record);
  for (const { title } of VERSUS_SCENARIOS) assert(table.includes(`  ${title} `), table);
});

Deno.test("the page of what was measured has the rows of each record that there is, and nothing of others", () => {
  const setting = { cores: 2, platform: "linux x86_64", versions: { deno: "2.9.3" }, postgresql: {} };
  const common = { at: "2026-01-01T00:00:00.000Z", seconds: 1, setting };
  const scenario = { unit: "orders/s", rounds: [9], median: 9, longestMs: 1, violations: [] } as const;
  const results = {
    ...common,
    ratios: [
      { claim: "sales / no-ops", value: 0.7, target: ">= 0.6", isMet: true },
      { claim: "stock that does not add up", value: 0, target: "= 0", isMet: true },
    ],
    ledgers: {},
    scenarios: { "a/b": { ...scenario, title: "sold", cpuUs: 7 }, "c/d": { ...scenario, title: "of others" } },
  };
  const before = { at: common.at, cpuUs: { "a/b": 8 } };
  const one = measuredPage({
    results,
    before,
    versus: undefined,
    turns: undefined,
    hosts: undefined,
    memory: undefined,
  });
  assert(
    one.includes("| sold | 9 | 7 | 8 |") && !one.includes("of others") && !one.includes("= 0 |") &&
      !one.includes("## Memory"),
    one,
  );
  const all = measuredPage({
    results,
    before,
    versus: {
      ...common,
      limits: [{ title: "fsyncs", perSecond: 900 }],
      violations: [],
      scenarios: versusRows(measured({})),
    },
    turns: {
      ...results,
      ratios: [{ claim: "by a key / by anybody", value: 0.96, target: ">= 0.95", isMet: true, spread: [0.9, 1] }],
    },
    hosts: {
      ...results,
      ratios: [{ claim: "four / one", value: 0.9, target: ">= 1", isMet: false, spread: [0.8, 1] }],
    },
    memory: {
      at: common.at,
      minutes: 2,
      scenarios: [{ title: "sold", calls: 5, liveBeforeMiB: 3, liveAfterMiB: 4, ...memoryTrend(memorySamples) }],
    },
  });
  for (const { title } of VERSUS_SCENARIOS) assert(all.includes(`| ${title} | 100 |`), all);
  for (
    const row of [
      "| fsyncs | 900 |",
      "| sales / no-ops | 0.7 |  | >= 0.6 |",
      "| by a key / by anybody | 0.96 | 0.9 to 1 | >= 0.95 |",
      "| four / one | 0.9, missed | 0.8 to 1 | >= 1 |",
      "| sold | 5 | 1 | 1 | 0 | 3 | 4 |",
    ]
  ) {
    assert(all.includes(row), `${row} is not in ${all}`);
  }
});

const memorySamples = Array.from({ length: 20 }, (_, i) => ({ minutes: i, residentMiB: 1 }));

Deno.test("what h2load says is read, and a run in which not all calls were answered is none", () => {
  const words = (failed: number, status: string) => `
finished in 3.00s, 19123.67 req/s, 1.21MB/s
requests: 57371 total, 57627 started, 57371 done, 57371 succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: ${status}
traffic: 3.64MB (3815173) total, 1.15MB (1204791) headers (space savings 86.10%), 611.35KB (626030) data
`;
  const fine = "57371 2xx, 0 3xx, 0 4xx, 0 5xx";
  assertEquals(readH2load(words(0, fine)), { answered: 57371, perSecond: 19123.67 });
  assertEquals(readH2load(words(3, fine)), undefined);
  assertEquals(readH2load(words(0, "57370 2xx, 0 3xx, 0 4xx, 1 5xx")), undefined);
  assertEquals(readH2load("could not connect"), undefined);
});

Deno.test("both services are sent what the article's contract says", () => {
  for (const goodsId of [1, 32, 300]) {
    assertEquals(detailRequest(goodsId), toBinary(GoodInvInfoSchema, create(GoodInvInfoSchema, { goodsId })));
    const order = create(SellInfoSchema, { goodsInfo: [{ goodsId, num: 1 }] });
    assertEquals(sellRequest(goodsId), toBinary(SellInfoSchema, order));
  }
});

Deno.test("a bench is asked for one kind of run, with minutes for memory alone", () => {
  const whole = { kind: "whole", smoke: false, minutes: 10 };
  assertEquals(askedOf([]), whole as ReturnType<typeof askedOf>);
  assertEquals(askedOf(["--", "--smoke"])?.smoke, true);
  assertEquals(askedOf(["--versus", "--smoke"])?.kind, "versus");
  assertEquals(askedOf(["--memory", "--minutes", "2"])?.minutes, 2);
  for (
    const wrong of [["--memory", "--minutes"], ["--minutes", "2"], ["--turns", "--versus"], ["--fast"], [
      "--memory",
      "--smoke",
    ]]
  ) {
    assertEquals(askedOf(wrong), undefined, wrong.join(" "));
  }
});

Deno.test("memory that grows has a slope, and what goes up and down has none", () => {
  const samples = (resident: (i: number) => number) =>
    Array.from({ length: 100 }, (_, i) => ({ minutes: i / 10, residentMiB: resident(i) }));
  const flat = memoryTrend(samples((i) => 200 + i % 2));
  assert(Math.abs(flat.slopeMiBPerMinute) < 0.1, `${flat.slopeMiBPerMinute}`);
  assertEquals(Math.round(memoryTrend(samples((i) => 200 + i)).slopeMiBPerMinute * 100) / 100, 10);
  // What was grown at the beginning and no more is not counted.
  assertEquals(memoryTrend(samples((i) => 200 + Math.min(i, 40))).slopeMiBPerMinute, 0);
  assertThrows(() => memoryTrend([]), RangeError);
});
