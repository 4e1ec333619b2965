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
 * - A lane can be closed for a while, when another process has its goods. An order that stands there too steps
 *   aside in its other lanes, and goes back to its place in them when the lane opens.
 *
 *     waiting --take--> taken --remove--> (gone)
 *     taken   --putBack--> waiting      at the place that its arrival gives it
 *     waiting --remove--> (gone)
 *
 * Whatever happens to an order costs about as much as it has goods, however long its lanes are.
 */

import { placeOf } from "./arrival_order.ts";

/** What the queue knows of an order. */
export interface Waiting {
  /** Goods whose lanes it stands in: sorted, no repeats. None: it waits for nobody. */
  readonly goodsIds: readonly number[];
  /** What it adds to the size of a batch. */
  readonly size: number;
}

/** Bounds of one batch. An order that is larger alone goes alone. */
export interface BatchLimits {
  readonly ordersMax: number;
  /** Sum of the sizes of its orders. */
  readonly sizeMax: number;
}

interface Ticket<W> {
  readonly order: W;
  /** Of its arrival. */
  readonly number: number;
  readonly lanes: readonly Lane<W>[];
  taken: boolean;
  /** The closed lane for which it stepped aside in its other lanes. */
  asideFor: Lane<W> | undefined;
}

interface Lane<W> {
  readonly goodsId: number;
  /** By arrival. */
  readonly tickets: Ticket<W>[];
  /** Orders that know this lane, waiting or taken: it is kept for them. */
  known: number;
  busy: boolean;
  closed: boolean;
  /** Tickets that stepped aside in their other lanes because this one is closed. */
  readonly aside: Set<Ticket<W>>;
  /** Lanes whose first order was found to wait for this one; looked at again when something changes here. */
  readonly blocked: Set<Lane<W>>;
}

/** A batch while it is put together. `stuck`: first in some lane, but another batch has one of their goods. */
interface Draft<W> {
  readonly tickets: Ticket<W>[];
  readonly lanes: Set<Lane<W>>;
  readonly stuck: Set<Ticket<W>>;
  size: number;
}

/** The lanes of all goods that somebody waits for or that a batch has. */
export class Queue<W extends Waiting> {
  readonly #lanes = new Map<number, Lane<W>>();
  readonly #tickets = new Map<W, Ticket<W>>();
  /** Waiting orders without goods. */
  readonly #unbound = new Set<Ticket<W>>();
  /** Lanes whose first order may be able to go; a lane that was looked at in vain leaves until something changes. */
  readonly #ready = new Set<Lane<W>>();
  #unboundFirst = false;
  #numbers = 0;
  #waiting = 0;

