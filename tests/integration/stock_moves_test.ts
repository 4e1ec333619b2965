/** Adjustments, counts, transfers, compare-and-set and policies on a database, in every mode, callers side by side. */
import { assert, assertEquals } from "@std/assert";
import type { Policy, Verdict } from "../../src/inventory/model.ts";
import type { CountOperation } from "../../src/inventory/operations/count.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { eventually } from "../support/eventually.ts";

const FREE: Policy = { safetyStock: 0, backorderMax: 0 };

/** Applies the operations one after the other; each must be allowed. */
async function applied(lanes: Lanes, ...operations: Operation[]): Promise<void> {
  for (const operation of operations) {
    const verdict = await lanes.apply(operation, NEVER);
    assert(verdict.ok, JSON.stringify([operation, verdict]));
  }
}

/** A time, by the database's clock, after all that was written so far and before all that is written later. */
async function moment({ store }: LanesBench): Promise<number> {
  const nowMs = async () => (await store.readSnapshot({ stockKeys: [], orderIds: [], operationIds: [] }, NEVER)).atMs;
  const beforeMs = await nowMs();
  await eventually(async () => await nowMs() > beforeMs + 1, "the database's clock runs");
  return beforeMs + 1;
}

function count(operationId: string, goodsId: number, num: number, occurredAtMs: number): CountOperation {
  return { kind: "count", operationId, goodsId, locationId: 0, num, occurredAtMs };
}

function policy(goodsId: number, policy: Policy, locationId = 0): Operation {
  return { kind: "policy", operationId: crypto.randomUUID(), goodsId, locationId, policy };
}

function transfer(operationId: string, from: number, to: number, goods: readonly number[], num = 1): Operation {
  const lines = goods.map((goodsId) => ({ goodsId, locationId: from, num }));
  return { kind: "transfer", operationId, toLocationId: to, lines };
}

async function onHand({ store }: LanesBench, keys: readonly StockKey[]): Promise<(number | undefined)[]> {
  const levels = await store.readLevels(keys, NEVER);
  return keys.map((key) => levels.get(key)?.onHand);
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? "ok" : verdict.refusal.reason;
}

