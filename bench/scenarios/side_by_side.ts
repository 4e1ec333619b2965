/** What is measured side by side because a ratio compares it. Pure. */
import type { Scenario } from "./scenario.ts";

/** Ids, by sets: of each the scenarios are measured one right behind the other, and compared with each other. */
export const SIDE_BY_SIDE = [
  ["article/one_goods/lone", "in_process/one_goods/lone"],
  [
    "pgbench/one_row",
    "in_process/one_goods/1",
    "in_process/one_goods/2",
    "holds/live/one_goods",
    "holds/ending/one_goods",
  ],
  ["pgbench/10000_rows", "in_process/uniform/1", "holds/live/uniform", "holds/ending/uniform"],
  ["grpc/noop_adapter", "grpc/noop", "grpc/sell/one_goods/1", "grpc/inv_detail", "grpc/sell_batch/one_goods/1"],
] as const;

/** Two of one set, so that the compiler finds a ratio of what is not measured side by side. */
export type Pair = PairOf<typeof SIDE_BY_SIDE[number]>;
type PairOf<Ids> = Ids extends readonly string[] ? readonly [Ids[number], Ids[number]] : never;

/** The sets among these scenarios: those above, and tables of different sizes; who is not among them is in none. */
export function setsOf(scenarios: readonly Scenario[]): readonly (readonly Scenario[])[] {
  const named = SIDE_BY_SIDE.map((ids) => ids.flatMap((id) => scenarios.find((each) => each.id === id) ?? []));
  return [...named, scenarios.filter(({ id }) => /^growth\/(goods|ledger)\//.test(id))].filter(({ length }) =>
    length > 0
  );
}
