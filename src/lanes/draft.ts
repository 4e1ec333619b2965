/** A batch while it is put together: who can go with those who are in it already. No I/O. */
import { illegalTransition } from "../base/invariant.ts";
import type { GoodsLanes } from "./goods_lanes.ts";
import type { Lane, Ticket, Waiting } from "./lane.ts";

/** Bounds of one batch. An entry that is larger alone goes alone. */
export interface BatchLimits {
  readonly entriesMax: number;
  /** Sum of the sizes of its entries. */
  readonly sizeMax: number;
}

/** The next batch. */
export class Draft<W extends Waiting> {
  readonly #goodsLanes: GoodsLanes<W>;
  readonly #limits: BatchLimits;
  readonly #tickets: Ticket<W>[] = [];
  readonly #lanes = new Set<Lane<W>>();
  /** Who was first in some lane and could not go, and the lane that blocks it. */
  readonly #blocked = new Map<Ticket<W>, Lane<W>>();
  #size = 0;

  constructor(goodsLanes: GoodsLanes<W>, limits: BatchLimits) {
    this.#goodsLanes = goodsLanes;
    this.#limits = limits;
  }

  /** The entries in it, by arrival. */
  get entries(): W[] {
    return this.#tickets.sort((a, b) => a.number - b.number).map((ticket) => ticket.entry);
  }

  /** Takes entries without goods out of `keyless`, until there are `entriesMax` in the batch. */
  takeKeyless(keyless: Set<Ticket<W>>, entriesMax = this.#limits.entriesMax): void {
    for (const ticket of keyless) {
      if (!this.#fits(ticket, entriesMax)) break;
      keyless.delete(ticket);
      this.#join(ticket);
    }
  }

  /** Takes who can go from the heads of the lanes that are ready. */
  takeFromLanes(): void {
    const { ready } = this.#goodsLanes;
    // Before anybody goes, so that they are not overtaken.
    for (const lane of ready) this.#goodsLanes.rejoinFirst(lane);
    for (const lane of ready) {
      if (!this.#takeFrom(lane)) break;
      ready.delete(lane);
    }
    for (const lane of this.#lanes) ready.delete(lane);
  }

  /** Takes who can go from the head of the lane; answers false if the batch is full. */
  #takeFrom(lane: Lane<W>): boolean {
    while (!lane.parked) {
      const ticket = lane.first();
      if (ticket === undefined) break;
      const before = this.#blocked.get(ticket);
      if (before !== undefined && this.#blocks(before, ticket)) break;
      if (this.#goodsLanes.sideline(ticket)) continue;
      if (ticket.sidelinedFor !== undefined) {
        if (!this.#fits(ticket)) return false;
        this.#goodsLanes.rejoin(ticket);
      }
      const blocking = ticket.lanes.find((other) => this.#blocks(other, ticket));
      this.#goodsLanes.work.steps += ticket.lanes.length;
      if (blocking !== undefined) {
        blocking.blocked.add(lane);
        this.#blocked.set(ticket, blocking);
        break;
      }
      if (!this.#fits(ticket)) return false;
      this.#go(ticket);
    }
    return true;
  }

  /** Whether the ticket can't go because of this lane. */
  #blocks(lane: Lane<W>, ticket: Ticket<W>): boolean {
    return lane.first() !== ticket || (lane.busy && !this.#lanes.has(lane));
  }

  #fits({ entry }: Ticket<W>, entriesMax = this.#limits.entriesMax): boolean {
    const { length } = this.#tickets;
    return length === 0 || (length < entriesMax && this.#size + entry.size <= this.#limits.sizeMax);
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
    for (const lane of ticket.lanes) this.#goodsLanes.rejoinFirst(lane, (next) => this.#fits(next));
  }

  #join(ticket: Ticket<W>): void {
    if (ticket.state !== "waiting") illegalTransition("an entry", ticket.state, "taken");
    ticket.state = "taken";
    this.#size += ticket.entry.size;
    this.#tickets.push(ticket);
  }
}
