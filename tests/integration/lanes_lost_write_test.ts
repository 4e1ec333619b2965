/**
 * A write that was lost may commit late: when its packet comes, when the disk or a standby has answered. Nobody is
 * answered before that what would then not be true.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Changes, OrderState } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { FenceLostError, OutcomeUnknownError } from "../../src/store/errors.ts";
import { giveBack, rollback, sell, set } from "../support/apply.ts";
import { ownerOf } from "../support/database.ts";
import { HOUR_MS, levelOf } from "../support/hold_bench.ts";
import { confirm, elapse, expire, extend, holdViolations, release, reserve, wordOf } from "../support/holds.ts";
import { type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";

/** Lanes whose first write is lost, and is made only when `commit` is called. */
function lanesWithLateWrite(on: LanesBench, afterLoss: () => Promise<void> = () => Promise.resolve()) {
  const lost = Promise.withResolvers<void>();
  let late: Changes | undefined;
  const lanes = on.lanes({
    store: {
      writeChanges: async (changes, signal) => {
        if (late !== undefined) return await on.store.writeChanges(changes, signal);
        late = changes;
        lost.resolve();
        await afterLoss();
        throw new OutcomeUnknownError("the connection is gone");
      },
    },
  });
  return {
    lanes,
    lost: lost.promise,
    /** Answers whether the lost write could still be made. */
    async commit(): Promise<boolean> {
      assert(late !== undefined, "nothing was written");
      try {
        await on.store.writeChanges(late, NEVER);
        return true;
      } catch (error) {
        assertInstanceOf(error, FenceLostError);
        return false;
      }
    },
  };
}

/** What makes a sale of five units possible that is refused without it, and how the sale is refused then. */
const MAKES_ROOM: readonly [name: string, before: Operation[], first: Operation, sale: Operation][] = [
  ["a set", [set("none", 2, 0)], set("five", 2, 5), sell("late", [2, 5])],
  ["the set that makes the goods known", [], set("new", 9, 5), sell("late", [9, 5])],
  ["units that come back", [set("none", 2, 0)], giveBack("back", [2, 5]), sell("late", [2, 5])],
  ["a set, of units that come back", [], set("new", 9, 5), giveBack("late", [9, 5])],
];

for (const [name, before, first, second] of MAKES_ROOM) {
  inEveryMode(`what ${name} made possible in a lost write is not refused before that write is decided`, async () => {
    await using on = await lanesBench();
    for (const operation of before) assertEquals((await on.lanes().apply(operation, NEVER)).ok, true);
    const { lanes, lost, commit } = lanesWithLateWrite(on);
    const caller = new AbortController();
    const leaving = lanes.apply(first, caller.signal);
    const answer = lanes.apply(second, NEVER).then(({ ok }) => ok ? "applied" : "refused", failureKind);
    await lost;
    caller.abort(new Error("the caller has left"));
    await assertRejects(() => leaving, Error, "the caller has left");
    // Another process decides it too, as a retry does.
    const answers = [await answer, (await on.lanes().apply(second, NEVER)).ok ? "applied" : "refused"];
    const isCommitted = await commit();
    const isApplied = isOnRecord(await recordsOf(on), second);
    if (!answers.includes("outcome_unknown")) {
      assertEquals(isApplied, answers.includes("applied"), `answered ${answers}; the lost write came: ${isCommitted}`);
    }
    assertEquals((await on.lanes().apply(second, NEVER)).ok, isApplied || isCommitted);
    assertEquals(await checkLedger(on.ownerUrl), []);
  });
}

