/**
 * The queue in front of the batches: who waits for which goods, and who may go together. Pure: no clock, no I/O.
 *
 * Each goods has a lane, in which orders stand in the order of their arrival; an order of several goods stands in
 * the lane of each. A batch takes orders from the heads of lanes, and no two batches under way share a goods:
 *
 * - An order goes when it is the first in each of its lanes, and each of them is free or part of the same batch.
 * - Orders without goods, such as rollbacks of unknown orders, and those in lanes go first by turns.
 * - So nobody overtakes anybody who wants the same goods, and of all who wait the oldest waits for batches under
 *   way only: there is no waiting in a circle, and nobody starves.
 * - A lane can be closed for a while, when another process has its goods. An order that stands there too steps aside in
 *   its other lanes, and goes back to its place in them when it is the first in that lane and the lane is open. Only
 *   those who could not go anyway are overtaken.
 *
 *     waiting --take--> taken --remove--> (gone)
 *     taken   --putBack--> waiting      at the place that its arrival gives it
 *     taken   --move--> waiting         there too, in the lanes of other goods than before
 *     waiting --remove--> (gone)
 *
 *     in all its lanes --stepAside--> in the closed one only --comeBack--> in all its lanes
 *
 * Whatever happens to an order costs about as much as it has goods, however long its lanes are; a lane opens and closes
 * at a cost of its own, however many wait behind it. So who steps aside or leaves is only marked, and is dropped from a
 * lane when it comes to its head.
 */

import { type BatchLimits, Draft } from "./draft.ts";
import { GoodsLanes } from "./goods_lanes.ts";
import { type Refusal, Ticket, type Waiting } from "./lane.ts";

/** All who wait, and who may go together. */
export class Queue<W extends Waiting> {
  readonly #lanes = new GoodsLanes<W>();
  readonly #tickets = new Map<W, Ticket<W>>();
  /** Waiting orders without goods. */
  readonly #unbound = new Set<Ticket<W>>();
  #unboundFirst = false;
  #numbers = 0;
  #waiting = 0;

  /** Orders that wait; those taken are not counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Orders that wait; they may be removed meanwhile. */
  *waitingOrders(): Generator<W> {
    for (const { order, state } of this.#tickets.values()) if (state === "waiting") yield order;
  }

  /** Lanes kept, for tests that nothing stays behind. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Places in lanes that were taken, left or looked at so far, for tests that work is in proportion. */
  get steps(): number {
    return this.#lanes.work.steps;
  }

  /** Queues the order up behind all others. */
  add(order: W): void {
    const ticket = new Ticket(order, this.#numbers++, this.#lanes.know(order.goodsIds));
    this.#tickets.set(order, ticket);
    this.#enter(ticket);
  }

  /** Has an order that was taken stand in the lanes of the goods that it has now, at the place that its arrival gives it. */
  move(order: W): void {
    const before = this.#tickets.get(order);
    if (before === undefined) throw new Error("only an order that was taken can be moved");
    this.remove(order);
    const ticket = new Ticket(order, before.number, this.#lanes.know(order.goodsIds));
    this.#tickets.set(order, ticket);
    this.#enter(ticket);
  }

  /** Takes the order out, whether it waits or was taken; its goods stay with the batch until `free`. */
  remove(order: W): void {
    const ticket = this.#tickets.get(order);
    if (ticket === undefined) return;
    this.#tickets.delete(order);
    if (ticket.state === "waiting") {
      this.#waiting--;
      this.#unbound.delete(ticket);
      ticket.state = "gone";
      this.#lanes.leave(ticket);
    }
    this.#lanes.forget(ticket);
  }

  /** Puts an order that was taken back to the place that its arrival gives it. Throws if it was not taken. */
  putBack(order: W): void {
    const ticket = this.#tickets.get(order);
    if (ticket?.state !== "taken") throw new Error("only an order that was taken can be put back");
    ticket.state = "waiting";
    this.#enter(ticket);
  }

  /** Whether somebody stands in the lane of the goods. Who stepped aside there does not count. */
  isWanted(goodsId: number): boolean {
    return this.first(goodsId) !== undefined;
  }

  /** Who stands first in the lane of the goods. */
  first(goodsId: number): W | undefined {
    return this.#lanes.first(goodsId);
  }

  /** Goods in whose lanes somebody stepped aside or left since this was asked before, and others may stand no more. */
  leftGoods(): number[] {
    return this.#lanes.leftGoods();
  }

  /**
   * Takes the next batch, in the order of arrival; empty if nobody can go. The goods of its orders are busy until
   * `free`, and each order is known until `remove`.
   */
  take(limits: BatchLimits): W[] {
    const draft = new Draft(this.#lanes, limits);
    // Neither those in lanes nor those without goods may fill every batch while the others wait.
    this.#unboundFirst = !this.#unboundFirst;
    const share = this.#lanes.ready.size > 0 ? Math.ceil(limits.ordersMax / 2) : limits.ordersMax;
    if (this.#unboundFirst) draft.takeUnbound(this.#unbound, share);
    draft.takeFromLanes();
    draft.takeUnbound(this.#unbound);
    const { orders } = draft;
    this.#waiting -= orders.length;
    return orders;
  }

  /** A batch no longer has these goods. */
  free(goodsIds: Iterable<number>): void {
    this.#lanes.free(goodsIds);
  }

  /**
   * Closes the lane of a goods: nobody who stands in it goes until `open`. `refusedMs`: when the goods were refused, which
   * the lane remembers until `had`.
   */
  close(goodsId: number, refusedMs?: number): void {
    this.#lanes.close(goodsId, refusedMs);
  }

  /** Opens the lane again. */
  open(goodsId: number): void {
    this.#lanes.open(goodsId);
  }

  /** The goods were ours, and their time of being refused is over. */
  had(goodsIds: Iterable<number>): void {
    this.#lanes.had(goodsIds);
  }

  /** That the goods were refused, if they were not had since. */
  refusal(goodsId: number): Refusal | undefined {
    return this.#lanes.refusal(goodsId);
  }

  #enter(ticket: Ticket<W>): void {
    this.#waiting++;
    if (ticket.lanes.length === 0) this.#unbound.add(ticket);
    this.#lanes.enter(ticket);
  }
}
