/**
 * One operation when something goes wrong between its arrival and its end, on a real database.
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Changes } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import { DatabaseUnavailableError, FenceLostError, OutcomeUnknownError } from "../../src/store/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { sell, set } from "../support/apply.ts";
import { LANES_LIMITS, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { seenAnswer } from "../support/seen_verdict.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { SILENT } from "../support/silent_log.ts";

/** The store's write with something going wrong at each of the first `times` calls. */
function failing(
  store: Store,
  times: number,
  fault: (write: () => Promise<number | void>) => Promise<number | void>,
): Partial<Store> {
  let calls = 0;
  return {
    writeChanges: (changes: Changes, signal: AbortSignal) => {
      const write = () => store.writeChanges(changes, signal);
      return calls++ < times ? fault(write) : write();
    },
  };
}

function lost(): never {
  throw new OutcomeUnknownError("the connection is gone");
}

const SELL: Operation = { kind: "sell", orderId: "o", lines: [{ goodsId: 1, locationId: 0, num: 3 }] };
const GIVE_BACK: Operation = { kind: "give_back", operationId: "g", lines: [{ goodsId: 1, locationId: 0, num: 3 }] };
const SET: Operation = { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 4 };

const EXPECTED: [Operation, Record<string, unknown>, onHand: number][] = [
  [SELL, { ok: "sell", took: { 1: 3 } }, 7],
  [GIVE_BACK, { ok: "rollback", gave: { 1: 3 } }, 13],
  [SET, { ok: "set", place: "1", available: 4, version: 2 }, 4],
];

for (const [operation, expected, onHand] of EXPECTED) {
  for (
    const [when, fault] of [
      ["before it arrived", () => Promise.reject(new OutcomeUnknownError("lost"))],
      ["after it committed", (write: () => Promise<number | void>) => write().then(lost)],
      // Nobody waits for it any more, but PostgreSQL is still at it.
      [
        "while it is under way",
        (
          write: () => Promise<number | void>,
        ) => (write().catch(() => {}), Promise.reject(new OutcomeUnknownError("lost"))),
      ],
    ] as const
  ) {
    inEveryMode(
      `a ${operation.kind} whose connection is lost ${when} is applied once and answered with the truth`,
      async () => {
        await using on = await lanesBench();
        const verdict = await on.lanes({ store: failing(on.store, 3, fault) }).apply(operation, NEVER);
        assertEquals(seenAnswer(verdict), expected);
        assertEquals(await on.onHand(1), onHand);
        assertEquals(await checkLedger(on.ownerUrl), []);
      },
    );
  }
}

