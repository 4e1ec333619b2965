/**
 * Settling: a batch of operations decided one after the other on a snapshot that was read once, and everything
 * that has to be written to make it so. Pure.
 *
 * Each operation sees what the ones before it came to, so the verdicts are exactly those of deciding and
 * writing them one at a time in this sequence.
 *
 * Holds whose time is up are taken off the levels first, with a movement each, so that no decision counts them. Where
 * there are more of them than a snapshot contains, only sales that get all that they ask for are decided before the
 * others are off.
 *
 * Nothing is written on the strength of what is not committed: an operation that alone, on the snapshot as it was read,
 * would write nothing ends the batch before it. A write that was lost may still commit. Whoever decides one of its
 * operations afresh on the same rows, in whatever company and process, then comes to a write again, which meets the
 * first at its fence. A refusal writes nothing and meets nobody: it would be answered, and then the lost write
 * would commit.
 */
import { InvariantError } from "../base/invariant.ts";
import { buyerUnits } from "./buyer_units.ts";
import { heldLinesOf } from "./hold_lines.ts";
import type {
  Changes,
  DueHold,
  HoldLine,
  Level,
  Movement,
  Order,
  RecordedOperation,
  Shortfall,
  Snapshot,
  Verdict,
} from "./model.ts";
import { takenKey } from "./model.ts";
import { type Operation, rulesOf } from "./operations/operation.ts";
import type { Decision, Effect, OperationRules, Step } from "./operations/rules.ts";
import { comparePlaces, keyOf, type Place, type StockKey } from "./stock_key.ts";
import { checkTransition, stateAt } from "./states.ts";

/** What a batch came to: verdicts of as many operations as were decided, and what is to be written; one of both. */
export interface Settled {
  readonly verdicts: readonly Verdict[];
  readonly changes: Changes;
}

/** What is to be written of a batch beside levels and movements, so far. */
interface Batch {
  readonly orders: Set<string>;
  readonly operations: RecordedOperation[];
  /** By order. */
  readonly shortfalls: Map<string, Shortfall>;
  readonly endedShortfalls: string[];
}

/** What the operations of a batch came to so far. */
interface Working extends Snapshot {
  readonly levels: Map<StockKey, Level>;
  readonly orders: Map<string, Order>;
  readonly operations: Map<string, RecordedOperation>;
  readonly taken: Map<string, number>;
}

/**
 * Decides `operations` in sequence, up to the first that leans on another's change, or looks at what was read for the
 * goods as they were before. The rest, which has no verdicts, is to be decided on a snapshot that is read once this is
 * committed.
 *
 * With `leansOnOthers` all are decided at once: only to show in tests what the limit above is for.
 *
 * The snapshot must contain every goods, order and operation that they touch and that exists (see `records` and
 * `keysOf`): whatever is not in it is taken not to exist. Throws InvariantError if an operation moves a goods that is
 * missing there: then the snapshot was not read for these operations.
 */
