import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import { decideAll, storeAfter } from "../support/memory_store.ts";
import { anyBatches, anyOperation } from "../support/operations.ts";
import { seenVerdict } from "../support/seen_verdict.ts";

const RUNS = 2000;

Deno.test("settle() answers an applied operation the same again, whatever came in between", () => {
  const again = new Map<string, number>();
  fc.assert(
    fc.property(anyBatches, anyOperation, anyBatches, (before, any, between) => {
      const { dryRun: _, ...wet } = any;
      const operation = wet as Operation;
      const { store, nowMs } = storeAfter(before);
      const [first] = decideAll(store, [operation], nowMs);
      if (!first!.ok || first!.kind === "shortfall" || first!.kind === "expired") return;
      let laterMs = nowMs;
      for (const { afterMs, operations } of between) decideAll(store, operations, laterMs += afterMs);
      const snapshot = store.snapshot([operation], laterMs);
      const { verdicts: [second], changes } = settle(snapshot, [operation]);
      assertAgain(operation, first!, second!, between.length === 0);
      // A hold's time and lines can be asked for anew.
      if (operation.kind !== "reserve" && operation.kind !== "extend" && second!.ok) {
        const isOnRecord = changes.orders.length + changes.operations.length === 0;
        // Of what needed no change then there is no record.
        if (store.operations.has(idOf(operation)) || second!.replayed) assert(isOnRecord);
      }
      again.set(operation.kind, (again.get(operation.kind) ?? 0) + 1);
    }),
    { numRuns: RUNS },
  );
  for (const kind of ["sell", "rollback", "give_back", "confirm", "release", "adjust", "count", "transfer", "policy"]) {
    assert((again.get(kind) ?? 0) > 2, `${kind} was applied ${again.get(kind)} times`);
  }
});

function idOf(operation: Operation): string {
  return "operationId" in operation ? operation.operationId : "";
}

/** Whether the second verdict is what a caller who asks again may be answered. */
function assertAgain(operation: Operation, first: Verdict, second: Verdict, isNext: boolean): void {
  const [was, is] = [seenVerdict(first), seenVerdict(second)];
  switch (operation.kind) {
    case "give_back":
    case "adjust":
    case "count":
    case "transfer":
      return assertEquals(is, { ...was, replayed: true });
    case "rollback":
      // Where nothing was left to give back, and no id was given, nothing is on record.
      return assertEquals({ ...is, replayed: undefined }, { ...was, replayed: undefined });
    case "sell":
    case "confirm":
    case "release":
      // What came back since is answered as such.
      if (!second.ok) return assert(["order_state", "content_differs"].includes(second.refusal.reason) && !isNext);
      return assertEquals(is, { ...was, replayed: true });
    case "reserve":
      // Its own units count as free for it.
      return isNext ? assertEquals(is, was) : undefined;
    case "extend":
      return isNext ? assertEquals(is, { ...was, replayed: true }) : undefined;
    case "set":
    case "policy":
    case "delete":
    case "restore":
      if (isNext) assertEquals(second.ok, true);
      return;
  }
}