inEveryMode("a dry run that was answered by a lost write has no part in it, and is decided afresh", async () => {
  await using on = await lanesBench();
  assertEquals((await on.lanes().apply(set("none", 2, 0), NEVER)).ok, true);
  const { lanes, lost, commit } = lanesWithLateWrite(on);
  const caller = new AbortController();
  const leaving = lanes.apply(set("five", 2, 5), caller.signal);
  const answer = lanes.apply({ ...sell("dry", [2, 5]), dryRun: true }, NEVER)
    .then(({ ok }) => ok ? "would be sold" : "would be refused", failureKind);
  await lost;
  caller.abort(new Error("the caller has left"));
  await assertRejects(() => leaving, Error, "the caller has left");
  assertEquals(await answer, "would be refused");
  assertEquals(await commit(), true);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a set of a lost write that came is answered with what it made, not with what came after it", async () => {
  await using on = await lanesBench();
  const other = on.lanes();
  const stood = await other.apply(set("as it stands", 1, 10), NEVER);
  assert(stood.ok && stood.kind === "set");
  const { lanes, commit } = lanesWithLateWrite(on, async () => {
    assertEquals(await commit(), true);
    assertEquals((await other.apply(sell("after", [1, 2]), NEVER)).ok, true);
  });
  const answer = await lanes.apply(set("five", 1, 5), NEVER);
  assert(answer.ok && answer.kind === "set");
  const { onHand, version: made } = answer.level;
  assertEquals([onHand, made], [5, stood.level.version + 1]);
  assertEquals(await on.onHand(1), 3);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

/** What others do meanwhile. After an hour all holds are over. */
type Meanwhile = readonly (Operation | "an hour")[];

/** A lost write that came, what others then did with its order, and in which state its retry finds that. */
const UNDONE: readonly [before: Operation[], lost: Operation, undone: Meanwhile, state: OrderState][] = [
  [[], sell("o", [1, 3]), [rollback("o", undefined)], "rolled_back"],
  [[], sell("o", [1, 3]), [rollback("o", "a part", [1, 1]), rollback("o", undefined)], "rolled_back"],
  [[], reserve("o", [[1, 3]]), [release("o")], "released"],
  [[], reserve("o", [[1, 3]]), [confirm("o")], "sold"],
  [[reserve("o", [[1, 3]])], confirm("o"), [rollback("o", undefined)], "rolled_back"],
  [[reserve("o", [[1, 3]])], extend("o", 90_000), [release("o")], "released"],
  [[reserve("o", [[1, 3]])], extend("o", 90_000), ["an hour"], "expired"],
  [[reserve("o", [[1, 3]])], extend("o", 90_000), ["an hour", expire("o")], "expired"],
];

for (const [before, operation, undone, state] of UNDONE) {
  const words = undone.map((each) => typeof each === "string" ? each : each.kind).join(", ");
  inEveryMode(`${operation.kind} of a lost write that came is not refused as ${state} since: ${words}`, async () => {
    await using on = await lanesBench();
    await happen(on, before);
    const { lanes, commit } = lanesWithLateWrite(on, async () => {
      assertEquals(await commit(), true);
      await happen(on, undone);
    });
    assertEquals(await lanes.apply(operation, NEVER).catch(failureKind), "outcome_unknown");
    // Who asks again, without a lost write, hears what became of it.
    const again = await lanes.apply(operation, NEVER);
    assertEquals(again.ok || again.refusal, { reason: "order_state", orderId: "o", state });
    assertEquals(await checkLedger(on.ownerUrl), []);
  });
}

const SOLD = sell("o", [1, 3]);
const PART = rollback("o", "a part", [1, 1]);
const REST = rollback("o", "the rest");
const OVER: Meanwhile = [reserve("o", [[1, 3]]), "an hour"];
const ENDED: Meanwhile = [reserve("ended", [[1, 10]]), "an hour"];

/** A lost write, whether it came, what others did then, its retry's answer, and what is left of ten units. */
type Answered = readonly [
  before: Meanwhile,
  lost: Operation,
  came: boolean,
  since: Meanwhile,
  answer: string,
  left: [onHand: number, reserved: number],
];
const ANSWERED: readonly (readonly [name: string, ...Answered])[] = [
  ["of which a part came back", [], SOLD, true, [PART], "sold", [8, 0]],
  ["behind which the rest came back", [SOLD], PART, true, [REST], "rollback", [10, 0]],
  ["before which all came back", [SOLD], PART, false, [REST], "outcome_unknown", [10, 0]],
  ["of a part, beside another", [SOLD], PART, true, [rollback("o", "b", [1, 1])], "rollback", [9, 0]],
  ["of a part without an id", [SOLD], rollback("o", undefined, [1, 1]), true, [REST], "rollback", [10, 0]],
  ["of what a part had left", [SOLD, PART], rollback("o", undefined), true, [], "rollback", [10, 0]],
  ...[true, false].flatMap((came): (readonly [string, ...Answered])[] => [
    ["of a hold that was sold late", OVER, expire("o"), came, [confirm("o")], "expired", [7, 0]],
    ["of a hold that was released", OVER, expire("o"), came, [release("o")], "expired", [10, 0]],
    ["of a hold that was made anew", OVER, expire("o"), came, [reserve("o", [[1, 5]])], "expired", [10, 5]],
    ["of what an ended hold had", ENDED, SOLD, came, [expire("ended"), sell("b", [1, 7])], "sold", [0, 0]],
  ]),
  ["of what others bought", ENDED, SOLD, false, [sell("b", [1, 8])], "outcome_unknown", [2, 0]],
];

for (const [name, before, lost, came, since, answer, left] of ANSWERED) {
  inEveryMode(`${lost.kind} ${name}, of a lost write that ${came ? "came" : "did not come"}: ${answer}`, async () => {
    await using on = await lanesBench();
    await using owner = ownerOf(on.ownerUrl);
    await happen(on, before);
    const { lanes, commit } = lanesWithLateWrite(on, async () => {
      if (came) assertEquals(await commit(), true);
      await happen(on, since);
    });
    assertEquals(await lanes.apply(lost, NEVER).then(wordOf, failureKind), answer);
    if (!came) assertEquals(await commit(), false);
    assertEquals(await levelOf(on, 1), left);
    assertEquals(await holdViolations(owner.sql), []);
    assertEquals(await checkLedger(on.ownerUrl), []);
  });
}

inEveryMode("a sell of a lost write is refused once its order is barred, as the write can come no more", async () => {
  await using on = await lanesBench();
  const other = on.lanes();
  const { lanes, commit } = lanesWithLateWrite(on, async () => {
    assertEquals((await other.apply(rollback("o", undefined), NEVER)).ok, true);
  });
  const verdict = await lanes.apply(sell("o", [1, 3]), NEVER);
  assertEquals(verdict.ok || verdict.refusal, { reason: "order_state", orderId: "o", state: "barred" });
  assertEquals(await commit(), false);
  assertEquals(await on.onHand(1), 10);
});

inEveryMode("an order of a lost write is not refused, whatever it would be refused for", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  // By hand and for a moment: it moves no version, so the lost write may still be made.
  const { lanes, commit } = lanesWithLateWrite(on, async () => {
    await owner.sql`update levels set deleted_at = now() where goods_id = 1`;
  });
  const results = await lanes.applyAll([sell("a", [1, 4]), sell("b", [1, 6])], NEVER);
  assertEquals(
    results.map((result) => result.status === "rejected" && failureKind(result.reason)),
    ["outcome_unknown", "outcome_unknown"],
  );
  await owner.sql`update levels set deleted_at = null where goods_id = 1`;
  assertEquals(await commit(), true);
  assertEquals(await on.onHand(1), 0);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("who was refused beside a lost write is refused: no write of it is out", async () => {
  await using on = await lanesBench();
  const { lanes } = lanesWithLateWrite(on);
  const [sold, short] = await lanes.applyAll([sell("all", [1, 10]), sell("short", [1, 1])], NEVER);
  assertEquals([sold?.status, short?.status], ["fulfilled", "fulfilled"]);
  assertEquals(short?.status === "fulfilled" && short.value.ok, false);
});

async function happen(on: LanesBench, meanwhile: Meanwhile): Promise<void> {
  await using owner = ownerOf(on.ownerUrl);
  const others = on.lanes();
  for (const each of meanwhile) {
    if (each === "an hour") await elapse(owner.sql, HOUR_MS);
    else assertEquals((await others.apply(each, NEVER)).ok, true);
  }
}

function failureKind(error: unknown): string {
  assertInstanceOf(error, Failure);
  return error.kind;
}

async function recordsOf(on: LanesBench): Promise<ReadonlySet<string>> {
  const { orders, operations } = await on.store.readSnapshot(
    { stockKeys: [], orderIds: ["late"], operationIds: ["late"] },
    NEVER,
  );
  return new Set([...orders.keys(), ...operations.keys()]);
}

function isOnRecord(ids: ReadonlySet<string>, operation: Operation): boolean {
  return ids.has("orderId" in operation ? operation.orderId : operation.operationId);
}