export function settle(
  snapshot: Snapshot,
  operations: readonly Operation[],
  { leansOnOthers = false }: { readonly leansOnOthers?: boolean } = {},
): Settled {
  const { due = [], moreDue = false } = snapshot;
  const movements: Movement[] = [];
  const working: Working = {
    atMs: snapshot.atMs,
    levels: new Map(snapshot.levels),
    orders: new Map(snapshot.orders),
    operations: new Map(snapshot.operations),
    taken: new Map(snapshot.taken),
    ...(snapshot.moments === undefined ? {} : { moments: snapshot.moments }),
  };
  for (const hold of due) movements.push(expire(working, hold));
  const alone = due.length === 0 ? snapshot : { ...snapshot, levels: new Map(working.levels) };

  const batch: Batch = { orders: new Set(), operations: [], shortfalls: new Map(), endedShortfalls: [] };
  const verdicts: Verdict[] = [];
  let takesOnly = true;
  // Places with another policy than the snapshot was read for.
  const renewed = new Set<StockKey>();

  for (const operation of operations) {
    const rules = rulesOf(operation);
    if (rules.looksBack !== undefined || renewed.size > 0) {
      if (looksAtChanged(operation, working, alone, renewed)) break;
    }
    const decision = rules.decide(working, operation);
    if (moreDue && !isSureWithout(decision, rules)) break;
    if (!decision.ok || operation.dryRun === true) {
      verdicts.push(decision.ok ? decision.answer : decision);
      continue;
    }
    const { effect, answer } = decision;
    // Where all only take units away, none leans on another; most batches are nothing else.
    takesOnly &&= rules.takesOnly;
    const mayLean = !leansOnOthers && !takesOnly && verdicts.length > 0;
    if (mayLean && writes(decision) && !writes(rules.decide(alone, operation))) break;
    for (const step of effect.steps) {
      const before = levelBefore(working, step);
      const movement = movementOf(step, before, operation, effect);
      movements.push(movement);
      working.levels.set(keyOf(step), levelAfter(movement, before, step));
      if (step.policy !== undefined) renewed.add(keyOf(step));
    }
    if (effect.order !== undefined) {
      const before = working.orders.get(effect.order.orderId);
      checkTransition(operation.kind, stateAt(before, snapshot.atMs), effect.order.state);
      countTaken(working, before, effect.order);
      working.orders.set(effect.order.orderId, effect.order);
      batch.orders.add(effect.order.orderId);
    }
    if (effect.operation !== undefined) {
      working.operations.set(effect.operation.operationId, effect.operation);
      batch.operations.push(effect.operation);
    }
    if (effect.shortfall !== undefined) batch.shortfalls.set(effect.shortfall.orderId, effect.shortfall);
    if (effect.endsShortfall && effect.order !== undefined) {
      batch.shortfalls.delete(effect.order.orderId);
      batch.endedShortfalls.push(effect.order.orderId);
    }
    verdicts.push(answer);
  }

  return { verdicts, changes: changesOf(snapshot, working, movements, batch) };
}

/** Whether there is anything to write. */
export function changesNothing({ movements, orders, operations, shortfalls = [] }: Changes): boolean {
  return movements.length + orders.length + operations.length + shortfalls.length === 0;
}

function changesOf(
  snapshot: Snapshot,
  working: Working,
  movements: Movement[],
  batch: Batch,
): Changes {
  const { atMs, due = [], moreDue = false } = snapshot;
  movements.sort((a, b) => comparePlaces(a, b) || a.version - b.version);
  const moved = movements.filter((movement, i) => i === 0 || comparePlaces(movements[i - 1] as Place, movement) !== 0);
  const orders = [...batch.orders].sort().map((orderId) => ({
    before: snapshot.orders.get(orderId),
    after: working.orders.get(orderId) as Order,
  }));
  const lines = heldLinesOf(orders, atMs);
  const endedLines: readonly HoldLine[] = [...due, ...lines.ended];
  const lastDue = due.at(-1);
  return {
    atMs,
    movements,
    levels: moved.map((place) => ({
      before: snapshot.levels.get(keyOf(place)),
      after: present(working.levels.get(keyOf(place)), place),
    })),
    orders,
    operations: batch.operations.sort((a, b) => (a.operationId < b.operationId ? -1 : 1)),
    ...(lines.held.length === 0 ? {} : { heldLines: lines.held }),
    ...(endedLines.length === 0 ? {} : { endedLines }),
    ...(moreDue && lastDue !== undefined ? { holdsFromMs: lastDue.expiresAtMs } : {}),
    ...(batch.shortfalls.size === 0 ? {} : { shortfalls: [...batch.shortfalls.values()] }),
    ...(batch.endedShortfalls.length === 0 ? {} : { endedShortfalls: batch.endedShortfalls }),
  };
}

/** Whether it needs what was read beside levels of goods that have changed since, in its batch. */
function looksAtChanged(
  operation: Operation,
  working: Working,
  read: Snapshot,
  renewed: ReadonlySet<StockKey>,
): boolean {
  const rules = rulesOf(operation);
  const looksBack = rules.looksBack?.(operation) === true;
  if (!looksBack && renewed.size === 0) return false;
  const keys = rules.keysOf(operation, working.orders.get(rules.changedOrder(operation) ?? ""));
  return keys.some((key) => renewed.has(key) || (looksBack && working.levels.get(key) !== read.levels.get(key)));
}

