/** What one buyer may take within a window, on a database, in every mode: over orders, holds, callers and processes. */
import { assert, assertEquals } from "@std/assert";
import type { Policy, Snapshot, Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import { rollback, set } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { eventually } from "../support/eventually.ts";

const CAP = 3;

function policy(more: Partial<Policy> = {}): Operation {
  return {
    kind: "policy",
    operationId: crypto.randomUUID(),
    goodsId: 1,
    locationId: 0,
    policy: { safetyStock: 0, backorderMax: 0, buyerNumMax: CAP, ...more },
  };
}

function sell(orderId: string, buyerId: string, num = 1): Operation {
  return { kind: "sell", orderId, lines: [{ goodsId: 1, locationId: 0, num }], buyerId };
}

function reserve(orderId: string, buyerId: string, num: number, ttlMs = 3_600_000): Operation {
  return { kind: "reserve", orderId, lines: [{ goodsId: 1, locationId: 0, num }], buyerId, ttlMs };
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? "ok" : verdict.refusal.reason;
}

async function come(lanes: Lanes, operation: Operation): Promise<string> {
  return reasonOf(await lanes.apply(operation, NEVER));
}

/** What buyers have, by the orders themselves. */
async function unitsOf(on: LanesBench): Promise<Record<string, number>> {
  await using owner = ownerOf(on.ownerUrl);
  const rows = await owner.sql<{ buyer_id: string; units: number }[]>`
    select buyer_id, sum(num - back)::int as units
      from orders, unnest(nums, returned) as line (num, back)
     where state in ('held', 'sold', 'rolled_back') group by buyer_id order by buyer_id`;
  return Object.fromEntries(rows.map(({ buyer_id, units }) => [buyer_id, units]));
}

inEveryMode("no buyer gets a fourth out of two processes and 64 callers", async () => {
  await using on = await lanesBench();
  // Each grants itself every lease, so that nothing but the fence keeps them apart.
  const processes = [on.lanes(), on.lanes()];
  await processes[0]!.apply(set("much", 1, 100_000), NEVER);
  assertEquals(await come(processes[0]!, policy()), "ok");
  const buyers = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const callers = Array.from({ length: 64 }, async (_, caller) => {
    const lanes = processes[caller % 2]!;
    for (let i = 0; i < 4; i++) {
      const [orderId, buyerId] = [`${caller}-${i}`, buyers[(caller + i) % buyers.length]!];
      await lanes.apply(i % 2 === 0 ? sell(orderId, buyerId) : reserve(orderId, buyerId, 1), NEVER);
    }
  });
  await Promise.all(callers);
  assertEquals(await unitsOf(on), Object.fromEntries(buyers.map((buyer) => [buyer, CAP])));
  assertEquals(await checkLedger(on.ownerUrl), []);
});

/** Two processes of which each counts once before either writes; answers what the buyer has in the end. */
async function countingBefore(on: LanesBench, isFenced: boolean): Promise<number | undefined> {
  const lanes = on.lanes();
  assertEquals(await come(lanes, policy()), "ok");
  assertEquals(await come(lanes, sell("first", "b", 2)), "ok");
  const latch = Promise.withResolvers<void>();
  let waiting = 0;
  const racing = () => {
    let counted: Snapshot["taken"];
    return on.lanes({
      store: {
        async readSnapshot(keys, signal) {
          const read = await on.store.readSnapshot(keys, signal);
          if (counted !== undefined) return isFenced ? read : { ...read, taken: counted };
          counted = read.taken ?? new Map();
          if (++waiting === 2) latch.resolve();
          await latch.promise;
          return read;
        },
      },
    });
  };
  const ends = await Promise.all([come(racing(), sell("x", "b")), come(racing(), sell("y", "b"))]);
  assertEquals(ends.sort(), isFenced ? ["ok", "over_limit"] : ["ok", "ok"]);
  return (await unitsOf(on)).b;
}

inEveryMode("of two that counted the same, the second meets the first at its fence and counts again", async () => {
  await using on = await lanesBench();
  assertEquals(await countingBefore(on, true), CAP);
});

inEveryMode("control: who keeps what it counted before its last read gives a buyer a fourth", async () => {
  await using on = await lanesBench();
  assertEquals(await countingBefore(on, false), CAP + 1);
});

inEveryMode("the window slides: what was taken before it counts no more", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  const windowMs = 500;
  assertEquals(await come(lanes, policy({ buyerWindowMs: windowMs })), "ok");
  const first = await lanes.apply(sell("first", "b", CAP), NEVER);
  assert(first.ok && first.kind === "sell");
  let attempt = 0;
  let later: Verdict = first;
  await eventually(async () => {
    later = await lanes.apply(sell(`later-${attempt++}`, "b", CAP), NEVER);
    return later.ok;
  }, "the buyer may take again");
  assert(later.ok && later.kind === "sell" && later.order.atMs >= first.order.atMs + windowMs, "not before");
  // On a busy machine the window has slid on by the time that it is asked again.
  const more = await lanes.apply(sell("more", "b"), NEVER);
  assert(
    more.ok ? more.kind === "sell" && more.order.atMs >= later.order.atMs + windowMs : reasonOf(more) === "over_limit",
  );
});

