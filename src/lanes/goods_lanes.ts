/**
 * The lanes of all goods that somebody waits for or that a batch has: who stands in which of them, and which have to be
 * looked at for the next batch. No I/O; the transitions are those of queue.ts.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { illegalTransition } from "../base/invariant.ts";
import { Pace } from "./pace.ts";
import { Lane, type Refusal, type Ticket, type Waiting, type Work } from "./lane.ts";

/** Lanes by goods. */
export class GoodsLanes<W extends Waiting> {
  /** Lanes whose first entry may be able to go; who looks at a lane in vain deletes it, until something changes. */
  readonly ready = new Set<Lane<W>>();
  /** What was done in all of them. */
  readonly work: Work = { steps: 0 };
  readonly #lanes = new Map<StockKey, Lane<W>>();
  /** Lanes that somebody left, because they were sidelined or for good. */
  #left: Lane<W>[] = [];
  #parkedLanes = 0;
  /** The most lanes that one entry has known since there were none. */
  #widest = 0;
  /** Of all batches. */
  readonly #pace = new Pace();

  /** Lanes that exist. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Entries that know the lane of the goods. */
  knownBy(stockKey: StockKey): number {
    return this.#lanes.get(stockKey)?.known ?? 0;
  }

  /** The lanes of these goods, for an entry that knows them until `forget`. */
  know(stockKeys: readonly StockKey[]): Lane<W>[] {
    this.#widest = Math.max(this.#lanes.size === 0 ? 0 : this.#widest, stockKeys.length);
    return stockKeys.map((stockKey) => {
      const lane = this.#lane(stockKey);
      lane.known++;
      return lane;
    });
  }

  /** The entry is gone, and no longer knows its lanes. */
  forget({ lanes }: Ticket<W>): void {
    for (const lane of lanes) {
      lane.known--;
      if (lane.known === 0) this.#look(lane);
      else lane.bury();
    }
  }

  /** Has a waiting ticket stand in its lanes, or in the first of them that is parked. */
  enter(ticket: Ticket<W>): void {
    ticket.sidelinedFor = this.#parkedOf(ticket);
    for (const lane of ticket.standsIn) this.#insert(lane, ticket);
  }

  /** The ticket, which waited, is gone from where it stood. */
  leave(ticket: Ticket<W>): void {
    for (const lane of ticket.standsIn) this.#leave(lane, ticket);
  }

  /** If a lane of the ticket is parked it stays in that lane and leaves the others; answers whether it does. */
  sideline(ticket: Ticket<W>): boolean {
    const parked = this.#parkedOf(ticket);
    if (parked === undefined) return false;
    const stood = ticket.standsIn;
    ticket.sidelinedBefore = ticket.sidelinedFor;
    ticket.sidelinedFor = parked;
    for (const lane of stood) if (lane !== parked) this.#leave(lane, ticket);
    this.#insert(parked, ticket);
    return true;
  }

  /** Has who was sidelined go back to its place in all its lanes. */
  rejoin(ticket: Ticket<W>): void {
    ticket.sidelinedFor = undefined;
    for (const lane of ticket.lanes) this.#insert(lane, ticket);
  }

  /** The same for who is first in a lane that is not parked, and was sidelined for it, if it `mayGo`. */
  rejoinFirst(lane: Lane<W>, mayGo: (ticket: Ticket<W>) => boolean = () => true): void {
    for (let first = lane.first(); first?.sidelinedFor === lane && !lane.parked; first = lane.first()) {
      if (this.sideline(first)) continue;
      if (mayGo(first)) this.rejoin(first);
      break;
    }
  }

  /** Who stands first in the lane of the goods. */
  first(stockKey: StockKey): W | undefined {
    return this.#lanes.get(stockKey)?.first()?.entry;
  }

  /** Goods in whose lanes somebody was sidelined or left since this was asked before. */
  leftGoods(): StockKey[] {
    const left = this.#left;
    this.#left = [];
    for (const lane of left) lane.wasLeft = false;
    return left.map(({ stockKey }) => stockKey);
  }

