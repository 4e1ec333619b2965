/**
 * The ratios that a run is judged by, each with its target: of what is measured side by side, or by turns, the median
 * of the comparisons, else a comparison of medians. Those of what a kind of run does not measure are left out. Pure.
 */
import type { Variant } from "../load/protocol.ts";
import { PLAIN, UNWATCHED } from "../scenarios/turns.ts";
import type { Pair } from "../scenarios/side_by_side.ts";
import type { Sizes } from "../sizes.ts";
import { type Compared, compared } from "../stats.ts";
import { type Ratio, rounded, type ScenarioResult } from "./results.ts";

/** Longest wait for goods that the service allows (LOCK_WAIT_MS_MAX), for the run's settings. */
export interface Limits {
  readonly lockWaitMsMax: number;
}

type Results = Readonly<Record<string, ScenarioResult>>;

/** What a call may take beside its wait: the read, the write, and the path back. */
const CALL_MS_MAX = 100;
/** Tables that grow cost sales at most a quarter of their rate. */
const GROWN_SHARE_MIN = 0.75;
/** Holds cost sales at most a third of their rate. */
const HOLDS_SHARE_MIN = 2 / 3;
/** Traces cost sales at most a fifth of their rate. Most of that is Deno's span of each request, sampled or not. */
const TRACES_SHARE_MIN = 0.8;
/** Who calls, and that it stands in the ledger, costs sales at most a twentieth of their rate. */
const KEYS_SHARE_MIN = 0.95;
/** Metrics, which are on by default, cost sales at most three in a hundred. */
const METRICS_SHARE_MIN = 0.97;
/** 500 streams of changes cost sales at most a fifth of their rate. */
const WATCHERS_SHARE_MIN = 0.8;

/** All ratios, in the sequence in which they are shown. */
export function ratios(results: Results, sizes: Sizes, ledgersClean: boolean, { lockWaitMsMax }: Limits): Ratio[] {
  const rate = (id: string) => results[id]?.median;
  const p50 = (id: string) => results[id]?.latencyMs?.p50;
  const article = highest(["256", "16", "lone"].map((callers) => rate(`article/one_goods/${callers}`)));
  const [goodsFirst = 0] = sizes.goods;
  const goodsLast = sizes.goods.at(-1) ?? 0;
  const four = results["in_process/one_goods/4"];
  const live = `sells beside ${sizes.holds.toLocaleString("en")} live holds / sells`;
  const ending = "sells while 10,000 holds end a second / sells";
  const rounds = (id: string) => results[id]?.rounds ?? [];
  const paired = (claim: string, target: number, [of, its]: Pair) =>
    medianOf(claim, target, compared(rounds(its), rounds(of)));
  const grown = (claim: string, table: string) =>
    medianOf(claim, GROWN_SHARE_MIN, compared(rounds(`growth/${table}`), rounds(`growth/goods/${goodsFirst}`)));
  const violations = Object.values(results).flatMap((result) => result.violations);
  return [
    paired("in-process, one goods / pgbench, one row", 5, ["pgbench/one_row", "in_process/one_goods/1"]),
    atLeast("in-process, one goods / article's approach at its best", 20, rate("in_process/one_goods/1"), article),
    paired("in-process, 10,000 goods / pgbench, 10,000 rows", 1, ["pgbench/10000_rows", "in_process/uniform/1"]),
    paired("gRPC Sell, one goods / no-op", 0.6, ["grpc/noop", "grpc/sell/one_goods/1"]),
    paired("gRPC InvDetail / no-op", 0.8, ["grpc/noop", "grpc/inv_detail"]),
    paired("SellBatch of 100 / Sell, orders over gRPC, one goods", 3, [
      "grpc/sell/one_goods/1",
      "grpc/sell_batch/one_goods/1",
    ]),
    ...costs(results),
    ...fleet(results),
    paired("no-op, Holdfast's listener / connect-node's adapter", 2, ["grpc/noop_adapter", "grpc/noop"]),
    paired("one goods, 2 processes / 1 process", 0.8, ["in_process/one_goods/1", "in_process/one_goods/2"]),
    limited("one goods, 2 processes: smallest share", results["in_process/one_goods/2"]?.smallestShare, {
      atLeast: 0.25,
    }),
    limited("one goods, 4 processes: longest call in ms, wait included", four?.longestMs, {
      atMost: lockWaitMsMax + CALL_MS_MAX,
    }),
    limited(
      "one goods, 4 processes: callers that gave up (ABORTED)",
      four === undefined ? undefined : four.refused?.["busy"] ?? 0,
      { atMost: 0 },
    ),
    atMost(
      "a lone Sell / the article's to its COMMIT, p50",
      1.3,
      p50("in_process/one_goods/lone"),
      p50("article/one_goods/lone"),
    ),
    grown(`${goodsLast.toLocaleString("en")} goods / ${goodsFirst.toLocaleString("en")} goods`, `goods/${goodsLast}`),
    grown(`ledger of ${sizes.movements.toLocaleString("en")} / empty`, `ledger/${sizes.movements}`),
    paired(`${live}, one goods`, HOLDS_SHARE_MIN, ["in_process/one_goods/1", "holds/live/one_goods"]),
    paired(`${ending}, one goods`, HOLDS_SHARE_MIN, ["in_process/one_goods/1", "holds/ending/one_goods"]),
    paired(`${live}, 10,000 goods`, HOLDS_SHARE_MIN, ["in_process/uniform/1", "holds/live/uniform"]),
    paired(`${ending}, 10,000 goods`, HOLDS_SHARE_MIN, ["in_process/uniform/1", "holds/ending/uniform"]),
    {
      claim: "scenarios whose stock does not add up, and ledgers that are not whole",
      value: violations.length + (ledgersClean ? 0 : 1),
      target: "= 0",
      isMet: violations.length === 0 && ledgersClean,
    },
  ];
}

