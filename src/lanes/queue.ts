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
 *     waiting --remove--> (gone)
 *
 *     in all its lanes --stepAside--> in the closed one only --comeBack--> in all its lanes
 *
 * Whatever happens to an order costs about as much as it has goods, however long its lanes are; a lane opens and closes
 * at a cost of its own, however many wait behind it. So who steps aside or leaves is only marked, and is dropped from a
 * lane when it comes to its head.
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

/** That the goods of a lane were refused, again and again. */
export interface Refusal {
  /** When it was for the first time, by the caller's clock. */
  readonly sinceMs: number;
  readonly times: number;
}

interface Ticket<W> {
  readonly order: W;
  /** Of its arrival. */
  readonly number: number;
  readonly lanes: readonly Lane<W>[];
  state: "waiting" | "taken" | "gone";
  /** The only lane in which it stands, closed or once closed: in its others it stepped aside. */
  asideFor: Lane<W> | undefined;
  /** The one before that, which may have closed again. */
  asideBefore: Lane<W> | undefined;
}

interface Lane<W> {
  readonly goodsId: number;
  /** By arrival. Those that don't stand here any more are dropped when they come to the head. */
  tickets: Ticket<W>[];
  /** Orders that know this lane, waiting or taken: it is kept for them. */
  known: number;
  busy: boolean;
  closed: boolean;
  refusal: Refusal | undefined;
  /** Lanes whose first order was found to wait for this one; looked at again when something changes here. */
  readonly blocked: Set<Lane<W>>;
  /** Somebody who stood here stepped aside or left since `leftGoods` was asked. */
  wasLeft: boolean;
}

/** A batch while it is put together. */
interface Draft<W> {
  readonly tickets: Ticket<W>[];
  readonly lanes: Set<Lane<W>>;
  /** Who was first in some lane and could not go, and the lane that was in the way. */
  readonly stopped: Map<Ticket<W>, Lane<W>>;
  size: number;
}

/** A lane has no more dead places than this, and as many as it has orders that know it. */
const DEAD_PLACES_MAX = 64;

