/** One order in the queue, and in which of its lanes it stands. Pure; the transitions are those of queue.ts. */
import type { Lane } from "./lane.ts";

/** What the queue knows of an order. */
export interface Waiting {
  /** Goods whose lanes it stands in: sorted, no repeats. None: it waits for nobody. */
  readonly goodsIds: readonly number[];
  /** What it adds to the size of a batch. */
  readonly size: number;
}

/** An order with its place in the order of arrival. */
export class Ticket<W extends Waiting> {
  readonly order: W;
  /** Of its arrival. */
  readonly number: number;
  readonly lanes: readonly Lane<W>[];
  state: "waiting" | "taken" | "gone" = "waiting";
  /** The only lane in which it stands, closed or once closed: in its others it stepped aside. */
  asideFor: Lane<W> | undefined;
  /** The one before that, which may have closed again. */
  asideBefore: Lane<W> | undefined;

  /** `lanes` are those of its goods; it waits, and is put into them by its maker. */
  constructor(order: W, number: number, lanes: readonly Lane<W>[]) {
    this.order = order;
    this.number = number;
    this.lanes = lanes;
  }

  /** The lanes in which it stands while it waits. */
  get standsIn(): readonly Lane<W>[] {
    return this.asideFor === undefined ? this.lanes : [this.asideFor];
  }

  /** Whether it stands in this lane, one of its own. */
  isIn(lane: Lane<W>): boolean {
    return this.state === "waiting" && (this.asideFor === undefined || this.asideFor === lane);
  }
}
