/**
 * A caller of everything beside plain sales: holds that are confirmed in time, late or never, buyers with a limit,
 * several locations, counts, and sets that expect a version. Its goods are its own: a process of the version before,
 * which knows no holds, is not asked for them.
 */
import type { Desk } from "./desk.ts";
import { type Fleet, YARD_FROM, YARD_GOODS, YARD_PREFIX } from "./fleet.ts";
import type { AskedLine, Request } from "./history.ts";
import type { Random } from "./random.ts";

/** Of its goods: at two locations; scarce; limited for each buyer; with safety stock; now and then not sold at all. */
const PLACED = 2;
const SCARCE = 2;
const LIMITED = 3;
const SPARED = 4;
const CHANGING = 5;
const BUYER_NUM_MAX = 3;
/** Sales that one buyer tries, and a few more that are under way when the next buyer comes. */
const TRIES_OF_BUYER = 5;
const REMEMBERED_MAX = 20;
const TTL_MS: readonly [number, number] = [200, 2500];

interface Remembered {
  readonly orderId: string;
  readonly lines: readonly AskedLine[];
  readonly ttlMs: number;
  readonly buyerId: string;
}

/** One of them. */
export class Yard {
  /** How often each has a turn. */
  static readonly PACE_MS = 150;
  readonly #fleet: Fleet;
  readonly #desk: Desk;
  readonly #name: string;
  readonly #random: Random;
  readonly #holds: Remembered[] = [];
  readonly #sold: string[] = [];
  #ids = 0;

  /** `number` from 0 distinguishes those of a fleet. */
  constructor(fleet: Fleet, desk: Desk, number: number, random: Random) {
    this.#fleet = fleet;
    this.#desk = desk;
    this.#name = `${YARD_PREFIX}${fleet.name}-${number}`;
    this.#random = random;
  }