  /**
   * How long who comes for these goods waits at the least, where `entriesMax` go in one batch, and `batchesMax` of
   * these side by side: behind whole batches of the same goods that have not begun, or, where nobody knows any of them,
   * until the new lane has its turn, which comes behind all that are ready.
   */
  waitMs(stockKeys: readonly StockKey[], entriesMax: number, batchesMax: number): number {
    let [waitMs, areNew] = [0, stockKeys.length > 0];
    for (const stockKey of stockKeys) {
      const lane = this.#lanes.get(stockKey);
      if (lane !== undefined) areNew = false;
      if (lane?.pace === undefined) continue;
      // As many as there may be of those who know it are in the batch under way.
      waitMs = Math.max(waitMs, lane.pace.waitMs(lane.known - (lane.busy ? entriesMax : 0), entriesMax));
    }
    // An entry of several goods takes the heads of several lanes, or is passed in all of them while it waits in one.
    return areNew && this.#widest === 1 ? this.#pace.waitMs(this.ready.size, entriesMax * batchesMax) : waitMs;
  }

  /** A batch no longer has these goods; `tookMs` where it had them to its end. */
  free(stockKeys: Iterable<StockKey>, tookMs?: number): void {
    if (tookMs !== undefined) this.#pace.note(tookMs);
    for (const stockKey of stockKeys) {
      const lane = this.#lanes.get(stockKey);
      if (lane?.busy !== true) illegalTransition(`the lane of goods ${stockKey}`, "free", "freed");
      lane.busy = false;
      // Of most goods nobody stands behind a batch, and nobody asks.
      if (tookMs !== undefined && lane.known > 0) (lane.pace ??= new Pace()).note(tookMs);
      this.#look(lane);
    }
  }

  /** Parks the lane of a goods; `refusedMs`: when the goods were refused. */
  park(stockKey: StockKey, refusedMs: number | undefined): void {
    const lane = this.#lane(stockKey);
    if (!lane.parked) this.#parkedLanes++;
    lane.parked = true;
    if (refusedMs !== undefined) lane.refuse(refusedMs);
    this.#look(lane);
  }

  /** It is parked no more. */
  unpark(stockKey: StockKey): void {
    const lane = this.#lanes.get(stockKey);
    if (lane === undefined) return;
    if (lane.parked) this.#parkedLanes--;
    lane.parked = false;
    this.#look(lane);
  }

  /** The goods were had, and are not known as refused any more. */
  had(stockKeys: Iterable<StockKey>): void {
    for (const stockKey of stockKeys) this.#lanes.get(stockKey)?.had();
  }

  /** That the goods were refused, if they were not had since. */
  refusal(stockKey: StockKey): Refusal | undefined {
    return this.#lanes.get(stockKey)?.refusal;
  }

  #parkedOf({ lanes, sidelinedBefore }: Ticket<W>): Lane<W> | undefined {
    if (this.#parkedLanes === 0) return undefined;
    // Lanes that are parked by turns would have all lanes of all who wait looked at.
    if (sidelinedBefore?.parked === true) return sidelinedBefore;
    this.work.steps += lanes.length;
    return lanes.find((lane) => lane.parked);
  }

  /** The ticket, which stood in the lane, does so no more. */
  #leave(lane: Lane<W>, ticket: Ticket<W>): void {
    this.work.steps++;
    if (!lane.wasLeft) {
      lane.wasLeft = true;
      this.#left.push(lane);
    }
    if (lane.isHead(ticket)) this.#look(lane);
  }

  #insert(lane: Lane<W>, ticket: Ticket<W>): void {
    lane.insert(ticket);
    if (lane.isHead(ticket)) this.#look(lane);
  }

  /** Something changed in the lane: at the next batch it is looked at, and so are those that waited for it. */
  #look(lane: Lane<W>): void {
    for (const other of lane.blocked) if (other.mayGo) this.ready.add(other);
    lane.blocked.clear();
    if (lane.mayGo) this.ready.add(lane);
    else this.ready.delete(lane);
    if (!lane.isNeeded) this.#lanes.delete(lane.stockKey);
  }

  #lane(stockKey: StockKey): Lane<W> {
    const known = this.#lanes.get(stockKey);
    if (known !== undefined) return known;
    const lane = new Lane<W>(stockKey, this.work);
    this.#lanes.set(stockKey, lane);
    return lane;
  }
}
