/**
 * Weeks of a shop, decided by the rules of the service at times of the past: the opening stock, then day by day what is
 * delivered, sold, reserved, paid for or given up, sent back, moved to the shops, counted, broken and found.
 */
import { available } from "../../../src/inventory/levels.ts";
import { mergeLines } from "../../../src/inventory/lines.ts";
import type { Attribution, Changes, Level, Line } from "../../../src/inventory/model.ts";
import type { Operation } from "../../../src/inventory/operations/operation.ts";
import { keyOf } from "../../../src/inventory/stock_key.ts";
import type { DemoGoods } from "./catalogue.ts";
import { Mirror } from "./mirror.ts";
import type { Draw } from "./random.ts";

/** What is to be made up. */
export interface HistoryOptions {
  readonly draw: Draw;
  /** The most sought after first. */
  readonly goods: readonly DemoGoods[];
  readonly days: number;
  /** When it ends, in ms since 1970: now, or some time before. */
  readonly endMs: number;
}

/** Why stock moves here beside the reasons that are there from the start. */
export const DEMO_REASONS = [{ code: "delivery", description: "Units came from a supplier" }];

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 1_200_000;
const STEPS_A_DAY = 45;
const OPENS_MS = 7 * HOUR_MS;
/** Operations of the opening that are written together. */
const OPENING_BATCH = 400;
/** Lines of one delivery, and deliveries a day. */
const DELIVERY_LINES = 20;
const DELIVERIES_MAX = 4;
/** Shelves of the shops that are filled in one day. */
const MOVES_MAX = 60;
/** How many of the latest orders may still come back. */
const RETURNABLE = 400;
const BUYERS = ["anna", "ben", "chiara", "dmitri", "elif", "fatima", "goran", "hana", "ivan", "jun", "kofi", "lin"];

/** What has to be written, in this sequence, each as of its own time; times rise. */
export function* history(options: HistoryOptions): Generator<Changes> {
  const shop = new Shop(options);
  const { days, endMs, draw } = options;
  const firstDayMs = Math.floor(endMs / DAY_MS) * DAY_MS - days * DAY_MS;
  yield* shop.open(firstDayMs);
  for (let dayMs = firstDayMs; dayMs < endMs; dayMs += DAY_MS) {
    const morningMs = dayMs + OPENS_MS - HOUR_MS;
    if (morningMs < endMs) yield* shop.morning(morningMs);
    for (let step = 0; step < STEPS_A_DAY; step++) {
      const atMs = dayMs + OPENS_MS + step * STEP_MS + draw.below(STEP_MS);
      // People come at noon, and more of them in the evening.
      const rush = 1 + Math.sin((step / STEPS_A_DAY) * Math.PI) + (step > 30 ? 1 : 0);
      if (atMs < endMs) yield* shop.step(atMs, rush);
    }
  }
  yield* shop.last(endMs);
}

class Shop {
  readonly #draw: Draw;
  readonly #goods: readonly DemoGoods[];
  readonly #mirror = new Mirror();
  /** Orders that may come back, and holds that may be paid for. */
  #sold: string[] = [];
  #held: string[] = [];
  #number = 100_000;
  readonly #endMs: number;

  constructor({ draw, goods, endMs }: HistoryOptions) {
    this.#draw = draw;
    this.#goods = goods;
    this.#endMs = endMs;
  }

