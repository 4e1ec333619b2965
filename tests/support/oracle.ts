/**
 * A second, plain answer to what operations come to: one at a time, at a given moment, on nothing but what is there.
 * It shares no code with src/inventory, so that a fault there does not hide itself here.
 */
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { confirm, extend, release, reserve, rollback, sell } from "./oracle/orders.ts";
import { adjust, close, count, giveBack, policy, set, transfer } from "./oracle/stock.ts";
import { World } from "./oracle/world.ts";
import { quantities, type SeenVerdict, sortedVerdict } from "./seen_verdict.ts";

/** Decides operations one after the other. */
export class Oracle {
  readonly world = new World();

  /** What it comes to at this moment, which is that of the one before or later. */
  apply(operation: Operation, nowMs: number): SeenVerdict {
    this.world.pass(nowMs);
    const world = operation.dryRun ? this.world.copy() : this.world;
    return sortedVerdict(decide(world, operation));
  }
}

function decide(world: World, operation: Operation): SeenVerdict {
  switch (operation.kind) {
    case "set":
      return set(world, operation);
    case "sell":
      return sell(world, operation);
    case "rollback":
      return rollback(world, operation.rollbackId, operation.orderId, quantities(operation.lines));
    case "give_back":
      return giveBack(world, operation.operationId, quantities(operation.lines));
    case "reserve":
      return reserve(world, operation);
    case "extend":
      return extend(world, operation.orderId, operation.ttlMs);
    case "confirm":
      return confirm(world, operation.orderId, quantities(operation.lines), operation.recordsShortfall);
    case "release":
      return release(world, operation.orderId);
    case "expire":
      return { ok: "expired" };
    case "adjust":
      return adjust(world, operation.operationId, quantities(operation.lines), operation);
    case "count":
      return count(world, operation);
    case "transfer":
      return transfer(world, operation.operationId, quantities(operation.lines), operation);
    case "policy":
      return policy(world, operation);
    case "delete":
    case "restore":
      return close(world, operation);
  }
}
