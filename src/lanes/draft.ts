/** A batch while it is put together: who can go with those who are in it already. Pure. */
import type { GoodsLanes } from "./goods_lanes.ts";
import type { Lane, Ticket, Waiting } from "./lane.ts";

/** Bounds of one batch. An order that is larger alone goes alone. */
export interface BatchLimits {
  readonly ordersMax: number;
  /** Sum of the sizes of its orders. */
  readonly sizeMax: number;
}

/** The next batch. */
export class Draft<W extends Waiting> {
  readonly #goodsLanes: GoodsLanes<W>;
  readonly #limits: BatchLimits;
  readonly #tickets: Ticket<W>[] = [];
  readonly #lanes = new Set<Lane<W>>();
  /** Who was first in some lane and could not go, and the lane that was in the way. */
  readonly #stopped = new Map<Ticket<W>, Lane<W>>();
  #size = 0;

  constructor(goodsLanes: GoodsLanes<W>, limits: BatchLimits) {
    this.#goodsLanes = goodsLanes;
    this.#limits = limits;
  }

  /** The orders in it, by arrival. */
  get orders(): W[] {
    return this.#tickets.sort((a, b) => a.number - b.number).map((ticket) => ticket.order);
  }

  /** Takes orders without goods out of `unbound`, until there are `ordersMax` in the batch. */
  takeUnbound(unbound: Set<Ticket<W>>, ordersMax = this.#limits.ordersMax): void {
    for (const ticket of unbound) {
      if (!this.#fits(ticket, ordersMax)) break;
      unbound.delete(ticket);
      this.#join(ticket);
    }
  }

  /** Takes who can go from the heads of the lanes that are ready. */
  takeFromLanes(): void {
    const { ready } = this.#goodsLanes;
    // Before anybody goes, so that they are not overtaken.
    for (const lane of ready) this.#goodsLanes.bringBack(lane);
    for (const lane of ready) {
      if (!this.#takeFrom(lane)) break;
      ready.delete(lane);
    }
    for (const lane of this.#lanes) ready.delete(lane);
  }

  /** Takes who can go from the head of the lane; answers false if the batch is full. */
  #takeFrom(lane: Lane<W>): boolean {
    while (!lane.closed) {
      const ticket = lane.first();
      if (ticket === undefined) break;
      const before = this.#stopped.get(ticket);
      if (before !== undefined && this.#stops(before, ticket)) break;
      if (this.#goodsLanes.stepAside(ticket)) continue;
      if (ticket.asideFor !== undefined) {
        if (!this.#fits(ticket)) return false;
        this.#goodsLanes.comeBack(ticket);
      }
      const blocking = ticket.lanes.find((other) => this.#stops(other, ticket));
      this.#goodsLanes.work.steps += ticket.lanes.length;
      if (blocking !== undefined) {
        blocking.blocked.add(lane);
        this.#stopped.set(ticket, blocking);
        break;
      }
      if (!this.#fits(ticket)) return false;
      this.#go(ticket);
    }
    return true;
  }

  /** Whether the ticket can't go because of this lane. */
  #stops(lane: Lane<W>, ticket: Ticket<W>): boolean {
    return lane.first() !== ticket || (lane.busy && !this.#lanes.has(lane));
  }

  #fits({ order }: Ticket<W>, ordersMax = this.#limits.ordersMax): boolean {
    const { length } = this.#tickets;
    return length === 0 || (length < ordersMax && this.#size + order.size <= this.#limits.sizeMax);
  }

  /** Takes the ticket, which is first in all its lanes. */
  #go(ticket: Ticket<W>): void {
    for (const lane of ticket.lanes) {
      lane.shift();
      lane.busy = true;
      this.#lanes.add(lane);
      this.#goodsLanes.ready.add(lane);
    }
    this.#join(ticket);
    for (const lane of ticket.lanes) this.#goodsLanes.bringBack(lane, (next) => this.#fits(next));
  }

  #join(ticket: Ticket<W>): void {
    ticket.state = "taken";
    this.#size += ticket.order.size;
    this.#tickets.push(ticket);
  }
}