inEveryMode("a rollback that was lost and overtaken by its sell gives back what was sold", async () => {
  await using on = await lanesBench();
  const meanwhile = on.lanes();
  const lanes = on.lanes({
    store: failing(on.store, 1, async () => {
      await meanwhile.apply(SELL, NEVER);
      lost();
    }),
  });
  const rollback: Operation = { kind: "rollback", rollbackId: undefined, orderId: "o", lines: [] };
  assertEquals(seenAnswer(await lanes.apply(rollback, NEVER)), { ok: "rollback", gave: { 1: 3 } });
  assertEquals(await on.onHand(1), 10);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("a lost write that is on record is found without a quorum", async () => {
  await using on = await lanesBench();
  let quorum = true;
  const lanes = on.lanes({
    limits: { lockWaitMsMax: 1500 },
    store: failing(on.store, 1, async (write) => {
      await write();
      quorum = false;
      lost();
    }),
    lock: {
      acquire: (...args) =>
        quorum ? grantAllLock().acquire(...args) : Promise.reject(new QuorumLostError("two of five")),
    },
  });
  assertEquals(seenAnswer(await lanes.apply(SELL, NEVER)), { ok: "sell", took: { 1: 3 } });
  assertEquals(await on.onHand(1), 7);
});

inEveryMode("an outcome that can't be found out is answered as such, whatever came after it", async () => {
  for (const after of [new DatabaseUnavailableError("away"), new TypeError("a bug")]) {
    await using on = await lanesBench();
    let away = false;
    const lanes = on.lanes({
      store: {
        ...failing(on.store, 1, async (write) => {
          await write();
          away = true;
          lost();
        }),
        readSnapshot: (keys, signal) => away ? Promise.reject(after) : on.store.readSnapshot(keys, signal),
      },
    });
    const error = await assertRejects(() => lanes.apply(SELL, NEVER), Failure);
    assertEquals(error.kind, "outcome_unknown");
    assertEquals(seenAnswer(await on.lanes().apply(SELL, NEVER)), { ok: "sell", took: { 1: 3 } });
    assertEquals(await on.onHand(1), 7);
  }
});

Deno.test("more operations than may be under way are refused at once, and leave no place taken", async () => {
  await using on = await lanesBench();
  const reached = Promise.withResolvers<void>();
  const latch = Promise.withResolvers<void>();
  const lanes = on.lanes({
    limits: { operationsMax: 1 },
    lock: {
      acquire: async (...args) => {
        reached.resolve();
        await latch.promise;
        return await grantAllLock().acquire(...args);
      },
    },
  });
  const first = lanes.apply(SELL, NEVER);
  await reached.promise;
  const error = await assertRejects(() => lanes.apply(GIVE_BACK, NEVER), Failure);
  assertEquals(error.kind, "queue_full");
  latch.resolve();
  assertEquals((await first).ok, true);
  assertEquals((await lanes.apply(GIVE_BACK, NEVER)).ok, true);
});

Deno.test("nothing is written under a lease that has less left than a write may take", async () => {
  await using on = await lanesBench();
  let taken = 0;
  let released = 0;
  const lanes = on.lanes({
    limits: { lockWaitMsMax: 1500 },
    lock: {
      acquire: () => {
        taken++;
        return Promise.resolve({
          remainingMs: () => LANES_LIMITS.writeMsMax - 1,
          extend: () => Promise.resolve(),
          release: () => Promise.resolve(void released++),
        });
      },
    },
  });
  const error = await assertRejects(() => lanes.apply(SELL, NEVER), Failure);
  assertEquals(error.kind, "busy");
  assertEquals(await on.onHand(1), 10);
  await lanes.close();
  assertEquals(released, taken);
});

Deno.test("each failure of lock and store has its kind, changes nothing, and releases the lease", async () => {
  await using on = await lanesBench();
  const cases: [Error, lock: boolean, Failure["kind"]][] = [
    [new LeaseTakenError("taken"), true, "busy"],
    [new QuorumLostError("lost"), true, "no_quorum"],
    [new FenceLostError("again"), false, "busy"],
    [new DatabaseUnavailableError("away"), false, "database"],
  ];
  for (const [fault, inLock, kind] of cases) {
    let owned = 0;
    const lock: Partial<Lock> = {
      acquire: () => {
        if (inLock) return Promise.reject(fault);
        owned++;
        return Promise.resolve({
          remainingMs: () => 5000,
          extend: () => Promise.resolve(),
          release: () => Promise.resolve(void owned--),
        });
      },
    };
    const store: Partial<Store> = inLock ? {} : { writeChanges: () => Promise.reject(fault) };
    const lanes = on.lanes({ lock, store, limits: { lockWaitMsMax: 1500 } });
    const error = await assertRejects(() => lanes.apply(SELL, NEVER), Failure);
    assertEquals(error.kind, kind);
    await lanes.close();
    assertEquals(owned, 0);
  }
  assertEquals(await on.onHand(1), 10);
});

inEveryMode("a fault of the program is not dressed up as a failure of the servers", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes({ store: { readSnapshot: () => Promise.reject(new TypeError("a bug")) } });
  assertInstanceOf(await lanes.apply(SELL, NEVER).catch((error) => error), TypeError);
});

Deno.test("a fault of a batch is not the fault of who left that batch before, and is written in another", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("two", 2, 10), NEVER);
  const writing = Promise.withResolvers<void>();
  const latch = Promise.withResolvers<void>();
  const lanes = on.lanes({
    log: SILENT,
    lock: {
      acquire: async (goodsIds) => {
        if (goodsIds.length === 2) throw new LeaseTakenError("taken", [1]);
        if (goodsIds.includes(1)) return await grantAllLock().acquire(goodsIds);
        await writing.promise;
        throw new TypeError("a bug");
      },
    },
    store: {
      writeChanges: async (...args) => {
        writing.resolve();
        await latch.promise;
        await on.store.writeChanges(...args);
      },
    },
  });
  const left = lanes.apply(SELL, NEVER);
  const stayed = lanes.apply(sell("stays", [2, 1]), NEVER);
  assertInstanceOf(await stayed.catch((error) => error), TypeError);
  latch.resolve();
  assertEquals(seenAnswer(await left), { ok: "sell", took: { 1: 3 } });
  assertEquals([await on.onHand(1), await on.onHand(2)], [7, 10]);
});

inEveryMode("a caller that leaves before the write leaves no trace", async () => {
  await using on = await lanesBench();
  const caller = new AbortController();
  const lanes = on.lanes({
    store: {
      readSnapshot: async (keys, signal) => {
        const snapshot = await on.store.readSnapshot(keys, signal);
        caller.abort(new Error("gone"));
        return snapshot;
      },
    },
  });
  await assertRejects(() => lanes.apply(SELL, caller.signal), Error, "gone");
  assertEquals(await on.onHand(1), 10);
  assertEquals(seenAnswer(await on.lanes().apply(SELL, NEVER)), { ok: "sell", took: { 1: 3 } });
});
