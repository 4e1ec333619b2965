/**
 * The lane of one goods: who stands in it, by arrival, and what stops them; and the tickets of those who stand in
 * lanes. No I/O; the transitions are those of queue.ts.
 *
 * Who is sidelined or leaves keeps a dead place, which is dropped when it comes to the head, or with all others when
 * there are too many of them.
 */
import { Member } from "../base/roll.ts";
import type { StockKey } from "../inventory/stock_key.ts";
import type { Pace } from "./pace.ts";

/** That the goods of a lane were refused, again and again. */
export interface Refusal {
  /** When it was for the first time, by the caller's clock. */
  readonly sinceMs: number;
  readonly times: number;
  /** It was seen free since, and is asked for again. */
  seenFree?: boolean;
}

/** Places in lanes that were taken, left or looked at so far. */
export interface Work {
  steps: number;
}

/** A lane has no more dead places than this, and as many as it has entries that know it. */
const DEAD_PLACES_MAX = 64;

/** A line of those who want one goods. */
export class Lane<W extends Waiting> {
  readonly stockKey: StockKey;
  /** Entries that know this lane, waiting or taken: it is there for them. */
  known = 0;
  /** A batch has the goods. */
  busy = false;
  /** Parked: another process has the goods, or had them a moment ago. */
  parked = false;
  /** Lanes whose first entry was found to wait for this one; looked at again when something changes here. */
  readonly blocked = new Set<Lane<W>>();
  /** Of its batches; absent before one has ended behind which others stood. */
  pace: Pace | undefined;
  /** Somebody who stood here was sidelined or left since that was last asked. */
  wasLeft = false;
  #refusal: Refusal | undefined;
  /** By arrival, with dead places. */
  #tickets: Ticket<W>[] = [];
  readonly #work: Work;

  /** `work` counts what is done here. */
  constructor(stockKey: StockKey, work: Work) {
    this.stockKey = stockKey;
    this.#work = work;
  }

  /** Whether its first entry may be able to go. There may be none behind the dead places. */
  get mayGo(): boolean {
    return !this.busy && !this.parked && this.#tickets.length > 0;
  }

  /** Whether it is still needed. */
  get isNeeded(): boolean {
    return this.known > 0 || this.busy || this.parked;
  }

  /** That its goods were refused, if they were not had since. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Its goods were refused at `nowMs`, which it remembers until `had`. */
  refuse(nowMs: number): void {
    const { sinceMs, times } = this.#refusal ?? { sinceMs: nowMs, times: 0 };
    this.#refusal = { sinceMs, times: times + 1 };
  }

  /** Its goods were had, and their time of being refused is over. */
  had(): void {
    this.#refusal = undefined;
  }

  /** Who stands first in it. */
  first(): Ticket<W> | undefined {
    const tickets = this.#tickets;
    let dead = 0;
    for (let ticket = tickets[0]; ticket !== undefined && !ticket.isIn(this); ticket = tickets[dead]) dead++;
    this.#work.steps += dead;
    // Nearly always one, which `splice` would take a list for.
    if (dead === 1) tickets.shift();
    else if (dead > 1) tickets.splice(0, dead);
    return tickets[0];
  }

  /** Drops who stands first in it. */
  shift(): void {
    this.#tickets.shift();
  }

  /** Whether the ticket has the place at the head, dead or not. */
  isHead(ticket: Ticket<W>): boolean {
    return this.#tickets[0] === ticket;
  }

  /** Puts the ticket at its place, where it may still be. */
  insert(ticket: Ticket<W>): void {
    this.#work.steps++;
    const place = placeOf(this.#tickets, ticket.number);
    if (this.#tickets[place] !== ticket) this.#tickets.splice(place, 0, ticket);
  }

  /** Drops the dead places if there are too many of them. */
  bury(): void {
    if (this.#tickets.length <= 2 * this.known + DEAD_PLACES_MAX) return;
    this.#work.steps += this.#tickets.length;
    this.#tickets = this.#tickets.filter((ticket) => ticket.isIn(this));
  }
}

/** What the queue knows of an entry. */
export interface Waiting {
  /** Goods whose lanes it stands in: sorted, no repeats. None: it waits for nobody. */
  readonly stockKeys: readonly StockKey[];
  /** What it adds to the size of a batch. */
  readonly size: number;
  /** The queue's own, and nobody else's: its ticket while it is known there. */
  ticket?: unknown;
}

/** An entry with its place by arrival. */
export class Ticket<W extends Waiting> extends Member {
  readonly entry: W;
  /** Of its arrival. */
  readonly number: number;
  readonly lanes: readonly Lane<W>[];
  state: "waiting" | "taken" | "gone" = "waiting";
  /** The only lane in which it stands, parked, or parked before: it left its others. */
  sidelinedFor: Lane<W> | undefined;
  /** The one before that, which may be parked again. */
  sidelinedBefore: Lane<W> | undefined;

  /** `lanes` are those of its goods; it waits, and is put into them by its maker. */
  constructor(entry: W, number: number, lanes: readonly Lane<W>[]) {
    super();
    this.entry = entry;
    this.number = number;
    this.lanes = lanes;
  }

  /** The lanes in which it stands while it waits. */
  get standsIn(): readonly Lane<W>[] {
    return this.sidelinedFor === undefined ? this.lanes : [this.sidelinedFor];
  }

  /** Whether it stands in this lane, one of its own. */
  isIn(lane: Lane<W>): boolean {
    return this.state === "waiting" && (this.sidelinedFor === undefined || this.sidelinedFor === lane);
  }
}

/** Where in the list, which is sorted by number, one of this number stands or would stand. */
function placeOf(list: readonly { readonly number: number }[], number: number): number {
  const [first] = list;
  const last = list.at(-1);
  // Nearly all come in at the end and leave at the head.
  if (first === undefined || first.number >= number) return 0;
  if (last === undefined || last.number < number) return list.length;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.number ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