/**
 * Whether it is decided as it would be with less reserved: a sale that gets all that it asks for although holds whose
 * time is up count still. So that a goods of which very many holds end is sold meanwhile.
 */
function isSureWithout(decision: Decision, { takesOnly }: OperationRules<Operation>): boolean {
  return takesOnly && decision.ok && decision.effect.order?.asked === undefined;
}

function writes(decision: Decision): boolean {
  if (!decision.ok) return false;
  const { steps, order, operation, shortfall } = decision.effect;
  return steps.length > 0 || order !== undefined || operation !== undefined || shortfall !== undefined;
}

/** Takes a line of an expired hold off its level; answers the movement. */
function expire(working: Working, { goodsId, locationId, num, orderId, expiresAtMs }: DueHold): Movement {
  const place = { goodsId, locationId };
  const before = present(working.levels.get(keyOf(place)), place);
  const movement: Movement = {
    ...place,
    version: before.version + 1,
    kind: "expire",
    orderId,
    operationId: undefined,
    onHandDelta: 0,
    reservedDelta: -num,
    onHandAfter: before.onHand,
    reservedAfter: before.reserved - num,
    occurredAtMs: expiresAtMs,
  };
  working.levels.set(keyOf(place), { ...before, reserved: movement.reservedAfter, version: movement.version });
  return movement;
}

/** Where the goods stands before the step: at zero if it is new and the step opens it. */
function levelBefore({ levels }: Snapshot, step: Step): Level {
  const { goodsId, locationId, opens } = step;
  const known = levels.get(keyOf(step));
  if (known === undefined && opens) return { goodsId, locationId, onHand: 0, reserved: 0, version: 0, deleted: false };
  return present(known, step);
}

function movementOf(step: Step, before: Level, { kind, attribution }: Operation, effect: Effect): Movement {
  const { goodsId, locationId, onHandDelta, reservedDelta, occurredAtMs } = step;
  const movement: Movement = {
    goodsId,
    locationId,
    version: before.version + 1,
    kind,
    orderId: effect.order?.orderId,
    operationId: effect.operation?.operationId,
    onHandDelta,
    reservedDelta,
    onHandAfter: before.onHand + onHandDelta,
    reservedAfter: before.reserved + reservedDelta,
  };
  // Most have neither, and spreading nothing takes its time all the same.
  if (attribution === undefined && occurredAtMs === undefined) return movement;
  const { reason, documentUri, actor } = attribution ?? {};
  // Where callers prove who they are, nearly all have this and no more.
  if (actor !== undefined && (reason ?? documentUri ?? occurredAtMs) === undefined) return { ...movement, actor };
  return { ...movement, ...(occurredAtMs === undefined ? {} : { occurredAtMs }), ...attribution };
}

function levelAfter(movement: Movement, before: Level, { opens, closes, policy = before.policy }: Step): Level {
  const { goodsId, locationId, onHandAfter, reservedAfter, version } = movement;
  const deleted = closes === true || (before.deleted && opens !== true);
  const level = { goodsId, locationId, onHand: onHandAfter, reserved: reservedAfter, version, deleted };
  return policy === undefined ? level : { ...level, policy };
}

/** What the order's buyer has, once the order is as `after` says. */
function countTaken({ taken, levels, atMs }: Working, before: Order | undefined, after: Order): void {
  // Most have no buyer.
  if (before?.buyerId === undefined && after.buyerId === undefined) return;
  for (const [order, sign] of [[before, -1], [after, 1]] as const) {
    const buyerId = order?.buyerId;
    if (order === undefined || buyerId === undefined) continue;
    order.lines.forEach((line, i) => {
      const key = keyOf(line);
      const policy = levels.get(key)?.policy;
      if (policy?.buyerNumMax === undefined) return;
      const its = takenKey(key, buyerId);
      taken.set(its, (taken.get(its) ?? 0) + sign * buyerUnits(order, i, policy, atMs));
    });
  }
}

function present(level: Level | undefined, place: Place): Level {
  if (level === undefined) throw new InvariantError(`goods ${keyOf(place)} is not in the snapshot that is settled on`);
  return level;
}
