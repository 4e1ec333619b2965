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
 *     waiting --take--> taken --end--> (gone)
 *     taken   --putBack--> waiting      at the place that its arrival gives it
 *     waiting --leave--> (gone)
 */

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
  taken: boolean;
  /** The closed lane for which it stepped aside in its other lanes. */
  asideFor: Lane<W> | undefined;
}

interface Lane<W> {
  readonly goodsId: number;
  /** By arrival. */
  readonly tickets: Ticket<W>[];
  busy: boolean;
  closed: boolean;
  /** Tickets that stepped aside in their other lanes because this one is closed. */
  readonly aside: Ticket<W>[];
}

/** The lanes of all goods that somebody waits for or that a batch has. */
export class Queue<W extends Waiting> {
  readonly #lanes = new Map<number, Lane<W>>();
  readonly #tickets = new Map<W, Ticket<W>>();
  /** Waiting orders without goods. */
  readonly #unbound = new Set<W>();
  /** Lanes whose first order may be able to go; a lane that was looked at in vain leaves until something changes. */
  readonly #ready = new Set<Lane<W>>();
  #unboundFirst = false;
  #numbers = 0;
  #waiting = 0;

  /** Orders that wait; those taken are not counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Lanes kept, for tests that nothing stays behind. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Queues the order up behind all others. */
  add(order: W): void {
    const ticket: Ticket<W> = { order, number: this.#numbers++, taken: false, asideFor: undefined };
    this.#tickets.set(order, ticket);
    this.#enter(ticket);
  }

  /** Takes the order out, whether it waits or was taken; its goods stay with the batch until `free`. */
  remove(order: W): void {
    const ticket = this.#tickets.get(order);
    if (ticket === undefined) return;
    this.#tickets.delete(order);
    if (ticket.taken) return;
    this.#waiting--;
    if (!this.#unbound.delete(order)) this.#withdraw(ticket);
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
  take({ ordersMax, sizeMax }: BatchLimits): W[] {
    const batch: Ticket<W>[] = [];
    const mine = new Set<Lane<W>>();
    let size = 0;
    const grow = (ticket: Ticket<W>) => {
      ticket.taken = true;
      this.#waiting--;
      size += ticket.order.size;
      batch.push(ticket);
    };
    const fits = (order: W) => batch.length === 0 || (batch.length < ordersMax && size + order.size <= sizeMax);
    const takeUnbound = (countMax: number) => {
      for (const order of this.#unbound) {
        if (batch.length >= countMax || !fits(order)) break;
        this.#unbound.delete(order);
        grow(this.#tickets.get(order) as Ticket<W>);
      }
    };
    // Neither those in lanes nor those without goods may fill every batch while the others wait.
    this.#unboundFirst = !this.#unboundFirst;
    if (this.#unboundFirst) takeUnbound(this.#ready.size > 0 ? Math.ceil(ordersMax / 2) : ordersMax);
    let full = false;
    for (const lane of this.#ready) {
      if (full) break;
      for (let first = this.#first(lane); first !== undefined; first = this.#first(lane)) {
        const lanes = this.#lanesOf(first);
        const closed = lanes.find((other) => other.closed);
        if (closed !== undefined) {
          this.#stepAside(first, closed);
          continue;
        }
        if (!lanes.every((other) => other.tickets[0] === first && (!other.busy || mine.has(other)))) break;
        if (!fits(first.order)) {
          full = true;
          break;
        }
        for (const other of lanes) {
          other.tickets.shift();
          other.busy = true;
          mine.add(other);
          this.#ready.add(other);
        }
        grow(first);
      }
      if (!full) this.#ready.delete(lane);
    }
    takeUnbound(ordersMax);
    for (const lane of mine) this.#ready.delete(lane);
    return batch.sort((a, b) => a.number - b.number).map((ticket) => ticket.order);
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
    this.#ready.delete(lane);
    for (const ticket of lane.tickets) {
      // Whoever waits behind it elsewhere need not wait for this lane.
      for (const other of ticket.order.goodsIds.length > 1 ? this.#lanesOf(ticket) : []) this.#look(other);
    }
  }

  /** Opens the lane again; who stepped aside for it goes back to its place in its other lanes. */
  open(goodsId: number): void {
    const lane = this.#lanes.get(goodsId);
    if (lane === undefined) return;
    lane.closed = false;
    for (const ticket of lane.aside.splice(0)) {
      ticket.asideFor = undefined;
      for (const other of this.#lanesOf(ticket)) {
        if (other !== lane) this.#insert(other, ticket);
      }
    }
    this.#look(lane);
  }

  #enter(ticket: Ticket<W>): void {
    this.#waiting++;
    if (ticket.order.goodsIds.length === 0) this.#unbound.add(ticket.order);
    else for (const goodsId of ticket.order.goodsIds) this.#insert(this.#lane(goodsId), ticket);
  }

  #withdraw(ticket: Ticket<W>): void {
    const { asideFor } = ticket;
    if (asideFor !== undefined) {
      asideFor.aside.splice(asideFor.aside.indexOf(ticket), 1);
      this.#drop(asideFor, ticket);
    } else for (const lane of this.#lanesOf(ticket)) this.#drop(lane, ticket);
  }

  /** It stays in the lane that is closed, and makes room in the others. */
  #stepAside(ticket: Ticket<W>, closed: Lane<W>): void {
    ticket.asideFor = closed;
    closed.aside.push(ticket);
    for (const lane of this.#lanesOf(ticket)) {
      if (lane !== closed) this.#drop(lane, ticket);
    }
  }

  #drop(lane: Lane<W>, ticket: Ticket<W>): void {
    lane.tickets.splice(placeOf(lane, ticket.number), 1);
    this.#look(lane);
  }

  #insert(lane: Lane<W>, ticket: Ticket<W>): void {
    const place = placeOf(lane, ticket.number);
    lane.tickets.splice(place, 0, ticket);
    if (place === 0) this.#look(lane);
  }

  /** Looks at the lane at the next `take`, or forgets it. */
  #look(lane: Lane<W>): void {
    if (lane.busy || lane.closed) return;
    if (lane.tickets.length > 0) this.#ready.add(lane);
    else if (this.#lanes.get(lane.goodsId) === lane) {
      this.#ready.delete(lane);
      this.#lanes.delete(lane.goodsId);
    }
  }

  #first(lane: Lane<W>): Ticket<W> | undefined {
    return lane.closed ? undefined : lane.tickets[0];
  }

  #lane(goodsId: number): Lane<W> {
    const known = this.#lanes.get(goodsId);
    if (known !== undefined) return known;
    const lane: Lane<W> = { goodsId, tickets: [], busy: false, closed: false, aside: [] };
    this.#lanes.set(goodsId, lane);
    return lane;
  }

  #lanesOf(ticket: Ticket<W>): Lane<W>[] {
    return ticket.order.goodsIds.map((goodsId) => this.#lane(goodsId));
  }
}

/** Where in the lane a ticket of this number stands, or would stand. */
function placeOf<W>({ tickets }: Lane<W>, number: number): number {
  let low = 0;
  let high = tickets.length;
  // Nearly all come in at the end.
  if (high > 0 && (tickets[high - 1] as Ticket<W>).number < number) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tickets[middle] as Ticket<W>).number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
