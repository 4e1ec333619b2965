/**
 * A goods whose row of stock does not stand where its ledger does: a fault that is reported, not a wait without an end.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import { OffLedgerError } from "../../src/store/errors.ts";
import { sell, set } from "../support/apply.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER, within } from "../support/pool_probe.ts";
import { allRows } from "../support/all_rows.ts";
import { inEveryMode } from "../support/test_mode.ts";

const OTHERS = 30;

/** What somebody did by hand. */
const FAULTS: Record<string, string> = {
  "a version that was set back": "update levels set version = version - 1 where goods_id = 1",
  "a row of stock that was deleted": "delete from levels where goods_id = 1",
};

for (const [what, statement] of Object.entries(FAULTS)) {
  inEveryMode(`${what}: that goods ends as a fault after few tries, and the others of its batch are sold`, async () => {
    await using bench = await lanesBench();
    const owner = postgres(bench.ownerUrl, { max: 1, onnotice: () => {} });
    let writes = 0;
    const { store } = bench;
    const lanes = bench.lanes({
      store: {
        writeChanges: (changes, signal) => (writes++, store.writeChanges(changes, signal)),
        changeUnderRowLocks: (keys, decide, signal) => (writes++, store.changeUnderRowLocks(keys, decide, signal)),
      },
    });
    const others = Array.from({ length: OTHERS }, (_, i) => i + 2);
    for (const goodsId of [1, ...others]) await lanes.apply(set(`set-${goodsId}`, goodsId, 10), NEVER);
    await lanes.apply(sell("first", [1, 1]), NEVER);
    await owner.unsafe(statement);
    const before = await goodsOne(owner);
    const operations = [set("again", 1, 7), ...others.map((goodsId) => sell(`order-${goodsId}`, [goodsId, 1]))];
    writes = 0;
    const [fault, ...sold] = await within(lanes.applyAll(operations, NEVER), "the batch");
    assertEquals(sold.filter((end) => end.status === "fulfilled" && end.value.ok).length, OTHERS);
    assert(fault?.status === "rejected", `it ended as ${JSON.stringify(fault)}`);
    assertInstanceOf(fault.reason, OffLedgerError);
    assertEquals(fault.reason.stockKeys, [1]);
    assert(writes < 20, `it took ${writes} writes`);
    assertEquals(await goodsOne(owner), before);
    await owner.end({ timeout: 1 });
  });
}

async function goodsOne(owner: postgres.Sql): Promise<unknown[]> {
  const { stock, movements } = await allRows(owner);
  const rows = [...stock as { goods_id: number }[], ...movements as { goods_id: number }[]];
  return rows.filter((row) => row.goods_id === 1);
}
