/** The tables in memory, with the reads and the fence that decisions rely on. */
import { assert, assertEquals } from "@std/assert";
import {
  type Changes,
  type HoldLine,
  type Level,
  momentKey,
  type Movement,
  type Order,
  type RecordedOperation,
  type Shortfall,
  type Snapshot,
  takenKey,
  type Verdict,
} from "../../src/inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import { comparePlaces, keyOf, type StockKey } from "../../src/inventory/stock_key.ts";
import { type AnyBatch, START_MS } from "./operations.ts";

/** See the file. */
export class MemoryStore {
  readonly levels = new Map<StockKey, Level>();
  readonly orders = new Map<string, Order>();
  readonly operations = new Map<string, RecordedOperation>();
  readonly holds = new Map<string, HoldLine>();
  readonly shortfalls = new Map<string, Shortfall>();
  readonly movements: (Movement & { readonly atMs: number })[] = [];
  readonly #dueMax: number;

  /** `dueMax`: so many lines of expired holds are in a snapshot. */
  constructor(dueMax = 500) {
    this.#dueMax = dueMax;
  }

  /** What is read before these operations are decided together, at a moment, and nothing else. */
  snapshot(operations: readonly Operation[], atMs: number): Snapshot {
    const keys = new Set<StockKey>();
    const orderIds = new Set<string>();
    const operationIds = new Set<string>();
    const taken = new Map<string, number>();
    const moments = new Map<string, number | undefined>();
    for (const operation of operations) {
      const rules = rulesOf(operation);
      const order = this.orders.get(changedOrder(operation) ?? "");
      const records = rules.records(operation, order);
      for (const key of rules.keysOf(operation, order)) keys.add(key);
      for (const id of records.orderIds ?? []) orderIds.add(id);
      for (const id of records.operationIds ?? []) operationIds.add(id);
      for (const { buyerId, ...place } of records.buyers ?? []) {
        const level = this.levels.get(keyOf(place));
        if (level?.policy?.buyerNumMax === undefined) continue;
        taken.set(takenKey(keyOf(place), buyerId), this.#taken(level, buyerId, atMs));
      }
      for (const { atMs: thenMs, ...place } of records.moments ?? []) {
        if (!this.levels.has(keyOf(place))) continue;
        moments.set(momentKey(keyOf(place), thenMs), this.#unitsAt(keyOf(place), thenMs));
      }
    }
    const due = [...this.holds.values()]
      .filter((line) => keys.has(keyOf(line)) && line.expiresAtMs <= atMs)
      .sort((a, b) => a.expiresAtMs - b.expiresAtMs || comparePlaces(a, b) || (a.orderId < b.orderId ? -1 : 1));
    return {
      atMs,
      levels: pick(this.levels, keys),
      orders: pick(this.orders, orderIds),
      operations: pick(this.operations, operationIds),
      ...(due.length === 0 ? {} : { due: due.slice(0, this.#dueMax), moreDue: due.length > this.#dueMax }),
      ...(taken.size === 0 ? {} : { taken }),
      ...(moments.size === 0 ? {} : { moments }),
    };
  }

  /** Writes; throws an AssertionError where the fence would have been lost, or a constraint broken. */
  write(changes: Changes): void {
    const { atMs, movements, heldLines = [], endedLines = [] } = changes;
    const { shortfalls = [], endedShortfalls = [] } = changes;
    this.movements.push(...movements.map((movement) => ({ ...movement, atMs })));
    for (const { before, after } of changes.levels) {
      assertEquals(this.levels.get(keyOf(after)), before, "a level is written over what was read");
      this.levels.set(keyOf(after), after);
      assert(after.reserved >= 0, `${keyOf(after)} has ${after.reserved} reserved`);
      const floor = -(after.policy?.backorderMax ?? 0);
      assert(after.onHand - after.reserved >= floor, `${keyOf(after)} is below its floor`);
    }
    for (const { before, after } of changes.orders) {
      assertEquals(this.orders.get(after.orderId), before, "an order is written over what was read");
      this.orders.set(after.orderId, after);
    }
    for (const operation of changes.operations) {
      assert(!this.operations.has(operation.operationId), "an operation is recorded once");
      this.operations.set(operation.operationId, operation);
    }
    const ended = new Set(endedLines.map(nameOf));
    assertEquals(ended.size, endedLines.length, "a line ends once");
    for (const name of ended) assert(this.holds.delete(name), `${name} is no line of a hold`);
    for (const line of heldLines) this.holds.set(nameOf(line), line);
    for (const orderId of endedShortfalls) this.shortfalls.delete(orderId);
    for (const shortfall of shortfalls) {
      if (!this.shortfalls.has(shortfall.orderId)) this.shortfalls.set(shortfall.orderId, shortfall);
    }
  }

  /** Lines of holds have what is reserved: no more, no less, and only those of orders that are on record as held. */
  assertHolds(): void {
    const reserved = new Map<StockKey, number>();
    for (const line of this.holds.values()) {
      reserved.set(keyOf(line), (reserved.get(keyOf(line)) ?? 0) + line.num);
      const order = this.orders.get(line.orderId);
      assertEquals([order?.state, order?.expiresAtMs], ["held", line.expiresAtMs], `the hold of ${nameOf(line)}`);
    }
    for (const [key, level] of this.levels) assertEquals(level.reserved, reserved.get(key) ?? 0, `reserved of ${key}`);
  }

  #taken(level: Level, buyerId: string, atMs: number): number {
    const sinceMs = atMs - (level.policy?.buyerWindowMs ?? Infinity);
    let num = 0;
    for (const order of this.orders.values()) {
      if (order.buyerId !== buyerId) continue;
      const isHeld = order.state === "held" && order.expiresAtMs! > atMs;
      const isSold = order.state === "sold" || order.state === "rolled_back";
      if (!isHeld && !(isSold && order.atMs > sinceMs)) continue;
      order.lines.forEach((line, i) => {
        if (keyOf(line) === keyOf(level)) num += line.num - (order.returned[i] ?? 0);
      });
    }
    return num;
  }

  /** What was on hand then, late counts of before counted in; undefined: a later set or count says it. */
  #unitsAt(key: StockKey, thenMs: number): number | undefined {
    const moves = this.movements.filter((movement) => keyOf(movement) === key);
    const since = moves.filter(({ atMs }) => atMs > thenMs);
    const says = since.filter(({ kind }) => kind === "set" || kind === "count");
    if (says.some(({ atMs, occurredAtMs = atMs }) => occurredAtMs > thenMs)) return undefined;
    const before = moves.findLast(({ atMs }) => atMs <= thenMs);
    return says.reduce((sum, { onHandDelta }) => sum + onHandDelta, before?.onHandAfter ?? 0);
  }
}

/** Settles until all is decided, each time on what is then read; the verdicts, one for each. */
export function decideAll(
  store: MemoryStore,
  operations: readonly Operation[],
  atMs: number,
  each: (changes: Changes) => void = () => {},
): Verdict[] {
  const all: Verdict[] = [];
  for (let rest = operations; rest.length > 0;) {
    const snapshot = store.snapshot(rest, atMs);
    const { verdicts, changes } = settle(snapshot, rest);
    assert(verdicts.length > 0 || (snapshot.moreDue === true && !changesNothing(changes)), "a batch comes to its end");
    assertChains(snapshot, changes);
    each(changes);
    store.write(changes);
    all.push(...verdicts);
    rest = rest.slice(verdicts.length);
  }
  return all;
}

/** The store after batches, and the time of the last of them. */
export function storeAfter(batches: readonly AnyBatch[]): { store: MemoryStore; nowMs: number } {
  const store = new MemoryStore();
  let nowMs = START_MS;
  for (const { afterMs, operations } of batches) decideAll(store, operations, nowMs += afterMs);
  return { store, nowMs };
}

/** Movements continue each goods' chain from the level that was read to the level that is written. */
function assertChains(snapshot: Snapshot, { movements, levels }: Changes): void {
  const at = new Map<StockKey, Pick<Level, "version" | "onHand" | "reserved">>();
  for (const movement of movements) {
    const key = keyOf(movement);
    const before = at.get(key) ?? snapshot.levels.get(key) ?? { version: 0, onHand: 0, reserved: 0 };
    assertEquals(movement.version, before.version + 1);
    assertEquals(movement.onHandAfter, before.onHand + movement.onHandDelta);
    assertEquals(movement.reservedAfter, before.reserved + movement.reservedDelta);
    for (const delta of [movement.onHandDelta, movement.reservedDelta]) {
      assert(delta === (delta | 0), "deltas are int32");
    }
    assert(0 <= movement.reservedAfter && movement.reservedAfter < 2 ** 31);
    at.set(key, {
      version: movement.version,
      onHand: movement.onHandAfter,
      reserved: movement.reservedAfter,
    });
  }
  assertEquals(movements.toSorted((a, b) => comparePlaces(a, b) || a.version - b.version), movements);
  assertEquals(levels.length, at.size);
  for (const { after } of levels) {
    const { version, onHand, reserved } = after;
    assertEquals({ version, onHand, reserved }, at.get(keyOf(after)));
  }
}

function pick<K, V>(all: ReadonlyMap<K, V>, keys: ReadonlySet<K>): Map<K, V> {
  return new Map([...all].filter(([key]) => keys.has(key)));
}

function nameOf(line: HoldLine): string {
  return `${keyOf(line)} ${line.expiresAtMs} ${line.orderId}`;
}