/**
 * Four servers, each goods at one of them, beside one server behind the same balancer, and beside one without any; and
 * what spreading costs a sale beside what it costs a call that does nothing.
 */
function fleet(results: Results): Ratio[] {
  return ([["one goods", "one_goods", 0.95], ["10,000 goods", "uniform", 1]] as const).flatMap(
    ([goods, name, least]) => {
      const [four, one, alone] = ["by_goods", "one", "direct"].map((id) => results[`fleet/${name}/${id}`]);
      // Only a run of several hosts has them.
      if (four === undefined || one === undefined || alone === undefined) return [];
      const [noops, noop] = ["by_goods", "one"].map((id) => results[`fleet/noop/${id}`]?.rounds);
      const behind = `four hosts by their goods / one behind HAProxy, ${goods}`;
      return [
        medianOf(behind, least, compared(four.rounds, one.rounds)),
        atLeast(`${behind}, by the servers' CPU time`, least, one.cpuUs, four.cpuUs),
        medianOf(
          `four hosts by their goods / one without HAProxy, ${goods}`,
          least,
          compared(four.rounds, alone.rounds),
        ),
        atLeast(
          `${behind} / the same of a no-op`,
          least,
          compared(four.rounds, one.rounds)?.median,
          compared(noops ?? [], noop ?? [])?.median,
        ),
      ];
    },
  );
}

/** What parts of a server that can be turned on or off cost sales over gRPC, measured by turns. */
function costs(results: Results): Ratio[] {
  const plain = results[PLAIN];
  // Only a run of turns has it.
  if (plain === undefined) return [];
  const of = (variant: Variant) => results[`turns/sell/${variant}`];
  const rows = [
    ["Sell with 1 % of the calls traced / with none, one goods", TRACES_SHARE_MIN, of("sampled"), plain],
    ["Sell by a key / by anybody, one goods", KEYS_SHARE_MIN, of("keyed"), plain],
    ["Sell with metrics / without, one goods", METRICS_SHARE_MIN, plain, of("unmeasured")],
    ["Sell beside 500 watchers / beside none, 10,000 goods", WATCHERS_SHARE_MIN, of("watched"), results[UNWATCHED]],
  ] as const;
  return rows.flatMap(([claim, target, its, other]) => [
    medianOf(claim, target, compared(its?.rounds ?? [], other?.rounds ?? [])),
    atLeast(`${claim}, by the server's CPU time`, target, other?.cpuUs, its?.cpuUs),
  ]);
}

function medianOf(claim: string, target: number, of: Compared | undefined): Ratio {
  const ratio = limited(claim, of?.median, { atLeast: target });
  return of === undefined ? ratio : { ...ratio, spread: [rounded(of.low), rounded(of.high)] };
}

function atLeast(claim: string, target: number, value: number | undefined, of: number | undefined): Ratio {
  return limited(claim, quotient(value, of), { atLeast: target });
}

function atMost(claim: string, target: number, value: number | undefined, of: number | undefined): Ratio {
  return limited(claim, quotient(value, of), { atMost: target });
}

function limited(
  claim: string,
  value: number | undefined,
  limit: { readonly atLeast: number } | { readonly atMost: number },
): Ratio {
  const target = "atLeast" in limit ? `>= ${rounded(limit.atLeast)}` : `<= ${rounded(limit.atMost)}`;
  if (value === undefined) return { claim, target };
  const isMet = "atLeast" in limit ? value >= limit.atLeast : value <= limit.atMost;
  return { claim, value: rounded(value), target, isMet };
}

function quotient(value: number | undefined, of: number | undefined): number | undefined {
  return value === undefined || of === undefined || of === 0 ? undefined : value / of;
}

function highest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
