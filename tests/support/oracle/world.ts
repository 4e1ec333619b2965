/**
 * What the plain model knows: shelves, orders and records. What is reserved is never counted along: it is whatever
 * holds that are not over add up to.
 */
import type { Policy } from "../../../src/inventory/model.ts";
import { type Quantities, type SeenVerdict } from "../seen_verdict.ts";

/** A change; `says`: how many there are, and not how many more or less. */
interface Move {
  readonly whenMs: number;
  readonly num: number;
  readonly says: boolean;
}

/** One goods at one location. */
export interface Shelf {
  units: number;
  /** How often it was changed, by operations or by holds that ran out. */
  changes: number;
  closed: boolean;
  policy: Policy;
  /** What came and went, and when it really did. */
  readonly moves: Move[];
}

/** An order, or what bars one. */
export interface Purchase {
  readonly buyer: string | undefined;
  state: "held" | "sold" | "released" | "expired" | "barred";
  /** What is held or sold. */
  readonly has: Quantities;
  /** What was asked for, where that was more. */
  readonly asked: Quantities;
  readonly back: Quantities;
  readonly sinceMs: number;
  /** Of what was reserved. */
  readonly held?: Quantities;
  readonly untilMs?: number;
}

/** What is known under an id. */
export interface Recorded {
  readonly what: string;
  readonly order?: string;
  readonly content: string;
  readonly answer: SeenVerdict;
}

/** The largest number of units. */
export const LIMIT = 2 ** 31 - 1;
const FREE: Policy = { safetyStock: 0, backorderMax: 0 };

/** See the file. */
export class World {
  shelves = new Map<string, Shelf>();
  orders = new Map<string, Purchase>();
  records = new Map<string, Recorded>();
  nowMs = 0;
  readonly shortfalls = new Set<string>();

  /** Where a goods stands now. Undefined: it was never there. */
  shelf(place: string): { units: number; reserved: number; changes: number; closed: boolean } | undefined {
    const shelf = this.shelves.get(place);
    if (shelf === undefined) return undefined;
    const { units, changes, closed } = shelf;
    return { units, reserved: this.reserved(place), changes, closed };
  }

  /** All places that were ever there. */
  get places(): string[] {
    return [...this.shelves.keys()];
  }

  /** The state of each order. */
  get states(): Map<string, string> {
    return new Map([...this.orders].map(([id, order]) => [id, stateOf(order)]));
  }

  /** What the buyer has of a goods: what is held, and what was sold within its window. */
  bought(buyer: string, place: string, except?: string): number {
    const window = this.shelves.get(place)?.policy.buyerWindowMs ?? Infinity;
    let num = 0;
    for (const [id, order] of this.orders) {
      if (id === except || order.buyer !== buyer) continue;
      const counts = order.state === "held" || (order.state === "sold" && order.sinceMs > this.nowMs - window);
      if (counts) num += (order.has[place] ?? 0) - (order.back[place] ?? 0);
    }
    return num;
  }

  /** Time goes on: holds run out. */
  pass(nowMs: number): void {
    this.nowMs = nowMs;
    for (const order of this.orders.values()) {
      if (order.state !== "held" || order.untilMs! > nowMs) continue;
      order.state = "expired";
      for (const place of taken(order.has)) this.shelves.get(place)!.changes++;
    }
  }

  /** The same for itself. */
  copy(): World {
    const copy = new World();
    copy.shelves = structuredClone(this.shelves);
    copy.orders = structuredClone(this.orders);
    copy.records = structuredClone(this.records);
    copy.nowMs = this.nowMs;
    return copy;
  }

  /** One change of a place; it is there from now on. */
  move(name: string, num: number, { whenMs = this.nowMs, says = false } = {}): void {
    let shelf = this.shelves.get(name);
    if (shelf === undefined) {
      shelf = { units: 0, changes: 0, closed: false, policy: FREE, moves: [] };
      this.shelves.set(name, shelf);
    }
    shelf.units += num;
    shelf.changes++;
    shelf.moves.push({ whenMs, num, says });
  }

  reserved(name: string, except?: string): number {
    let num = 0;
    for (const [id, order] of this.orders) if (id !== except && order.state === "held") num += order.has[name] ?? 0;
    return num;
  }

  available(name: string): number {
    const { units, policy } = this.shelves.get(name)!;
    return units - this.reserved(name) - policy.safetyStock;
  }

  /** What may go without uncovering what is reserved. */
  spare(name: string): number {
    const shelf = this.shelves.get(name);
    return shelf === undefined ? 0 : shelf.units - this.reserved(name) + shelf.policy.backorderMax;
  }

  changes(name: string): number {
    return this.shelves.get(name)?.changes ?? 0;
  }

  unknown(asked: Quantities): string[] {
    return Object.keys(asked).filter((name) => this.shelves.get(name)?.closed !== false);
  }

  over(more: Quantities): string[] {
    return Object.keys(more).filter((name) => (this.shelves.get(name)?.units ?? 0) + more[name]! > LIMIT);
  }

  stock(names: string[]): SeenVerdict {
    const levels = names.map((name) => {
      const { units, reserved, changes, closed } = this.shelf(name)!;
      return [name, units, reserved, changes, closed];
    });
    return { ok: "stock", levels };
  }

  before(id: string, what: string, content: string): SeenVerdict | undefined {
    const before = this.records.get(id);
    if (before === undefined) return undefined;
    const same = before.what === what && before.content === content;
    return same ? { ...before.answer, replayed: true } : { no: "content_differs", id };
  }

  record(id: string, what: string, content: string, answer: SeenVerdict, order?: string): SeenVerdict {
    this.records.set(id, { what, content, answer, ...(order === undefined ? {} : { order }) });
    return answer;
  }
}

/** The state that is answered. */
export function stateOf({ state, has, back }: Purchase): string {
  const isBack = state === "sold" && Object.keys(has).every((name) => has[name]! <= (back[name] ?? 0));
  return isBack ? "rolled_back" : state;
}

/** Places of which there is anything. */
export function taken(nums: Quantities): string[] {
  return Object.keys(nums).filter((name) => nums[name]! > 0);
}

/** Without those of which there is nothing. */
export function only(nums: Quantities): Quantities {
  return Object.fromEntries(taken(nums).map((name) => [name, nums[name]!]));
}

/** The same for the same content; a quantity of 0 says nothing. */
export function text(of: object): string {
  return JSON.stringify(Object.entries(of).filter(([, value]) => value !== 0 && value !== undefined).sort());
}
