/**
 * What is in the tables while one writer alone writes them, at times of its own: it decides by the rules of the service
 * (`settle`) on what it has written so far. That it is right the fence of each write sees to.
 */
import type { Changes, HoldLine, Level, Order, Snapshot, Verdict } from "../../../src/inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../../src/inventory/settle.ts";
import { comparePlaces, keyOf, type StockKey } from "../../../src/inventory/stock_key.ts";

/** See the file. Operations must have ids of their own, and their goods no cap for buyers. */
export class Mirror {
  readonly levels = new Map<StockKey, Level>();
  readonly orders = new Map<string, Order>();
  readonly #holds = new Map<string, HoldLine>();

  /** Decides all of them as of that time; what is to be written, in this sequence, and a verdict for each. */
  decide(operations: readonly Operation[], atMs: number): { verdicts: Verdict[]; changes: Changes[] } {
    const verdicts: Verdict[] = [];
    const changes: Changes[] = [];
    while (verdicts.length < operations.length) {
      const rest = operations.slice(verdicts.length);
      const settled = settle(this.#snapshot(rest, atMs), rest);
      verdicts.push(...settled.verdicts);
      if (changesNothing(settled.changes)) continue;
      this.#take(settled.changes);
      changes.push(settled.changes);
    }
    return { verdicts, changes };
  }

  /** Orders whose holds are over and not yet written down as such. */
  dueOrders(atMs: number): string[] {
    const due = [...this.#holds.values()].filter(({ expiresAtMs }) => expiresAtMs <= atMs);
    return [...new Set(due.map(({ orderId }) => orderId))];
  }

  #snapshot(operations: readonly Operation[], atMs: number): Snapshot {
    const levels = new Map<StockKey, Level>();
    const orders = new Map<string, Order>();
    for (const operation of operations) {
      const rules = rulesOf(operation);
      const order = this.orders.get(changedOrder(operation) ?? "");
      for (const key of rules.keysOf(operation, order)) {
        const level = this.levels.get(key);
        if (level !== undefined) levels.set(key, level);
      }
      for (const id of rules.records(operation, order).orderIds ?? []) {
        const known = this.orders.get(id);
        if (known !== undefined) orders.set(id, known);
      }
    }
    const due = [...this.#holds.values()]
      .filter((line) => levels.has(keyOf(line)) && line.expiresAtMs <= atMs)
      .sort((a, b) => a.expiresAtMs - b.expiresAtMs || comparePlaces(a, b) || (a.orderId < b.orderId ? -1 : 1));
    return { atMs, levels, orders, operations: new Map(), ...(due.length === 0 ? {} : { due }) };
  }

  #take({ levels, orders, heldLines = [], endedLines = [] }: Changes): void {
    for (const { after } of levels) this.levels.set(keyOf(after), after);
    for (const { after } of orders) this.orders.set(after.orderId, after);
    for (const line of endedLines) this.#holds.delete(nameOf(line));
    for (const line of heldLines) this.#holds.set(nameOf(line), line);
  }
}

function nameOf(line: HoldLine): string {
  return `${keyOf(line)} ${line.expiresAtMs} ${line.orderId}`;
}