  /** Orders that wait; those taken are not counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Orders that wait; they may be removed meanwhile. */
  *waitingOrders(): Generator<W> {
    for (const { order, taken } of this.#tickets.values()) if (!taken) yield order;
  }

  /** Lanes kept, for tests that nothing stays behind. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Queues the order up behind all others. */
  add(order: W): void {
    const lanes = order.goodsIds.map((goodsId) => this.#lane(goodsId));
    const ticket: Ticket<W> = { order, number: this.#numbers++, lanes, taken: false, asideFor: undefined };
    for (const lane of lanes) lane.known++;
    this.#tickets.set(order, ticket);
    this.#enter(ticket);
  }

  /** Takes the order out, whether it waits or was taken; its goods stay with the batch until `free`. */
  remove(order: W): void {
    const ticket = this.#tickets.get(order);
    if (ticket === undefined) return;
    this.#tickets.delete(order);
    if (!ticket.taken) {
      this.#waiting--;
      this.#unbound.delete(ticket);
      ticket.asideFor?.aside.delete(ticket);
      for (const lane of standingIn(ticket)) this.#drop(lane, ticket);
    }
    for (const lane of ticket.lanes) {
      lane.known--;
      this.#look(lane);
    }
  }

  /** Puts an order that was taken back to the place that its arrival gives it. */
  putBack(order: W): void {
    const ticket = this.#tickets.get(order);
    if (ticket?.taken !== true) throw new Error("only an order that was taken can be put back");
    ticket.taken = false;
    this.#enter(ticket);
  }

  /** Whether somebody stands in the lane of the goods. Who stepped aside there does not count. */
  isWanted(goodsId: number): boolean {
    return (this.#lanes.get(goodsId)?.tickets.length ?? 0) > 0;
  }

  /**
   * Takes the next batch, in the order of arrival; empty if nobody can go. The goods of its orders are busy until
   * `free`, and each order is known until `remove`.
   */
  take(limits: BatchLimits): W[] {
    const draft: Draft<W> = { tickets: [], lanes: new Set(), stuck: new Set(), size: 0 };
    // Neither those in lanes nor those without goods may fill every batch while the others wait.
    this.#unboundFirst = !this.#unboundFirst;
    const share = this.#ready.size > 0 ? Math.ceil(limits.ordersMax / 2) : limits.ordersMax;
    if (this.#unboundFirst) this.#takeUnbound(draft, { ...limits, ordersMax: share });
    for (const lane of this.#ready) {
      if (!this.#takeFrom(lane, draft, limits)) break;
      this.#ready.delete(lane);
    }
    this.#takeUnbound(draft, limits);
    for (const lane of draft.lanes) this.#ready.delete(lane);
    return draft.tickets.sort((a, b) => a.number - b.number).map((ticket) => ticket.order);
  }

  /** A batch no longer has these goods. */
  free(goodsIds: Iterable<number>): void {
    for (const goodsId of goodsIds) {
      const lane = this.#lanes.get(goodsId);
      if (lane === undefined) continue;
      lane.busy = false;
      this.#look(lane);
    }
  }

  /** Closes the lane of a goods: nobody who stands in it goes until `open`. */
  close(goodsId: number): void {
    const lane = this.#lane(goodsId);
    lane.closed = true;
    this.#look(lane);
  }

  /** Opens the lane again; who stepped aside for it goes back to its place in its other lanes. */
  open(goodsId: number): void {
    const lane = this.#lanes.get(goodsId);
    if (lane === undefined) return;
    lane.closed = false;
    for (const ticket of lane.aside) {
      ticket.asideFor = undefined;
      for (const other of ticket.lanes) if (other !== lane) this.#insert(other, ticket);
    }
    lane.aside.clear();
    this.#look(lane);
  }

  #takeUnbound(draft: Draft<W>, limits: BatchLimits): void {
    for (const ticket of this.#unbound) {
      if (!fits(draft, ticket, limits)) break;
      this.#unbound.delete(ticket);
      this.#join(draft, ticket);
    }
  }

  /** Takes who can go from the head of the lane; answers false if the batch is full. */
  #takeFrom(lane: Lane<W>, draft: Draft<W>, limits: BatchLimits): boolean {
    for (let first = lane.tickets[0]; first !== undefined && !draft.stuck.has(first); first = lane.tickets[0]) {
      const ticket = first;
      const closed = ticket.lanes.find((other) => other.closed);
      if (closed === lane) break;
      if (closed !== undefined) {
        this.#stepAside(ticket, closed);
        continue;
      }
      const blocking = ticket.lanes.find((other) =>
        other.tickets[0] !== ticket || (other.busy && !draft.lanes.has(other))
      );
      if (blocking !== undefined) {
        blocking.blocked.add(lane);
        if (blocking.busy && !draft.lanes.has(blocking)) draft.stuck.add(ticket);
        break;
      }
      if (!fits(draft, ticket, limits)) return false;
      for (const other of ticket.lanes) {
        other.tickets.shift();
        other.busy = true;
        draft.lanes.add(other);
        this.#ready.add(other);
      }
      this.#join(draft, ticket);
    }
    return true;
  }

  #join(draft: Draft<W>, ticket: Ticket<W>): void {
    ticket.taken = true;
    this.#waiting--;
    draft.size += ticket.order.size;
    draft.tickets.push(ticket);
  }

  #enter(ticket: Ticket<W>): void {
    this.#waiting++;
    if (ticket.lanes.length === 0) this.#unbound.add(ticket);
    for (const lane of ticket.lanes) this.#insert(lane, ticket);
  }

  /** It stays in the lane that is closed, and makes room in the others. */
  #stepAside(ticket: Ticket<W>, closed: Lane<W>): void {
    for (const lane of ticket.lanes) if (lane !== closed) this.#drop(lane, ticket);
    ticket.asideFor = closed;
    closed.aside.add(ticket);
  }

  #drop(lane: Lane<W>, ticket: Ticket<W>): void {
    const place = placeOf(lane.tickets, ticket.number);
    // Nearly all leave at the head, where `splice` would move all the others.
    if (place === 0) lane.tickets.shift();
    else lane.tickets.splice(place, 1);
    if (place === 0) this.#look(lane);
  }

  #insert(lane: Lane<W>, ticket: Ticket<W>): void {
    const place = placeOf(lane.tickets, ticket.number);
    lane.tickets.splice(place, 0, ticket);
    if (place === 0) this.#look(lane);
  }

  /** Something changed in the lane: at the next `take` it is looked at, and so are those that waited for it. */
  #look(lane: Lane<W>): void {
    for (const other of lane.blocked) {
      if (!other.busy && !other.closed && other.tickets.length > 0) this.#ready.add(other);
    }
    lane.blocked.clear();
    if (lane.busy || lane.closed || lane.tickets.length === 0) this.#ready.delete(lane);
    else this.#ready.add(lane);
    if (lane.known === 0 && !lane.busy && !lane.closed) this.#lanes.delete(lane.goodsId);
  }

  #lane(goodsId: number): Lane<W> {
    const known = this.#lanes.get(goodsId);
    if (known !== undefined) return known;
    const lane: Lane<W> = {
      goodsId,
      tickets: [],
      known: 0,
      busy: false,
      closed: false,
      aside: new Set(),
      blocked: new Set(),
    };
    this.#lanes.set(goodsId, lane);
    return lane;
  }
}

function fits<W extends Waiting>({ tickets, size }: Draft<W>, { order }: Ticket<W>, limits: BatchLimits): boolean {
  return tickets.length === 0 || (tickets.length < limits.ordersMax && size + order.size <= limits.sizeMax);
}

/** The lanes in which a waiting ticket stands. */
function standingIn<W>({ lanes, asideFor }: Ticket<W>): readonly Lane<W>[] {
  return asideFor === undefined ? lanes : [asideFor];
}
