/**
 * The queue in front of the batches: who waits for which goods, and who may go together. No clock, no I/O.
 *
 * Each goods has a lane, in which entries stand by arrival; an entry of several goods stands in the lane of each. A
 * batch takes entries from the heads of lanes, and no two batches under way share a goods:
 *
 * - An entry goes when it is the first in each of its lanes, and each of them is free or part of the same batch.
 * - Entries without goods, such as rollbacks of unknown orders, and those in lanes go first by turns.
 * - So nobody overtakes anybody who wants the same goods, and of all who wait the oldest waits for none but batches
 *   under way: there is no waiting in a circle, and nobody starves.
 * - A lane is parked for a while, when another process has its goods. An entry that stands there too is sidelined: it
 *   leaves its other lanes, and rejoins them at its place when it is the first in that lane and the lane is parked no
 *   more. Only those who could not go anyway are overtaken.
 *
 *     unknown --add--> waiting
 *     waiting --take--> taken --remove--> gone
 *     taken   --requeue--> waiting      at the place that its arrival gives it
 *     taken   --move--> waiting         there too, in the lanes of other goods than before
 *     waiting --remove--> gone
 *     gone    --remove--> gone          it ended and was removed while its batch went on
 *
 *     in all its lanes --sideline--> in the parked one only --rejoin--> in all its lanes
 *
 *     free   --take--> busy --free--> free     the lane of a goods
 *     open   --park--> parked --unpark--> open
 *     parked --park--> parked                  refused once more, for another reason; the first unpark counts
 *     open   --unpark--> open                  the second one
 *
 * Whatever is not listed throws.
 *
 * Whatever happens to an entry costs about as much as it has goods, however long its lanes are; a lane is parked and
 * unparked at a cost of its own, however many wait behind it. So who is sidelined or leaves is only marked, and is
 * dropped from a lane when it comes to its head.
 */

import type { StockKey } from "../inventory/stock_key.ts";
import { illegalTransition } from "../base/invariant.ts";
import { Roll } from "../base/roll.ts";
import { type BatchLimits, Draft } from "./draft.ts";
import { GoodsLanes } from "./goods_lanes.ts";
import { type Refusal, Ticket, type Waiting } from "./lane.ts";

/** All who wait, and who may go together. */
export class Queue<W extends Waiting> {
  readonly #lanes = new GoodsLanes<W>();
  /** Of all who are known. */
  readonly #tickets = new Roll<Ticket<W>>();
  /** Waiting entries without goods. */
  readonly #keyless = new Set<Ticket<W>>();
  #keylessFirst = false;
  #numbers = 0;
  #waiting = 0;

