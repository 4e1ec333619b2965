/**
 * Four servers with lanes of their own behind a balancer that spreads calls by their goods, beside one server: behind
 * the same balancer, and without one. The same without regard to goods shows what that is worth, and calls that do
 * nothing what four processes and their connections cost by themselves.
 */
import type { Fleet } from "../load/protocol.ts";
import { CALLERS, type Scenario, WORKLOADS } from "./scenario.ts";

const SERVERS = 4;
/** With as many callers for each server a call takes longer than a short turn. */
const TIMES = { warmupMs: 300, windowMs: 700 } as const;
const TITLES: Readonly<Record<Fleet, string>> = {
  one: "one server behind HAProxy",
  by_goods: "four by their goods",
  round_robin: "four in turn",
};

const COMMON = {
  ...TIMES,
  group: "several hosts",
  kind: "grpc",
  database: "wire",
  callers: CALLERS,
  namesGoods: true,
} as const;

const SALES = (["one_goods", "uniform"] as const).flatMap((name) => {
  const common = { ...COMMON, method: "Sell", workload: WORKLOADS[name], unit: "orders/s" } as const;
  const goods = name === "uniform" ? "10,000 goods" : "one goods";
  return [
    { ...common, id: `fleet/${name}/direct`, title: `gRPC Sell, ${goods}, one server`, processes: 1 },
    ...(["one", "by_goods", "round_robin"] as const).map((fleet): Scenario => ({
      ...common,
      ...behind(fleet),
      id: `fleet/${name}/${fleet}`,
      title: `gRPC Sell, ${goods}, ${TITLES[fleet]}`,
    })),
  ];
});

const NO_OPS = (["one", "by_goods"] as const).map((fleet): Scenario => ({
  ...COMMON,
  ...behind(fleet),
  id: `fleet/noop/${fleet}`,
  title: `gRPC no-op, ${TITLES[fleet]}`,
  method: "Noop",
  workload: WORKLOADS.uniform,
  unit: "calls/s",
}));

/** Measured by turns; ids end in the fleet, or in `direct`. */
export const FLEET_TURNS: readonly Scenario[] = [...SALES, ...NO_OPS];

/** Each server has as many callers as the one alone: with a quarter of them its batches would be a quarter as large. */
function behind(fleet: Fleet): Pick<Scenario, "fleet" | "processes" | "callers"> {
  const processes = fleet === "one" ? 1 : SERVERS;
  return { fleet, processes, callers: CALLERS * processes };
}
