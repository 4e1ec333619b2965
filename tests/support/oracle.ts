/**
 * A second, plain answer to what operations come to: one at a time, on nothing but a list of what happened.
 * It shares no code with src/inventory, so that a fault there does not hide itself here.
 */
import type { Verdict } from "../../src/inventory/model.ts";
import { keyOf } from "../../src/inventory/stock_key.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";

type Quantities = Record<number, number>;

type Event =
  | { what: "set"; id: string; goods: number; to: number }
  | { what: "sold"; order: string; asked: Quantities; took: Quantities; buyer: string | undefined }
  | { what: "barred"; order: string }
  | { what: "gave back"; id: string; order: string | undefined; asked: Quantities | "whole"; gave: Quantities };

/** The operations that it knows. */
export type Known = Extract<Operation, { kind: "set" | "sell" | "rollback" | "give_back" }>;

/** A verdict reduced to what callers can see, in a form that both sides can be brought to. */
export type SeenVerdict = Record<string, unknown>;

const LIMIT = 2 ** 31 - 1;

/** Decides operations one after the other. */
export class Oracle {
  readonly events: Event[] = [];
  readonly changes = new Map<number, number>();

  /** Units on hand: what the events add up to. Undefined: never set. */
  onHand(goods: number): number | undefined {
    let units: number | undefined;
    for (const event of this.events) {
      if (event.what === "set" && event.goods === goods) units = event.to;
      if (event.what === "sold") units = minus(units, event.took[goods]);
      if (event.what === "gave back") units = minus(units, negative(event.gave[goods]));
    }
    return units;
  }

  apply(operation: Known): SeenVerdict {
    const [events, changes] = [[...this.events], [...this.changes]];
    const seen = this.#apply(operation);
    if (operation.dryRun) {
      this.events.splice(0, Infinity, ...events);
      this.changes.clear();
      for (const [goods, count] of changes) this.changes.set(goods, count);
    }
    return seen;
  }

