/** Lanes over a real database, for holds: one operation after the other, and what each came to. */
import type { Level } from "../../src/inventory/model.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { ownerOf } from "./database.ts";
import { type LanesBench, lanesBench } from "./lanes_bench.ts";
import { NEVER } from "./pool_probe.ts";

/** An hour is longer than what tests reserve for. */
export const HOUR_MS = 3_600_000;

/** On hand and reserved, as everybody reads them. */
export async function levelOf(on: LanesBench, key: StockKey): Promise<[onHand: number, reserved: number]> {
  const level = (await on.store.readLevels([key], NEVER)).get(key) as Level;
  return [level.onHand, level.reserved];
}

/** The bench, an owner's session, and the operations by one process; goods 1 has ten units. */
export async function holdBench() {
  const on = await lanesBench();
  const owner = ownerOf(on.ownerUrl);
  const lanes = on.lanes();
  return {
    on,
    sql: owner.sql,
    apply: async (...operation: Parameters<typeof lanes.apply>[0][]) => {
      const verdicts = [];
      for (const each of operation) verdicts.push(await lanes.apply(each, NEVER));
      return verdicts.at(-1)!;
    },
    async [Symbol.asyncDispose]() {
      await owner[Symbol.asyncDispose]();
      await on[Symbol.asyncDispose]();
    },
  };
}
