/** The arms of holds, buyers, locations and expectations. */
import { setTimeout as delay } from "node:timers/promises";
import type { Request } from "../history.ts";
import { ArmBench, GOODS, STOCK } from "./arm_bench.ts";
import { meeting, resultOf, type Scenario } from "./scenarios.ts";

const TTL_MS = 500;
const BUYER_NUM_MAX = 3;

/** All of the stock is held, and asked for when the hold is over. */
export const expired: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const server = await bench.server();
  await bench.fill(server);
  const lines = [{ goodsId: GOODS, num: STOCK }];
  await bench.decided(server, { kind: "reserve", orderId: "held", lines, ttlMs: TTL_MS });
  // Its time, which only passes.
  await delay(TTL_MS + 100);
  await bench.decided(server, { kind: "sell", orderId: "next", lines });
  return await resultOf(bench);
};

/** One buyer buys all that a buyer may have, twice. */
export const twoTabs: Scenario = meeting("after_read", {
  prepare: async (first, bench) => {
    await bench.decided(first, { kind: "policy", goodsId: GOODS, policy: { buyerNumMax: BUYER_NUM_MAX } });
  },
  first: bought("one-tab"),
  other: bought("another-tab"),
});

function bought(orderId: string): Request {
  return { kind: "sell", orderId, buyerId: "buyer", lines: [{ goodsId: GOODS, num: BUYER_NUM_MAX }] };
}

/** Units go to another location. */
export const transferred: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const server = await bench.server();
  await bench.fill(server);
  const lines = [{ goodsId: GOODS, num: 7 }];
  await bench.decided(server, { kind: "transfer", operationId: "moved", from: 0, to: 1, lines });
  return await resultOf(bench);
};

/** Two sets that expect the version that the goods was filled with. */
export const twoExpect: Scenario = meeting("after_read", {
  first: { kind: "set", goodsId: GOODS, num: 1, expectedVersion: 1 },
  other: { kind: "set", goodsId: GOODS, num: 2, expectedVersion: 1 },
});