  /** Entries that wait; those taken are not counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Entries that wait; they may be removed meanwhile. */
  *waitingEntries(): Generator<W> {
    for (const { entry, state } of this.#tickets) if (state === "waiting") yield entry;
  }

  /** Lanes that exist, for tests that nothing stays behind. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Places in lanes that were taken, left or looked at so far, for tests that work is in proportion. */
  get steps(): number {
    return this.#lanes.work.steps;
  }

  /** Queues the entry up behind all others. */
  add(entry: W): void {
    const known = this.#ticketOf(entry);
    if (known !== undefined) illegalTransition("an entry", known.state, "added");
    this.#begin(entry, this.#numbers++);
  }

  /**
   * Has an entry that was taken stand in the lanes of the goods that it has now, at the place that its arrival gives
   * it.
   */
  move(entry: W): void {
    const before = this.#ticketOf(entry);
    if (before?.state !== "taken") illegalTransition("an entry", before?.state, "moved");
    this.remove(entry);
    this.#begin(entry, before.number);
  }

  /** Takes the entry out, whether it waits or was taken; its goods stay with the batch until `free`. */
  remove(entry: W): void {
    const ticket = this.#ticketOf(entry);
    if (ticket === undefined) return;
    this.#tickets.delete(ticket);
    entry.ticket = undefined;
    const wasWaiting = ticket.state === "waiting";
    ticket.state = "gone";
    if (wasWaiting) {
      this.#waiting--;
      this.#keyless.delete(ticket);
      this.#lanes.leave(ticket);
    }
    this.#lanes.forget(ticket);
  }

  /** Puts an entry that was taken back to the place that its arrival gives it. */
  requeue(entry: W): void {
    const ticket = this.#ticketOf(entry);
    if (ticket?.state !== "taken") illegalTransition("an entry", ticket?.state, "requeued");
    ticket.state = "waiting";
    this.#enter(ticket);
  }

  /** Whether somebody stands in the lane of the goods. Who is sidelined for another lane does not count. */
  isWanted(stockKey: StockKey): boolean {
    return this.first(stockKey) !== undefined;
  }

  /** Entries of the goods that wait or are taken, wherever they stand. */
  entriesOf(stockKey: StockKey): number {
    return this.#lanes.knownBy(stockKey);
  }

  /** Who stands first in the lane of the goods. */
  first(stockKey: StockKey): W | undefined {
    return this.#lanes.first(stockKey);
  }

  /** Goods in whose lanes somebody was sidelined or left since this was asked before, and others may stand no more. */
  leftGoods(): StockKey[] {
    return this.#lanes.leftGoods();
  }

  /**
   * Takes the next batch, by arrival; empty if nobody can go. The goods of its entries are busy until
   * `free`, and each entry is known until `remove`.
   */
  take(limits: BatchLimits): W[] {
    const draft = new Draft(this.#lanes, limits);
    // Neither those in lanes nor those without goods may fill every batch while the others wait.
    this.#keylessFirst = !this.#keylessFirst;
    const share = this.#lanes.ready.size > 0 ? Math.ceil(limits.entriesMax / 2) : limits.entriesMax;
    if (this.#keylessFirst) draft.takeKeyless(this.#keyless, share);
    draft.takeFromLanes();
    draft.takeKeyless(this.#keyless);
    const { entries } = draft;
    this.#waiting -= entries.length;
    return entries;
  }

  /** A batch no longer has these goods; `tookMs`: how long it took, where it had them to its end. */
  free(stockKeys: Iterable<StockKey>, tookMs?: number): void {
    this.#lanes.free(stockKeys, tookMs);
  }

  /**
   * How long who comes for these goods now waits at the least, in ms, by how long the latest batches took; `batchesMax`
   * of them go side by side.
   */
  waitMs(stockKeys: readonly StockKey[], { entriesMax }: BatchLimits, batchesMax: number): number {
    return this.#lanes.waitMs(stockKeys, entriesMax, batchesMax);
  }

  /**
   * Parks the lane of a goods: nobody who stands in it goes until `unpark`. `refusedMs`: when the goods were refused,
   * which the lane remembers until `had`.
   */
  park(stockKey: StockKey, refusedMs?: number): void {
    this.#lanes.park(stockKey, refusedMs);
  }

  /** The lane is parked no more. */
  unpark(stockKey: StockKey): void {
    this.#lanes.unpark(stockKey);
  }

  /** The goods were ours, and their time of being refused is over. */
  had(stockKeys: Iterable<StockKey>): void {
    this.#lanes.had(stockKeys);
  }

  /** That the goods were refused, if they were not had since. */
  refusal(stockKey: StockKey): Refusal | undefined {
    return this.#lanes.refusal(stockKey);
  }

  #ticketOf(entry: W): Ticket<W> | undefined {
    return entry.ticket as Ticket<W> | undefined;
  }

  #begin(entry: W, number: number): void {
    const ticket = new Ticket(entry, number, this.#lanes.know(entry.stockKeys));
    entry.ticket = ticket;
    this.#tickets.add(ticket);
    this.#enter(ticket);
  }

  #enter(ticket: Ticket<W>): void {
    this.#waiting++;
    if (ticket.lanes.length === 0) this.#keyless.add(ticket);
    this.#lanes.enter(ticket);
  }
}