  /** Fills the shelves, once for a fleet. */
  async start(): Promise<void> {
    const requests: Request[] = [];
    for (let place = 0; place < YARD_GOODS; place++) requests.push(this.#set(place, place === SCARCE ? 10 : 400));
    requests.push(...this.#policies());
    for (const request of requests) await this.#desk.untilDecided(this.#desk.ask(request), this.#random);
  }

  /** Something happens. */
  async turn(): Promise<void> {
    const random = this.#random;
    const draw = random.next();
    const hold = this.#holds.length === 0 ? undefined : random.pick(this.#holds);
    if (draw < 0.28 || hold === undefined) await this.#reserve(this.#newOrder());
    else if (draw < 0.5) await this.#goOn(hold);
    else if (draw < 0.58) await this.#sell();
    else if (draw < 0.64) await this.#rollBack();
    else if (draw < 0.7) await this.#ask({ kind: "adjust", operationId: this.#newId(), lines: [this.#adjustment()] });
    else if (draw < 0.77) await this.#transfer();
    else if (draw < 0.8) {
      const num = random.integer(100, 500);
      await this.#ask({ kind: "count", operationId: this.#newId(), goodsId: this.#goods(random.integer(0, 1)), num });
    } else if (draw < 0.85) await this.#compareAndSet();
    else if (draw < 0.87) {
      await this.#ask({ kind: random.pick(["delete", "restore", "restore"]), goodsId: this.#goods(CHANGING) });
    } else if (draw < 0.88) await this.#ask(random.pick(this.#policies()));
    else if (draw < 0.9) await this.#releaseFirst();
    else {
      const locationId = random.integer(0, 1);
      await this.#ask({ kind: "detail", goodsId: this.#goods(random.integer(0, YARD_GOODS - 1)), locationId });
    }
  }

  /** What becomes of a hold, whether it lives still or not. */
  async #goOn(hold: Remembered): Promise<void> {
    const random = this.#random;
    const { orderId, lines } = hold;
    const draw = random.next();
    if (draw < 0.5) {
      const some = random.chance(0.3) ? [{ ...random.pick(lines), num: 1 }] : [];
      if (await this.#ask({ kind: "confirm", orderId, lines: some })) this.#remember(this.#sold, orderId);
    } else if (draw < 0.65) await this.#ask({ kind: "extend", orderId, ttlMs: hold.ttlMs + 500 });
    else if (draw < 0.8) await this.#ask({ kind: "release", orderId });
    else if (draw < 0.9) await this.#reserve(hold);
    else await this.#ask({ kind: "sell", orderId, lines, buyerId: hold.buyerId });
  }

  async #reserve(hold: Remembered): Promise<void> {
    if (await this.#ask({ kind: "reserve", ...hold }) && !this.#holds.includes(hold)) this.#remember(this.#holds, hold);
  }

  async #sell(): Promise<void> {
    const { orderId, lines, buyerId } = this.#newOrder();
    if (await this.#ask({ kind: "sell", orderId, lines, buyerId })) this.#remember(this.#sold, orderId);
  }

  async #rollBack(): Promise<void> {
    if (this.#sold.length === 0) return;
    await this.#ask({ kind: "rollback", orderId: this.#random.pick(this.#sold), rollbackId: "", lines: [] });
  }

  async #transfer(): Promise<void> {
    const random = this.#random;
    const from = random.integer(0, 1);
    const goods = random.chance(0.5) ? [0] : [0, 1];
    const lines = goods.map((place) => ({ goodsId: this.#goods(place), num: random.integer(1, 20) }));
    await this.#ask({ kind: "transfer", operationId: this.#newId(), from, to: 1 - from, lines });
  }

  /** Two that expect the same version, at once. */
  async #compareAndSet(): Promise<void> {
    const goodsId = this.#goods(CHANGING);
    const looked = await this.#desk.once(this.#desk.ask({ kind: "detail", goodsId }), this.#random, { patient: true });
    if (looked.outcome !== "ok") return;
    const expectedVersion = Number(looked.body.version);
    // Quantities of their own, as sets have no ids.
    const sets = [0, 1].map((): Request => ({ ...this.#set(CHANGING, 1000 + this.#ids++), expectedVersion }));
    await Promise.all(sets.map((set) => this.#ask(set)));
  }

  async #releaseFirst(): Promise<void> {
    const hold = this.#newOrder();
    const first = this.#ask({ kind: "release", orderId: hold.orderId });
    if (this.#random.chance(0.5)) await first;
    await Promise.all([first, this.#reserve(hold)]);
  }

  async #ask(request: Request): Promise<boolean> {
    return await this.#desk.decide(this.#desk.ask(request), this.#random);
  }

  #newOrder(): Remembered {
    const random = this.#random;
    const places = new Set([random.pick([0, 1, SCARCE, SCARCE, LIMITED, LIMITED, SPARED, CHANGING])]);
    if (random.chance(0.3)) places.add(random.integer(0, 1));
    const lines = [...places].map((place): AskedLine => {
      const line = { goodsId: this.#goods(place), num: random.integer(1, place === SCARCE ? 5 : 2) };
      return place < PLACED && random.chance(0.3) ? { ...line, locationId: 1 } : line;
    });
    // Those of a fleet share their buyers.
    const buyerId = `b-${Math.floor(this.#fleet.buyers++ / TRIES_OF_BUYER)}`;
    return { orderId: this.#newId(), lines, ttlMs: random.integer(...TTL_MS), buyerId };
  }

  #adjustment(): AskedLine {
    const random = this.#random;
    const place = random.integer(0, SPARED);
    return { goodsId: this.#goods(place), num: random.pick([-1, 1, 1]) * random.integer(1, place === SCARCE ? 5 : 20) };
  }

  #policies(): Request[] {
    return [
      { kind: "policy", goodsId: this.#goods(LIMITED), policy: { buyerNumMax: BUYER_NUM_MAX } },
      { kind: "policy", goodsId: this.#goods(SPARED), policy: { safetyStock: 5 } },
    ];
  }

  #set(place: number, num: number): Extract<Request, { kind: "set" }> {
    return { kind: "set", goodsId: this.#goods(place), num: num + (place === CHANGING ? this.#fleetNumber() : 0) };
  }

  /** So that no two of a fleet set the same quantity. */
  #fleetNumber(): number {
    return Number(this.#name.at(-1)) * 1_000_000;
  }

  #remember<T>(list: T[], value: T): void {
    list.push(value);
    if (list.length > REMEMBERED_MAX) list.shift();
  }

  #goods(place: number): number {
    return this.#fleet.firstGoods + YARD_FROM + place;
  }

  #newId(): string {
    return `${this.#name}-${this.#ids++}`;
  }
}
