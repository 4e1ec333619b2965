/**
 * What callers of a fleet do: orders, rollbacks of all kinds, sets and looks, holds and all else, at a bounded pace,
 * with everything that callers do wrong: they leave, set deadlines that pass in the middle, send things twice and in
 * the wrong order. What has no clear answer is sent again under the same id.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Asked, Desk } from "./desk.ts";
import { EMPTY_GOODS, type Fleet, GOODS, HOT_GOODS, SCARCE_GOODS } from "./fleet.ts";
import type { AskedLine, Request } from "./history.ts";
import type { Random } from "./random.ts";
import { Restocker } from "./restocker.ts";
import { Yard } from "./yard.ts";

const CALLERS = 8;
/** Callers of holds and of all that is not plain sales. */
const YARDS = 2;
/** Orders that a caller remembers to roll back. */
const REMEMBERED_MAX = 50;

interface Sold {
  readonly orderId: string;
  readonly lines: readonly AskedLine[];
}

/** The callers of one fleet. */
export class Workload {
  readonly #fleet: Fleet;
  readonly #desk: Desk;
  readonly #paceMs: number;
  readonly #random: Random;
  #orders = 0;
  #running = false;
  #callers: Promise<unknown> = Promise.resolve();
  #pause: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #busy = 0;

  /** `callsPerSecond`: of all callers together, without those that restock. */
  constructor(fleet: Fleet, callsPerSecond: number, random: Random) {
    this.#fleet = fleet;
    this.#desk = new Desk(fleet);
    this.#paceMs = (CALLERS * 1000) / callsPerSecond;
    this.#random = random;
  }

  /** Fills the shelves, and starts the callers. */
  async start(): Promise<void> {
    const random = this.#random.fork();
    for (let place = 0; place < GOODS; place++) {
      await this.#desk.untilDecided(this.#desk.ask(this.#setOf(place, random)), random);
    }
    const yards = Array.from(
      { length: YARDS },
      (_, number) => new Yard(this.#fleet, this.#desk, number, this.#random.fork()),
    );
    await yards[0]?.start();
    this.#running = true;
    const yardCallers = yards.map((yard) => this.#turns(random, Yard.PACE_MS, () => yard.turn()));
    const callers = Array.from({ length: CALLERS }, () => this.#caller(this.#random.fork()));
    const restockers = Array.from({ length: EMPTY_GOODS }, (_, number) => this.#restocker(number, this.#random.fork()));
    this.#callers = Promise.all([...callers, ...restockers, ...yardCallers]);
  }

  /** No new calls until {@link resume}; resolves when none is in progress. */
  async pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause = { over: promise, end: resolve };
    while (this.#busy > 0 || this.#desk.underWay > 0) await delay(50);
  }

  resume(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }

  /** Ends the callers, and sends what is undecided until it is decided; answers why something stays undecided. */
  async finish(): Promise<string | undefined> {
    this.#running = false;
    this.resume();
    await this.#desk.settle();
    await this.#callers;
    await this.#desk.settle();
    return await this.#desk.finish(this.#random.fork());
  }

  async #caller(random: Random): Promise<void> {
    const sold: Sold[] = [];
    await this.#turns(random, this.#paceMs, () => this.#one(random, sold));
  }

  async #restocker(number: number, random: Random): Promise<void> {
    const restocker = new Restocker(this.#fleet, this.#desk, number, random, () => this.#newOrder());
    await this.#turns(random, Restocker.PACE_MS, () => restocker.turn());
  }

  /** One thing after the other, as long as the run goes on. */
  async #turns(random: Random, paceMs: number, turn: () => Promise<void>): Promise<void> {
    await delay(random.next() * paceMs);
    while (this.#running) {
      await this.#pause?.over;
      const startedMs = performance.now();
      this.#busy++;
      await turn();
      this.#busy--;
      await delay(Math.max(0, paceMs * (0.5 + random.next()) - (performance.now() - startedMs)));
    }
  }

  async #one(random: Random, sold: Sold[]): Promise<void> {
    const draw = random.next();
    if (draw < 0.6) {
      const orderId = this.#newOrder();
      const lines = this.#linesOf(random, draw < 0.42 ? 1 : random.integer(2, 4));
      if (await this.#decide({ kind: "sell", orderId, lines }, random)) {
        sold.push({ orderId, lines });
        if (sold.length > REMEMBERED_MAX) sold.shift();
      }
    } else if (draw < 0.8 && sold.length > 0) {
      await this.#rollBack(this.#orderToRollBack(random, sold), random);
    } else if (draw < 0.84) {
      // A rollback before its sell, or at the same moment.
      const orderId = this.#newOrder();
      const first = this.#decide({ kind: "rollback", orderId, rollbackId: "", lines: [] }, random);
      if (random.chance(0.5)) await first;
      await Promise.all([first, this.#decide({ kind: "sell", orderId, lines: this.#linesOf(random, 1) }, random)]);
    } else if (draw < 0.9) {
      await this.#decide(this.#setOf(random.integer(0, GOODS - 1), random), random);
    } else {
      await this.#decide({ kind: "detail", goodsId: this.#fleet.firstGoods + random.integer(0, GOODS - 1) }, random);
    }
  }

  async #rollBack({ orderId, lines: sold }: Sold, random: Random): Promise<void> {
    const whole = random.chance(0.5);
    const lines = whole
      ? []
      : [random.pick(sold)].map(({ goodsId, num }) => ({ goodsId, num: random.integer(1, num) }));
    const rollbackId = !whole && random.chance(0.5) ? `r-${this.#newOrder()}` : "";
    const asked = this.#desk.ask({ kind: "rollback", orderId, rollbackId, lines });
    await this.#desk.decide(asked, random);
    // Sent again though it was answered.
    if (random.chance(0.2)) await this.#desk.decide(asked, random);
  }

  #orderToRollBack(random: Random, sold: readonly Sold[]): Sold {
    const { lockedOrder } = this.#fleet;
    return lockedOrder !== undefined && random.chance(0.5) ? lockedOrder : random.pick(sold);
  }

  #decide(request: Request, random: Random): Promise<boolean> {
    return this.#desk.decide(this.#ask(request), random);
  }

  #ask(request: Request): Asked {
    return this.#desk.ask(request);
  }

  #linesOf(random: Random, count: number): AskedLine[] {
    const places = new Set<number>();
    // Of the orders of several goods every third has all of the hot ones.
    if (count >= HOT_GOODS && random.chance(1 / 3)) { for (let hot = 0; hot < HOT_GOODS; hot++) places.add(hot); }
    while (places.size < count) places.add(random.integer(0, (random.chance(0.4) ? HOT_GOODS : GOODS) - 1));
    return [...places].map((place) => ({ goodsId: this.#fleet.firstGoods + place, num: random.integer(1, 5) }));
  }

  #setOf(place: number, random: Random): Request {
    const num = place >= GOODS - SCARCE_GOODS ? random.integer(0, 40) : random.integer(10_000, 1_000_000);
    return { kind: "set", goodsId: this.#fleet.firstGoods + place, num };
  }

  #newOrder(): string {
    return `${this.#fleet.name}-${this.#orders++}`;
  }
}