  *open(atMs: number): Generator<Changes> {
    const draw = this.#draw;
    const sets = this.#goods.flatMap(({ goodsId, locationIds }, rank) =>
      locationIds.map((locationId): Operation => {
        const much = Math.ceil(120 / (1 + rank / 150));
        const num = locationId === 0 ? 8 + draw.below(much + 30) : 2 + draw.below(Math.ceil(much / 4) + 6);
        return { kind: "set", operationId: this.#id("open"), goodsId, locationId, num, ...by("warehouse") };
      })
    );
    const policies = this.#goods.filter(() => draw.isSo(0.4)).map(({ goodsId }): Operation => ({
      kind: "policy",
      operationId: this.#id("policy"),
      goodsId,
      locationId: 0,
      policy: {
        safetyStock: draw.isSo(0.3) ? 1 + draw.below(3) : 0,
        backorderMax: 0,
        lowStockAt: 5,
        lowStockUntil: 15,
        ...(draw.isSo(0.1) ? { orderNumMax: 3 } : {}),
      },
      ...by("purchasing"),
    }));
    const all = [...sets, ...policies];
    for (let i = 0; i < all.length; i += OPENING_BATCH) {
      yield* this.#decide(all.slice(i, i + OPENING_BATCH), atMs + i);
    }
  }

  /** What has run low is delivered, some of it goes on to the shops, and a few shelves are counted. */
  *morning(atMs: number): Generator<Changes> {
    const draw = this.#draw;
    const day = new Date(atMs).toISOString().slice(0, 10);
    const low = this.#goods.filter(({ goodsId }) => available(this.#level(goodsId, 0)) < 8 && draw.isSo(0.3));
    for (let i = 0; i < Math.min(low.length, DELIVERIES_MAX * DELIVERY_LINES); i += DELIVERY_LINES) {
      const lines = low.slice(i, i + DELIVERY_LINES).map(({ goodsId }) => ({
        ...{ goodsId, locationId: 0, num: 12 * (1 + draw.below(5)) },
      }));
      const documentUri = `https://suppliers.example/notes/${day}-${1 + i / DELIVERY_LINES}`;
      yield* this.#decide([
        { kind: "adjust", operationId: this.#id("delivery"), lines, ...by("warehouse", "delivery", documentUri) },
      ], atMs + 1000 * i);
    }
    const operations: Operation[] = [];
    const bare = this.#goods.flatMap(({ goodsId, locationIds }) =>
      locationIds.slice(1).filter((shop) => available(this.#level(goodsId, shop)) < 3).map((shop) => ({
        goodsId,
        shop,
      }))
    );
    for (const { goodsId, shop: toLocationId } of bare.filter(() => draw.isSo(0.5)).slice(0, MOVES_MAX)) {
      if (available(this.#level(goodsId, 0)) < 12) continue;
      const lines = [{ goodsId, locationId: 0, num: 3 + draw.below(6) }];
      operations.push({ kind: "transfer", operationId: this.#id("move"), toLocationId, lines, ...by("warehouse") });
    }
    for (let i = 0; i < 4; i++) {
      const { goodsId } = this.#pick();
      const { onHand, reserved } = this.#level(goodsId, 0)!;
      const num = Math.max(reserved, onHand + draw.one([0, 0, 0, -1, 1]));
      operations.push({
        ...{ kind: "count", operationId: this.#id("count"), goodsId, locationId: 0, num },
        ...by("warehouse", "count"),
      });
    }
    yield* this.#decide(operations, atMs + 1_800_000);
  }

  /** Twenty minutes; `rush`: how much is going on. */
  *step(atMs: number, rush: number): Generator<Changes> {
    const draw = this.#draw;
    const due = this.#mirror.dueOrders(atMs);
    yield* this.#decide(due.map((orderId): Operation => ({ kind: "expire", orderId })), atMs);
    const operations: Operation[] = [];
    const count = (mean: number) => Math.floor(draw.number() * 2 * mean * rush / 2 + draw.number());
    for (let i = count(5); i > 0; i--) operations.push(this.#sale());
    for (let i = count(1.3); i > 0; i--) operations.push(this.#reservation(60_000 * (15 + draw.below(60))));
    this.#held = this.#held.filter((orderId) => this.#mirror.orders.get(orderId)?.state === "held");
    for (const orderId of this.#held) {
      if (draw.isSo(0.4)) {
        operations.push({ kind: "confirm", orderId, lines: [], recordsShortfall: false, ...by("web") });
      } else if (draw.isSo(0.1)) operations.push({ kind: "release", orderId, ...by("web") });
    }
    if (draw.isSo(0.3) && this.#sold.length > 0) {
      const orderId = draw.one(this.#sold);
      operations.push({ kind: "rollback", rollbackId: undefined, orderId, lines: [], ...by("returns", "return") });
    }
    if (draw.isSo(0.15)) {
      const { goodsId, locationIds } = this.#pick();
      const reason = draw.one(["damage", "damage", "theft", "found"]);
      const lines = [{ goodsId, locationId: draw.one(locationIds), num: reason === "found" ? 1 : -1 }];
      operations.push({ kind: "adjust", operationId: this.#id("adjust"), lines, ...by("floor", reason) });
    }
    yield* this.#decide(unique(operations), atMs);
  }

  /** Holds that are still open when it ends, some for days. */
  *last(atMs: number): Generator<Changes> {
    const holds = Array.from(
      { length: Math.min(40, this.#goods.length) },
      (_, i) => this.#reservation(i % 4 === 0 ? 60_000 * (5 + i) : HOUR_MS * (4 + this.#draw.below(68))),
    );
    yield* this.#decide(holds, atMs);
  }

  *#decide(operations: readonly Operation[], atMs: number): Generator<Changes> {
    // A morning is longer than a moment, and may be the last one.
    if (operations.length === 0 || atMs > this.#endMs) return;
    const { verdicts, changes } = this.#mirror.decide(operations, atMs);
    for (const [i, verdict] of verdicts.entries()) {
      if (!verdict.ok) continue;
      if (verdict.kind === "sell") this.#sold.push(verdict.order.orderId);
      if (verdict.kind === "hold" && operations[i]!.kind === "reserve") this.#held.push(verdict.order.orderId);
    }
    this.#sold = this.#sold.slice(-RETURNABLE);
    yield* changes;
  }

  #sale(): Operation {
    const [locationId, who] = this.#draw.one([[0, "web"], [0, "web"], [0, "web"], [1, "till 1"], [1, "till 2"], [
      2,
      "till 3",
    ]]);
    return {
      kind: "sell",
      orderId: this.#id("SO"),
      lines: this.#lines(locationId as number),
      ...this.#buyer(),
      ...by(who as string),
    };
  }

  #reservation(ttlMs: number): Operation {
    return { kind: "reserve", orderId: this.#id("WEB"), lines: this.#lines(0), ttlMs, ...this.#buyer(), ...by("web") };
  }

  #lines(locationId: number): Line[] {
    const count = this.#draw.one([1, 1, 1, 2, 2, 3]);
    const lines = Array.from({ length: count }, (): Line => {
      const { goodsId, locationIds } = this.#pick();
      const here = locationIds.includes(locationId) ? locationId : 0;
      return { goodsId, locationId: here, num: this.#draw.one([1, 1, 1, 1, 2, 3]) };
    });
    return mergeLines(lines);
  }

  /** The first are sought after most. */
  #pick(): DemoGoods {
    return this.#goods[Math.floor(this.#goods.length * this.#draw.number() ** 3)]!;
  }

  #level(goodsId: number, locationId: number): Level | undefined {
    return this.#mirror.levels.get(keyOf({ goodsId, locationId }));
  }

  #buyer(): { buyerId?: string } {
    if (this.#draw.isSo(0.3)) return {};
    return { buyerId: `${this.#draw.one(BUYERS)}${10 + this.#draw.below(40)}@mail.example` };
  }

  #id(what: string): string {
    return `${what}-${++this.#number}`;
  }
}

/** Who did it, why, and by which paper. */
function by(actor: string, reason?: string, documentUri?: string): { readonly attribution: Attribution } {
  return {
    attribution: {
      actor,
      ...(reason === undefined ? {} : { reason }),
      ...(documentUri === undefined ? {} : { documentUri }),
    },
  };
}

/** Of two operations on one order the first. */
function unique(operations: readonly Operation[]): Operation[] {
  const orders = new Set<string>();
  return operations.filter((operation) => {
    if (!("orderId" in operation) || operation.orderId === undefined) return true;
    if (orders.has(operation.orderId)) return false;
    orders.add(operation.orderId);
    return true;
  });
}