/** The lanes of all goods that somebody waits for or that a batch has. */
export class Queue<W extends Waiting> {
  readonly #lanes = new Map<number, Lane<W>>();
  readonly #tickets = new Map<W, Ticket<W>>();
  /** Waiting orders without goods. */
  readonly #unbound = new Set<Ticket<W>>();
  /** Lanes whose first order may be able to go; a lane that was looked at in vain leaves until something changes. */
  readonly #ready = new Set<Lane<W>>();
  /** Lanes that somebody left, by stepping aside or for good. */
  #left: Lane<W>[] = [];
  #closedLanes = 0;
  #unboundFirst = false;
  #numbers = 0;
  #waiting = 0;
  #steps = 0;

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
    return this.#steps;
  }

  /** Queues the order up behind all others. */
  add(order: W): void {
    const lanes = order.goodsIds.map((goodsId) => this.#lane(goodsId));
    const ticket: Ticket<W> = {
      order,
      number: this.#numbers++,
      lanes,
      state: "waiting",
      asideFor: undefined,
      asideBefore: undefined,
    };
    for (const lane of lanes) lane.known++;
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
      for (const lane of standingIn(ticket)) this.#leave(lane, ticket);
    }
    for (const lane of ticket.lanes) {
      lane.known--;
      if (lane.known === 0) this.#look(lane);
      else if (lane.tickets.length > 2 * lane.known + DEAD_PLACES_MAX) this.#bury(lane);
    }
  }

  /** Puts an order that was taken back to the place that its arrival gives it. */
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
    const lane = this.#lanes.get(goodsId);
    return lane === undefined ? undefined : this.#first(lane)?.order;
  }

  /** Goods in whose lanes somebody stepped aside or left since this was asked before, and others may stand no more. */
  leftGoods(): number[] {
    const left = this.#left;
    this.#left = [];
    for (const lane of left) lane.wasLeft = false;
    return left.map(({ goodsId }) => goodsId);
  }

  /**
   * Takes the next batch, in the order of arrival; empty if nobody can go. The goods of its orders are busy until
   * `free`, and each order is known until `remove`.
   */
  take(limits: BatchLimits): W[] {
    const draft: Draft<W> = { tickets: [], lanes: new Set(), stopped: new Map(), size: 0 };
    // Neither those in lanes nor those without goods may fill every batch while the others wait.
    this.#unboundFirst = !this.#unboundFirst;
    const share = this.#ready.size > 0 ? Math.ceil(limits.ordersMax / 2) : limits.ordersMax;
    if (this.#unboundFirst) this.#takeUnbound(draft, { ...limits, ordersMax: share });
    // Before anybody goes, so that they are not overtaken.
    for (const lane of this.#ready) this.#bringBack(lane);
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

  /**
   * Closes the lane of a goods: nobody who stands in it goes until `open`. `refusedMs`: when the goods were refused, which
   * the lane remembers until `had`.
   */
  close(goodsId: number, refusedMs?: number): void {
    const lane = this.#lane(goodsId);
    if (!lane.closed) this.#closedLanes++;
    lane.closed = true;
    if (refusedMs !== undefined) {
      const { sinceMs, times } = lane.refusal ?? { sinceMs: refusedMs, times: 0 };
      lane.refusal = { sinceMs, times: times + 1 };
    }
    this.#look(lane);
  }

  /** Opens the lane again. */
  open(goodsId: number): void {
    const lane = this.#lanes.get(goodsId);
    if (lane === undefined) return;
    if (lane.closed) this.#closedLanes--;
    lane.closed = false;
    this.#look(lane);
  }

  /** The goods were ours, and their time of being refused is over. */
  had(goodsIds: Iterable<number>): void {
    for (const goodsId of goodsIds) {
      const lane = this.#lanes.get(goodsId);
      if (lane !== undefined) lane.refusal = undefined;
    }
  }

  /** That the goods were refused, if they were not had since. */
  refusal(goodsId: number): Refusal | undefined {
    return this.#lanes.get(goodsId)?.refusal;
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
    while (!lane.closed) {
      const ticket = this.#first(lane);
      if (ticket === undefined) break;
      const before = draft.stopped.get(ticket);
      if (before !== undefined && this.#stops(before, ticket, draft)) break;
      const closed = this.#closedOf(ticket);
      if (closed !== undefined) {
        this.#stepAside(ticket, closed);
        continue;
      }
      if (ticket.asideFor !== undefined) {
        if (!fits(draft, ticket, limits)) return false;
        this.#comeBack(ticket);
      }
      const blocking = ticket.lanes.find((other) => this.#stops(other, ticket, draft));
      this.#steps += ticket.lanes.length;
      if (blocking !== undefined) {
        blocking.blocked.add(lane);
        draft.stopped.set(ticket, blocking);
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
      for (const other of ticket.lanes) this.#bringBack(other, (next) => fits(draft, next, limits));
    }
    return true;
  }

  /** Has who is first in an open lane, and stepped aside for it in others, go back to its place in those. */
  #bringBack(lane: Lane<W>, mayGo: (ticket: Ticket<W>) => boolean = () => true): void {
    for (let first = this.#first(lane); first?.asideFor === lane && !lane.closed; first = this.#first(lane)) {
      const closed = this.#closedOf(first);
      if (closed === undefined) {
        if (mayGo(first)) this.#comeBack(first);
        break;
      }
      this.#stepAside(first, closed);
    }
  }

  /** Whether the ticket can't go because of this lane. */
  #stops(lane: Lane<W>, ticket: Ticket<W>, draft: Draft<W>): boolean {
    return this.#first(lane) !== ticket || (lane.busy && !draft.lanes.has(lane));
  }

  #join(draft: Draft<W>, ticket: Ticket<W>): void {
    ticket.state = "taken";
    this.#waiting--;
    draft.size += ticket.order.size;
    draft.tickets.push(ticket);
  }

  #enter(ticket: Ticket<W>): void {
    this.#waiting++;
    ticket.asideFor = this.#closedOf(ticket);
    if (ticket.lanes.length === 0) this.#unbound.add(ticket);
    for (const lane of standingIn(ticket)) this.#insert(lane, ticket);
  }

  #closedOf({ lanes, asideBefore }: Ticket<W>): Lane<W> | undefined {
    if (this.#closedLanes === 0) return undefined;
    // Lanes that close by turns would have all lanes of all who wait looked at.
    if (asideBefore?.closed === true) return asideBefore;
    this.#steps += lanes.length;
    return lanes.find((lane) => lane.closed);
  }

  /** It stays in the lane that is closed, and makes room in the others. */
  #stepAside(ticket: Ticket<W>, closed: Lane<W>): void {
    const stood = standingIn(ticket);
    ticket.asideBefore = ticket.asideFor;
    ticket.asideFor = closed;
    for (const lane of stood) if (lane !== closed) this.#leave(lane, ticket);
    this.#insert(closed, ticket);
  }

  #comeBack(ticket: Ticket<W>): void {
    ticket.asideFor = undefined;
    for (const lane of ticket.lanes) this.#insert(lane, ticket);
  }

  /** The ticket, which stood in the lane, does so no more. */
  #leave(lane: Lane<W>, ticket: Ticket<W>): void {
    this.#steps++;
    if (!lane.wasLeft) {
      lane.wasLeft = true;
      this.#left.push(lane);
    }
    if (lane.tickets[0] === ticket) this.#look(lane);
  }

  /** Puts the ticket at its place in the lane, where it may still be. */
  #insert(lane: Lane<W>, ticket: Ticket<W>): void {
    this.#steps++;
    const place = placeOf(lane.tickets, ticket.number);
    if (lane.tickets[place] !== ticket) lane.tickets.splice(place, 0, ticket);
    if (place === 0) this.#look(lane);
  }

  /** Who stands first in the lane. */
  #first(lane: Lane<W>): Ticket<W> | undefined {
    const { tickets } = lane;
    let dead = 0;
    for (let ticket = tickets[0]; ticket !== undefined && !isIn(lane, ticket); ticket = tickets[dead]) dead++;
    this.#steps += dead;
    // Nearly always one, which `splice` would take a list for.
    if (dead === 1) tickets.shift();
    else if (dead > 1) tickets.splice(0, dead);
    return tickets[0];
  }

  /** Drops all who don't stand in the lane any more. */
  #bury(lane: Lane<W>): void {
    this.#steps += lane.tickets.length;
    lane.tickets = lane.tickets.filter((ticket) => isIn(lane, ticket));
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
      refusal: undefined,
      blocked: new Set(),
      wasLeft: false,
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

function isIn<W>(lane: Lane<W>, { state, asideFor }: Ticket<W>): boolean {
  return state === "waiting" && (asideFor === undefined || asideFor === lane);
}