  #apply(operation: Known): SeenVerdict {
    switch (operation.kind) {
      case "set":
        return this.#set(operation);
      case "sell":
        return this.#sell(operation);
      case "rollback":
        return this.#rollback(operation.rollbackId, operation.orderId, quantities(operation.lines));
      case "give_back":
        return this.#giveBack(operation.operationId, quantities(operation.lines));
    }
  }

  #set(asked: Extract<Known, { kind: "set" }>): SeenVerdict {
    const { operationId: id, goodsId: goods, num: to, expectedVersion, expectedNum } = asked;
    const seen = this.events.some((event) => event.what === "set" && event.id === id);
    const isOther = (expected: number | undefined, actual: number) => expected !== undefined && expected !== actual;
    if (!seen && isOther(expectedVersion, this.changes.get(goods) ?? 0)) return { no: "not_as_expected" };
    if (!seen && isOther(expectedNum, this.onHand(goods) ?? 0)) return { no: "not_as_expected" };
    if (!seen && this.onHand(goods) !== to) {
      this.events.push({ what: "set", id, goods, to });
      this.#count({ [goods]: to });
    }
    return { ok: "set", goods, available: this.onHand(goods) };
  }

  #sell({ orderId: order, lines, fill = "all", buyerId: buyer }: Extract<Known, { kind: "sell" }>): SeenVerdict {
    const asked = quantities(lines);
    if (this.#isBarred(order)) return { no: "order_state", state: "barred" };
    const before = this.#sale(order);
    if (before !== undefined) {
      const wasShort = text(before.asked) !== text(before.took);
      const isSame = text(before.asked) === text(asked) && before.buyer === buyer && !(wasShort && fill === "all");
      if (!isSame) return { no: "content_differs", id: order };
      if (text(this.#left(order)) === text({})) return { no: "order_state", state: "rolled_back" };
      return { ok: "sell", took: before.took };
    }
    const unknown = Object.keys(asked).filter((goods) => this.onHand(Number(goods)) === undefined);
    if (unknown.length > 0) return { no: "unknown_goods", goods: unknown.map(Number) };
    const short = Object.entries(asked).filter(([goods, num]) => num > (this.onHand(Number(goods)) ?? 0));
    const isAny = Object.keys(asked).some((goods) => (this.onHand(Number(goods)) ?? 0) > 0);
    if (short.length > 0 && !(fill === "available" && isAny)) {
      const lines = short.map(([goods, num]) => [Number(goods), num, this.onHand(Number(goods))]);
      return { no: "short_stock", lines };
    }
    const took = Object.fromEntries(
      Object.entries(asked).map(([goods, num]) => [goods, Math.min(num, this.onHand(Number(goods)) ?? 0)]),
    );
    this.events.push({ what: "sold", order, asked, took, buyer });
    this.#count(withoutZeros(took));
    return { ok: "sell", took };
  }

  #rollback(givenId: string | undefined, order: string, asked: Quantities): SeenVerdict {
    const sale = this.#sale(order);
    const sold = sale === undefined ? undefined : withoutZeros(sale.took);
    const none = Object.keys(asked).length === 0;
    const whole = none || (sold !== undefined && text(sold) === text(asked));
    const id = givenId ?? (whole ? `all of ${order}` : `${text(asked)} of ${order}`);
    const before = this.events.find((event) => event.what === "gave back" && event.id === id);
    if (before?.what === "gave back") {
      const same = before.order === order && text(before.asked) === text(whole ? "whole" : asked);
      return same ? { ok: "rollback", gave: before.gave } : { no: "content_differs", id };
    }
    if (sold === undefined) {
      if (givenId !== undefined || !this.#isBarred(order)) {
        this.events.push({ what: "gave back", id, order, asked: none ? "whole" : asked, gave: {} });
      }
      if (!this.#isBarred(order)) this.events.push({ what: "barred", order });
      return { ok: "rollback", gave: {} };
    }
    const left = this.#left(order);
    const gave = whole ? left : asked;
    const exceeding = Object.entries(gave).filter(([goods, num]) => num > (left[Number(goods)] ?? 0));
    if (exceeding.length > 0) {
      const lines = exceeding.map(([goods, num]) => [Number(goods), num, left[Number(goods)] ?? 0]);
      return { no: "exceeds_sold", lines };
    }
    return this.#give(id, order, whole ? "whole" : asked, gave, givenId !== undefined);
  }

  #giveBack(id: string, asked: Quantities): SeenVerdict {
    const before = this.events.find((event) => event.what === "gave back" && event.id === id);
    if (before?.what === "gave back") {
      const same = before.order === undefined && text(before.asked) === text(asked);
      return same ? { ok: "rollback", gave: before.gave } : { no: "content_differs", id };
    }
    const unknown = Object.keys(asked).filter((goods) => this.onHand(Number(goods)) === undefined);
    if (unknown.length > 0) return { no: "unknown_goods", goods: unknown.map(Number) };
    return this.#give(id, undefined, asked, asked, true);
  }

  #give(
    id: string,
    order: string | undefined,
    asked: Quantities | "whole",
    gave: Quantities,
    idIsCallers: boolean,
  ): SeenVerdict {
    const over = Object.entries(gave).filter(([goods, num]) => (this.onHand(Number(goods)) ?? 0) + num > LIMIT);
    if (over.length > 0) return { no: "out_of_range", goods: over.map(([goods]) => Number(goods)) };
    if (Object.keys(gave).length > 0 || idIsCallers) this.events.push({ what: "gave back", id, order, asked, gave });
    this.#count(gave);
    return { ok: "rollback", gave };
  }

  #isBarred(order: string): boolean {
    return this.events.some((event) => event.what === "barred" && event.order === order);
  }

  #sale(order: string): Extract<Event, { what: "sold" }> | undefined {
    const sale = this.events.find((event) => event.what === "sold" && event.order === order);
    return sale?.what === "sold" ? sale : undefined;
  }

  /** What the order still has, goods that came back whole left out. */
  #left(order: string): Quantities {
    const left = { ...this.#sale(order)?.took };
    for (const event of this.events) {
      if (event.what !== "gave back" || event.order !== order) continue;
      for (const [goods, num] of Object.entries(event.gave)) left[Number(goods)] = (left[Number(goods)] ?? 0) - num;
    }
    return withoutZeros(left);
  }

  #count(touched: Quantities): void {
    for (const goods of Object.keys(touched).map(Number)) this.changes.set(goods, (this.changes.get(goods) ?? 0) + 1);
  }
}

/** A verdict of src/inventory as a SeenVerdict. */
export function seenVerdict(verdict: Verdict): SeenVerdict {
  if (verdict.ok) {
    switch (verdict.kind) {
      case "set":
        return { ok: "set", goods: verdict.level.goodsId, available: verdict.level.onHand - verdict.level.reserved };
      case "sell":
        return { ok: "sell", took: quantities(verdict.order.lines) };
      case "rollback":
        return { ok: "rollback", gave: quantities(verdict.given) };
      default:
        return { ok: verdict.kind };
    }
  }
  const { refusal } = verdict;
  switch (refusal.reason) {
    case "unknown_goods":
    case "out_of_range":
      return { no: refusal.reason, goods: refusal.places.map(keyOf) };
    case "short_stock":
      return { no: refusal.reason, lines: refusal.lines.map((l) => [l.goodsId, l.asked, l.available]) };
    case "exceeds_sold":
      return { no: refusal.reason, lines: refusal.lines.map((l) => [l.goodsId, l.asked, l.returnable]) };
    case "order_state":
      return { no: refusal.reason, state: refusal.state };
    case "content_differs":
      return { no: refusal.reason, id: refusal.id };
    default:
      return { no: refusal.reason };
  }
}

function quantities(lines: readonly { goodsId: number; num: number }[]): Quantities {
  return Object.fromEntries(lines.map(({ goodsId, num }) => [goodsId, num]));
}

function withoutZeros(quantities: Quantities): Quantities {
  return Object.fromEntries(Object.entries(quantities).filter(([, num]) => num > 0));
}

function text(of: Quantities | "whole"): string {
  return of === "whole" ? of : JSON.stringify(Object.entries(of).sort());
}

function minus(units: number | undefined, num: number | undefined): number | undefined {
  return num === undefined ? units : (units ?? 0) - num;
}

function negative(num: number | undefined): number | undefined {
  return num === undefined ? undefined : -num;
}
