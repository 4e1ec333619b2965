/** The arms of levels that are kept. */
import { Redis } from "ioredis";
import { STANDING } from "../../../support/counted_lanes.ts";
import { testEnvironment } from "../../../support/env.ts";
import { eventually } from "../../../support/eventually.ts";
import type { Request } from "../history.ts";
import { ArmBench, GOODS, STOCK } from "./arm_bench.ts";
import { resultOf, type Scenario } from "./scenarios.ts";

/** The first server goes by what it has written, while the second has moved the goods since. */
export function keptLevel({ other, first: firstAsks }: { readonly other: Request; readonly first: Request }): Scenario {
  return async (without) => {
    await using bench = await ArmBench.open(without);
    const [first, second] = await Promise.all([bench.server({ clocks: STANDING }), bench.server()]);
    await bench.decided(first, { kind: "set", goodsId: GOODS, num: STOCK });
    await leaseReleased(bench);
    await bench.decided(second, other);
    await leaseReleased(bench);
    await bench.decided(first, firstAsks);
    return await resultOf(bench);
  };
}

/**
 * Nobody has the lease of the arm's goods any more: a server has it for some ms behind its answer, and another that is
 * refused it meanwhile keeps no level, as whoever has it moves the goods.
 */
async function leaseReleased({ keyPrefix }: ArmBench): Promise<void> {
  const nodes = testEnvironment().redisUrls.map((url) => new Redis(url));
  try {
    await eventually(async () => {
      const counts = await Promise.all(nodes.map((node) => node.exists(`${keyPrefix}goods:${GOODS}`)));
      return counts.every((count) => count === 0);
    }, "the lease is released");
  } finally {
    for (const node of nodes) node.disconnect();
  }
}