inEveryMode("counts of earlier moments land as if they had come in time, whichever comes first", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  const goods = [2, 3, 4, 5];
  const all = (operation: (goodsId: number) => Operation) => applied(lanes, ...goods.map(operation));
  await all((g) => set(`set-${g}`, g, 100));
  await all((g) => sell(`a-${g}`, [g, 10]));
  const first = await moment(on);
  await all((g) => sell(`b-${g}`, [g, 5]));
  const second = await moment(on);
  await all((g) => sell(`c-${g}`, [g, 1]));
  // 2 were missing at the first moment, 3 more at the second. Of goods 4 the first count comes last; of goods 5 a set
  // comes between.
  await applied(lanes, count("f2", 2, 88, first), count("s2", 2, 80, second));
  await applied(lanes, count("s3", 3, 80, second), count("f3", 3, 88, first));
  await applied(lanes, count("f4", 4, 88, first), rollback("a-4", undefined), count("s4", 4, 80, second));
  await applied(lanes, set("again-5", 5, 50), count("f5", 5, 88, first), sell("d-5", [5, 1]));
  assertEquals(await onHand(on, goods), [79, 79, 89, 49]);
  await applied(lanes, count("f2", 2, 88, first), count("f3", 3, 88, first));
  assertEquals(await onHand(on, goods), [79, 79, 89, 49], "a retry counts nothing again");
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a count of a moment far back in the ledger finds what was on hand then", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  await applied(lanes, set("set", 2, 5000));
  const moments: [atMs: number, onHand: number][] = [[await moment(on), 5000]];
  for (let batch = 0; batch < 8; batch++) {
    const sells = Array.from({ length: 150 }, (_, i) => sell(`${batch}-${i}`, [2, 1]));
    for (const end of await lanes.applyAll(sells, NEVER)) assertEquals(end.status, "fulfilled");
    moments.push([await moment(on), 5000 - 150 * (batch + 1)]);
  }
  const [now] = await onHand(on, [2]);
  for (const [i, [atMs, num]] of moments.entries()) await applied(lanes, count(`count-${i}`, 2, num, atMs));
  assertEquals(await onHand(on, [2]), [now], "each found as many as there were");
  await applied(lanes, count("before", 2, 7, moments[0]![0] - 3_600_000));
  assertEquals(await onHand(on, [2]), [now], "what was said later stands");
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a late count beside sales of its batch counts them", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  const atMs = await moment(on);
  const operations = [
    ...Array.from({ length: 5 }, (_, i) => sell(`o-${i}`, [1, 1])),
    count("late", 1, 8, atMs),
    ...Array.from({ length: 3 }, (_, i) => sell(`p-${i}`, [1, 1])),
  ];
  const ends = await lanes.applyAll(operations, NEVER);
  assertEquals(ends.filter((end) => end.status === "fulfilled" && end.value.ok).length, operations.length);
  assertEquals(await on.onHand(1), 0);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("transfers in both directions beside sales end, and no unit comes or goes between locations", async () => {
  await using on = await lanesBench();
  const [one, two] = [on.lanes(), on.lanes()];
  const goods = [2, 3, 4, 5];
  const places = goods.flatMap((g): StockKey[] => [g, `${g}@1`]);
  for (const g of goods) await applied(one, set(`set-${g}`, g, 200));
  await applied(one, transfer("half", 0, 1, goods, 100));
  const sellAt = (id: string, locationId: number): Operation => ({
    kind: "sell",
    orderId: id,
    lines: goods.map((goodsId) => ({ goodsId, locationId, num: 1 })),
  });
  const ROUNDS = 40;
  const work = Array.from({ length: ROUNDS }, (_, i) => [
    one.apply(transfer(`there-${i}`, 0, 1, goods), NEVER),
    two.apply(transfer(`back-${i}`, 1, 0, goods), NEVER),
    one.apply(sellAt(`at-1-${i}`, 1), NEVER),
    two.apply(sellAt(`at-0-${i}`, 0), NEVER),
  ]).flat();
  for (const verdict of await Promise.all(work)) assert(verdict.ok, JSON.stringify(verdict));
  const left = await onHand(on, places);
  assertEquals(left, goods.flatMap(() => [100 - ROUNDS, 100 - ROUNDS]));
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a transfer that is short moves none of its lines, and one that comes twice moves once", async () => {
  await using on = await lanesBench();
  const [one, two] = [on.lanes(), on.lanes()];
  await applied(one, set("two", 2, 1));
  assertEquals(reasonOf(await one.apply(transfer("short", 0, 1, [1, 2], 2), NEVER)), "short_stock");
  assertEquals(await onHand(on, [1, 2, "1@1", "2@1"]), [10, 1, undefined, undefined]);
  const ends = await Promise.all([one, two, one, two].map((lanes) => lanes.apply(transfer("t", 0, 1, [1, 2]), NEVER)));
  assertEquals(ends.map(reasonOf), ["ok", "ok", "ok", "ok"]);
  assertEquals(ends.filter((end) => end.ok && end.replayed !== true).length, 1);
  assertEquals(await onHand(on, [1, 2, "1@1", "2@1"]), [9, 0, 1, 1]);
  // Two that make the same place new, each from a place of its own.
  await Promise.all([applied(one, transfer("n0", 0, 9, [1])), applied(two, transfer("n1", 1, 9, [1]))]);
  assertEquals(await onHand(on, [1, "1@1", "1@9"]), [8, 0, 2]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("of two that expect the same version, or the same number, exactly one sets", async () => {
  await using on = await lanesBench();
  const processes = [on.lanes(), on.lanes()];
  let version = 1;
  let num = 10;
  for (let round = 0; round < 20; round++) {
    const expected = round % 2 === 0 ? { expectedVersion: version } : { expectedNum: num };
    const ends = await Promise.all(
      processes.map((lanes, i) =>
        lanes.apply({
          kind: "set",
          operationId: `${round}-${i}`,
          goodsId: 1,
          locationId: 0,
          num: num + 1 + i,
          ...expected,
        }, NEVER)
      ),
    );
    assertEquals(ends.map(reasonOf).sort(), ["not_as_expected", "ok"]);
    version++;
    num = await on.onHand(1) ?? 0;
    const [lost] = ends.filter((end) => !end.ok);
    assert(lost?.ok === false && lost.refusal.reason === "not_as_expected");
    assertEquals(
      [lost.refusal.level?.version, lost.refusal.level?.onHand],
      [version, num],
      "it learns what stands there",
    );
  }
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a policy that comes between the read and the write of a sale meets it at the fence", async () => {
  await using on = await lanesBench();
  const reached = Promise.withResolvers<void>();
  const latch = Promise.withResolvers<void>();
  const slow = on.lanes({
    store: {
      async writeChanges(changes, signal) {
        reached.resolve();
        await latch.promise;
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  const sale = slow.apply(sell("big", [1, 5]), NEVER);
  await reached.promise;
  await applied(on.lanes(), policy(1, { ...FREE, orderNumMax: 4 }));
  latch.resolve();
  assertEquals(reasonOf(await sale), "over_limit");
  assertEquals(await on.onHand(1), 10);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("safety stock, backorders and limits hold on the database as they are decided", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  const come = async (...operations: Operation[]) => {
    const ends = await lanes.applyAll(operations, NEVER);
    return ends.map((end) => end.status === "fulfilled" ? reasonOf(end.value) : "failed");
  };
  await applied(lanes, policy(1, { safetyStock: 4, backorderMax: 0, orderNumMax: 5 }));
  assertEquals(await come(sell("a", [1, 6]), sell("b", [1, 5]), sell("c", [1, 2])), [
    "over_limit",
    "ok",
    "short_stock",
  ]);
  await applied(lanes, policy(1, { safetyStock: 0, backorderMax: 3 }));
  assertEquals(await come(sell("d", [1, 9]), sell("e", [1, 8]), sell("f", [1, 1])), [
    "short_stock",
    "ok",
    "short_stock",
  ]);
  assertEquals(await on.onHand(1), -3);
  assertEquals(await come(policy(1, { safetyStock: 0, backorderMax: 2 })), ["below_floor"]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode(
  "stock is low from its threshold on until it is well above it, and sold out when sales can have none",
  async () => {
    await using on = await lanesBench();
    await using owner = ownerOf(on.ownerUrl);
    const lanes = on.lanes();
    const flags = async () => {
      const [row] = await owner.sql`select is_low, is_sold_out from levels where goods_id = 1`;
      return [row!.is_low, row!.is_sold_out];
    };
    const adjust = (num: number): Operation => ({
      kind: "adjust",
      operationId: crypto.randomUUID(),
      lines: [{ goodsId: 1, locationId: 0, num }],
    });
    assertEquals(await flags(), [false, false]);
    await applied(lanes, policy(1, { safetyStock: 2, backorderMax: 0, lowStockAt: 4, lowStockUntil: 7 }));
    assertEquals(await flags(), [false, false], "8 available");
    await applied(lanes, sell("a", [1, 3]));
    assertEquals(await flags(), [false, false], "5 available");
    await applied(lanes, sell("b", [1, 1]));
    assertEquals(await flags(), [true, false], "4 available");
    await applied(lanes, adjust(2));
    assertEquals(await flags(), [true, false], "6 available is not well above");
    await applied(lanes, adjust(1));
    assertEquals(await flags(), [false, false], "7 available");
    await applied(lanes, adjust(-1));
    assertEquals(await flags(), [false, false], "6 available, coming from above");
    await applied(lanes, sell("c", [1, 6]));
    assertEquals(await flags(), [true, true], "the safety stock is left");
    await applied(lanes, policy(1, { safetyStock: 2, backorderMax: 1, lowStockAt: 4, lowStockUntil: 7 }));
    assertEquals(await flags(), [true, false], "one may be backordered");
    await applied(lanes, policy(1, FREE));
    assertEquals(await flags(), [false, false], "without a threshold nothing is low");
  },
);

inEveryMode("a goods with live holds is not deleted, and one whose holds are over is", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  const reserve = (orderId: string, ttlMs: number): Operation => ({
    kind: "reserve",
    orderId,
    lines: [{ goodsId: 1, locationId: 0, num: 2 }],
    ttlMs,
  });
  const closing = (kind: "delete" | "restore"): Operation => ({
    kind,
    operationId: crypto.randomUUID(),
    goodsId: 1,
    locationId: 0,
  });
  await applied(lanes, reserve("short", 1), reserve("long", 3_600_000));
  await moment(on);
  assertEquals(reasonOf(await lanes.apply(closing("delete"), NEVER)), "has_holds");
  await applied(lanes, { kind: "release", orderId: "long" }, closing("delete"));
  assertEquals(reasonOf(await lanes.apply(sell("a", [1, 1]), NEVER)), "unknown_goods");
  await applied(lanes, closing("restore"), sell("a", [1, 1]));
  assertEquals(await on.onHand(1), 9);
  assertEquals(await checkLedger(on.ownerUrl), []);
});
