/** Lanes on a real database, whose reads and writes are counted. */
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { KeptClocks } from "../../src/lanes/kept_levels.ts";
import { set } from "./apply.ts";
import type { LanesBench } from "./lanes_bench.ts";
import { NEVER } from "./pool_probe.ts";

/** However long the test takes, what is kept is not too old. */
export const STANDING: KeptClocks = { monotonicMs: () => 0, timeMs: Date.now };

/** Lanes that count their reads and writes, on goods 1 at 10 units and goods 2 at 20, which both are kept. */
export async function counted(
  on: LanesBench,
  beforeWrite: () => Promise<void> = () => Promise.resolve(),
  clocks: KeptClocks = STANDING,
) {
  const calls = { reads: 0, writes: 0 };
  const lanes = on.lanes({
    clocks,
    store: {
      readSnapshot: (...args) => (calls.reads++, on.store.readSnapshot(...args)),
      writeChanges: async (...args) => {
        calls.writes++;
        await beforeWrite();
        return await on.store.writeChanges(...args);
      },
    },
  });
  // Other numbers than those that stand there, for those would not be written.
  for (const [first, second] of [[1, 2], [10, 20]] as const) {
    await lanes.applyAll([set(crypto.randomUUID(), 1, first), set(crypto.randomUUID(), 2, second)], NEVER);
  }
  calls.reads = calls.writes = 0;
  return {
    lanes,
    calls,
    /** How the operations ended, which come together, and after how many reads and writes. */
    async ends(...operations: Operation[]) {
      const before = { ...calls };
      const results = await lanes.applyAll(operations, NEVER);
      return [
        results.map((result) => {
          if (result.status === "rejected") return result.reason.kind;
          const { value } = result;
          return value.ok ? value.replayed ? "repeated" : "ok" : value.refusal.reason;
        }).join(),
        calls.reads - before.reads,
        calls.writes - before.writes,
      ];
    },
  };
}
