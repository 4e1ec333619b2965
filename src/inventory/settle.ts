/**
 * Settling: a batch of operations decided one after the other on a snapshot that was read once, and everything
 * that has to be written to make it so. Pure.
 *
 * Each operation sees what the ones before it came to, so the verdicts are exactly those of deciding and
 * writing them one at a time in this sequence.
 *
 * Nothing is written on the strength of what is not committed: an operation that alone, on the snapshot as it was read,
 * would write nothing ends the batch before it. A write that was lost may still commit. Whoever decides one of its
 * operations afresh on the same rows, in whatever company and process, then comes to a write again, which meets the
 * first at its fence. A refusal writes nothing and meets nobody: it would be answered, and then the lost write
 * would commit.
 */
import { InvariantError } from "../base/invariant.ts";
import type { Changes, Level, Movement, Order, RecordedOperation, Snapshot, Verdict } from "./model.ts";
import { type Operation, rulesOf } from "./operations/operation.ts";
import type { Decision, Effect, Step } from "./operations/rules.ts";
import { checkTransition } from "./states.ts";

/** What a batch came to: verdicts of as many operations as were decided, at least one, and what is to be written. */
export interface Settled {
  readonly verdicts: readonly Verdict[];
  readonly changes: Changes;
}

/**
 * Decides `operations` in sequence, up to the first that leans on another's change. The rest, which has no verdicts,
 * is to be decided on a snapshot that is read once this is committed.
 *
 * With `leansOnOthers` all are decided at once: only to show in tests what the limit above is for.
 *
 * The snapshot must contain every goods, order and operation that they touch and that exists (see `recordIds` and
 * `goodsOf`): whatever is not in it is taken not to exist. Throws InvariantError if an operation moves a goods that is
 * missing there: then the snapshot was not read for these operations.
 */
export function settle(
  snapshot: Snapshot,
  operations: readonly Operation[],
  { leansOnOthers = false }: { readonly leansOnOthers?: boolean } = {},
): Settled {
  const working = {
    atMs: snapshot.atMs,
    levels: new Map(snapshot.levels),
    orders: new Map(snapshot.orders),
    operations: new Map(snapshot.operations),
  };
  const movements: Movement[] = [];
  const orders = new Set<string>();
  const recorded: RecordedOperation[] = [];
  const verdicts: Verdict[] = [];
  let takesOnly = true;

  for (const operation of operations) {
    const rules = rulesOf(operation);
    const decision = rules.decide(working, operation);
    if (!decision.ok) {
      verdicts.push(decision);
      continue;
    }
    const { effect, answer } = decision;
    // Where all only take units away, none leans on another; most batches are nothing else.
    takesOnly &&= rules.takesOnly;
    const mayLean = !leansOnOthers && !takesOnly && verdicts.length > 0;
    if (mayLean && writes(decision) && !writes(rules.decide(snapshot, operation))) break;
    for (const step of effect.steps) {
      const before = levelBefore(working, step);
      const movement = movementOf(step, before, operation, effect);
      movements.push(movement);
      working.levels.set(step.goodsId, levelAfter(movement, before.deleted && step.opens !== true));
    }
    if (effect.order !== undefined) {
      checkTransition(operation.kind, working.orders.get(effect.order.orderId)?.state, effect.order.state);
      working.orders.set(effect.order.orderId, effect.order);
      orders.add(effect.order.orderId);
    }
    if (effect.operation !== undefined) {
      working.operations.set(effect.operation.operationId, effect.operation);
      recorded.push(effect.operation);
    }
    verdicts.push(answer);
  }

  const moved = new Set(movements.map((movement) => movement.goodsId));
  return {
    verdicts,
    changes: {
      atMs: snapshot.atMs,
      movements: movements.sort((a, b) => a.goodsId - b.goodsId || a.version - b.version),
      levels: [...moved].sort((a, b) => a - b).map((goodsId) => ({
        before: snapshot.levels.get(goodsId),
        after: present(working.levels.get(goodsId), goodsId),
      })),
      orders: [...orders].sort().map((orderId) => ({
        before: snapshot.orders.get(orderId),
        after: working.orders.get(orderId) as Order,
      })),
      operations: recorded.sort((a, b) => (a.operationId < b.operationId ? -1 : 1)),
    },
  };
}

/** Whether there is anything to write. */
export function changesNothing(changes: Changes): boolean {
  return changes.movements.length === 0 && changes.orders.length === 0 && changes.operations.length === 0;
}

function writes(decision: Decision): boolean {
  if (!decision.ok) return false;
  const { steps, order, operation } = decision.effect;
  return steps.length > 0 || order !== undefined || operation !== undefined;
}

/** Where the goods stands before the step: at zero if it is new and the step opens it. */
function levelBefore({ levels }: Snapshot, { goodsId, opens }: Step): Level {
  const known = levels.get(goodsId);
  if (known === undefined && opens) return { goodsId, onHand: 0, reserved: 0, version: 0, deleted: false };
  return present(known, goodsId);
}

function movementOf(step: Step, before: Level, { kind }: Operation, { order, operation }: Effect): Movement {
  const { goodsId, onHandDelta, reservedDelta } = step;
  return {
    goodsId,
    version: before.version + 1,
    kind,
    orderId: order?.orderId,
    operationId: operation?.operationId,
    onHandDelta,
    reservedDelta,
    onHandAfter: before.onHand + onHandDelta,
    reservedAfter: before.reserved + reservedDelta,
  };
}

function levelAfter({ goodsId, onHandAfter, reservedAfter, version }: Movement, deleted: boolean): Level {
  return { goodsId, onHand: onHandAfter, reserved: reservedAfter, version, deleted };
}

function present(level: Level | undefined, goodsId: number): Level {
  if (level === undefined) throw new InvariantError(`goods ${goodsId} is not in the snapshot that is settled on`);
  return level;
}
