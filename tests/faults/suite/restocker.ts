/**
 * A caller whose goods comes in and goes out at the same moment: what brings it in (a set, something given back, a
 * rollback) and the order that needs it stand in one batch, and whoever brings it in is the first to leave. What the
 * order comes to then depends on a write of somebody else who is gone.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Asked, Desk } from "./desk.ts";
import { type Answering, EMPTY_GOODS, type Fleet, GOODS, GOODS_OF_FLEET, NEW_GOODS_FROM } from "./fleet.ts";
import type { AskedLine, Request } from "./history.ts";
import type { Random } from "./random.ts";

/** Deadline of who brings the goods in: passes in the middle of a write that hangs, and never in one that doesn't. */
const DEADLINE_MS: readonly [number, number] = [100, 1450];
/** The order that keeps the batch waiting is sent so long before the others. */
const AHEAD_MS = 1;
/** More than there ever is. */
const TOO_MANY = 1_000_000_000;

/** One of them, with a goods that nobody else asks for. */
export class Restocker {
  /** How often each has a turn, of five calls or so. */
  static readonly PACE_MS = 500;
  readonly #fleet: Fleet;
  readonly #desk: Desk;
  readonly #goodsId: number;
  readonly #random: Random;
  readonly #newId: () => string;
  #newGoodsId: number;
  /** The last order of the goods, if it was sold. */
  #sold: { readonly orderId: string; readonly num: number } | undefined;

  /** `number` from 0 distinguishes the restockers of a fleet. */
  constructor(fleet: Fleet, desk: Desk, number: number, random: Random, newId: () => string) {
    this.#fleet = fleet;
    this.#desk = desk;
    this.#goodsId = fleet.firstGoods + GOODS + number;
    this.#newGoodsId = fleet.firstGoods + NEW_GOODS_FROM + number;
    this.#random = random;
    this.#newId = newId;
  }

  /** Goods comes in and goes out. */
  async turn(): Promise<void> {
    const random = this.#random;
    const members = this.#fleet.answering;
    if (members.length === 0) return;
    const member = random.pick(members);
    if (random.chance(0.25) && this.#newGoodsId < this.#fleet.firstGoods + GOODS_OF_FLEET) {
      const goodsId = this.#newGoodsId;
      this.#newGoodsId += EMPTY_GOODS;
      await this.#together(member, this.#set(goodsId, 10), this.#taking(goodsId, random.integer(1, 10)));
      return;
    }
    const goodsId = this.#goodsId;
    const looked = await this.#desk.once(this.#desk.ask({ kind: "detail", goodsId }), random, { patient: true });
    const isNew = looked.outcome === "refused" && looked.code === "not_found";
    if (looked.outcome !== "ok" && !isNew) return;
    // All that is there goes too, so that next time there is nothing.
    const there = looked.outcome === "ok" ? Number(looked.body.num) : 0;
    const sold = this.#sold;
    this.#sold = undefined;
    const more = sold?.num ?? random.integer(1, 20);
    const orderId = this.#newId();
    const sell: Request = { kind: "sell", orderId, lines: [{ goodsId, num: there + more }] };
    const bringing = isNew ? this.#set(goodsId, more) : this.#bringing(goodsId, there, more, sold?.orderId);
    if (await this.#together(member, bringing, sell)) this.#sold = { orderId, num: there + more };
  }

  /** Both at once to one process, behind an order that is refused; answers whether the second was applied. */
  async #together(member: Answering, bringing: Request, taking: Request): Promise<boolean> {
    const random = this.#random;
    const goodsId = this.#goodsOf(taking);
    const ahead = this.#desk.ask({ kind: "sell", orderId: this.#newId(), lines: [{ goodsId, num: TOO_MANY }] });
    const patient = { member, patient: true };
    const first = this.#desk.once(ahead, random, patient);
    await delay(AHEAD_MS);
    const brought: Asked = this.#desk.ask(bringing);
    const deadlineMs = random.integer(...DEADLINE_MS);
    const bring = this.#desk.once(brought, random, { ...patient, deadlineMs });
    const taken = this.#desk.decide(this.#desk.ask(taking), random, patient);
    await Promise.all([first, bring]);
    const applied = await taken;
    // A set has no id under which it could be sent again and mean the same.
    if (bringing.kind !== "set") await this.#desk.decide(brought, random, { patient: true });
    return applied;
  }

  #set(goodsId: number, num: number): Request {
    return { kind: "set", goodsId, num };
  }

  #bringing(goodsId: number, there: number, more: number, soldOrder: string | undefined): Request {
    const draw = this.#random.next();
    if (soldOrder !== undefined && draw < 0.5) {
      return { kind: "rollback", orderId: soldOrder, rollbackId: "", lines: [] };
    }
    return draw < 0.75 ? this.#set(goodsId, there + more) : this.#giveBack([{ goodsId, num: more }]);
  }

  /** What needs a goods that is new. */
  #taking(goodsId: number, num: number): Request {
    const lines = [{ goodsId, num }];
    return this.#random.chance(0.5) ? this.#giveBack(lines) : { kind: "sell", orderId: this.#newId(), lines };
  }

  #giveBack(lines: readonly AskedLine[]): Request {
    return { kind: "rollback", orderId: "", rollbackId: `g-${this.#newId()}`, lines };
  }

  #goodsOf(request: Request): number {
    if ("goodsId" in request) return request.goodsId;
    return "lines" in request ? request.lines[0]?.goodsId ?? 0 : 0;
  }
}