inEveryMode("a live hold counts however old it is, and confirmed it is a sale of then", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  assertEquals(await come(lanes, policy({ buyerWindowMs: 1 })), "ok");
  const held = await lanes.apply(reserve("hold", "b", 2), NEVER);
  assert(held.ok && held.kind === "hold");
  const nowMs = async () =>
    (await on.store.readSnapshot({ stockKeys: [], orderIds: [], operationIds: [] }, NEVER)).atMs;
  await eventually(async () => await nowMs() > held.order.atMs + 1, "the hold is older than the window");
  assertEquals(await come(lanes, sell("more", "b", 2)), "over_limit");
  const sold = await lanes.apply({ kind: "confirm", orderId: "hold", lines: [], recordsShortfall: false }, NEVER);
  assert(sold.ok && sold.kind === "hold" && sold.order.atMs > held.order.atMs);
  const read = await on.store.readSnapshot({ stockKeys: [], orderIds: ["hold"], operationIds: [] }, NEVER);
  assertEquals(read.orders.get("hold")?.atMs, sold.order.atMs);
});

inEveryMode(
  "what came back, was released or has expired counts no more, and a hold does not block itself",
  async () => {
    await using on = await lanesBench();
    const lanes = on.lanes();
    assertEquals(await come(lanes, policy()), "ok");
    assertEquals(await come(lanes, sell("sold", "b", 2)), "ok");
    assertEquals(await come(lanes, reserve("hold", "b", 2)), "over_limit");
    assertEquals(await come(lanes, reserve("hold", "b", 1)), "ok");
    assertEquals(await come(lanes, reserve("hold", "b", 1)), "ok", "the same again");
    assertEquals(await come(lanes, reserve("hold", "b", 2)), "over_limit");
    assertEquals(await come(lanes, rollback("sold", undefined)), "ok");
    assertEquals(await come(lanes, reserve("hold", "b", 3)), "ok");
    assertEquals(await come(lanes, sell("more", "b")), "over_limit");
    assertEquals(await come(lanes, { kind: "confirm", orderId: "hold", lines: [], recordsShortfall: false }), "ok");
    assertEquals(await come(lanes, sell("more", "b")), "over_limit", "what was confirmed is sold");
    assertEquals(await come(lanes, reserve("other", "c", 3, 1)), "ok");
    await eventually(async () => await come(lanes, sell("third", "c", 3)) === "ok", "the hold has expired");
    assertEquals(await come(lanes, reserve("released", "d", 3)), "ok");
    assertEquals(await come(lanes, { kind: "release", orderId: "released" }), "ok");
    assertEquals(await come(lanes, sell("fourth", "d", 1)), "ok");
    assertEquals(await checkLedger(on.ownerUrl), []);
  },
);

inEveryMode("the cap is of one place, and at another the buyer has nothing", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes();
  assertEquals(await come(lanes, policy()), "ok");
  const elsewhere: Operation = {
    kind: "transfer",
    operationId: "t",
    toLocationId: 4,
    lines: [{ goodsId: 1, locationId: 0, num: 5 }],
  };
  assertEquals(await come(lanes, elsewhere), "ok");
  assertEquals(await come(lanes, { ...policy(), locationId: 4 } as Operation), "ok");
  assertEquals(await come(lanes, sell("here", "b", 3)), "ok");
  const there = (orderId: string, num: number): Operation => ({
    kind: "sell",
    orderId,
    lines: [{ goodsId: 1, locationId: 4, num }],
    buyerId: "b",
  });
  assertEquals(await come(lanes, there("x", 4)), "over_limit");
  assertEquals(await come(lanes, there("y", 3)), "ok");
});
