/**
 * What the messages of all calls together may take, in bytes: those that are being received, and those that are being worked
 * on, each as large as what is made of it. Counts of calls are no bound for memory where one call may be worth megabytes.
 *
 * A call is received, then kept, then over:
 *
 *     receiving -> kept       its message is complete, and there is room for what becomes of it
 *     receiving -> refused    there is no room; or others need it, and this one has been receiving for the longest
 *     any       -> over       it gives back what it took
 */

/** What a call may take that is never refused: small calls go on whatever large ones do. Counts of calls bound these. */
export const FREE_BYTES = 4 * 1024;
/** What an entry becomes beyond its bytes: its object in the message, in the operation and in the lanes (measured: 134 B). */
export const ENTRY_BYTES = 136;

/** One call's part of the budget. */
export interface MessageShare {
  /** Counts bytes that were received. False: there is no room, and the call must be refused. */
  receive(bytes: number): boolean;
  /** Its message is complete, and becomes so many bytes in all. False: there is no room for that. */
  keep(bytes: number): boolean;
  /** Gives everything back. It may be called again, and nothing counts after it. */
  end(): void;
}

/** How the budget stands. */
export interface BudgetView {
  /** Taken now, of `bytesMax`; in receiving and kept messages. */
  readonly bytes: number;
  readonly bytesMax: number;
  readonly receivingBytes: number;
  /** The most there was at a time, since the start. */
  readonly peakBytes: number;
  /** Calls that were refused since the start. */
  readonly refused: number;
}

/** The budget of one process. */
export class MessageBudget {
  /** Who is receiving, the longest first, and holds more than is free. */
  readonly #receiving = new Set<Share>();
  #receivingBytes = 0;
  #bytes = 0;
  #peakBytes = 0;
  #refused = 0;

  constructor(readonly bytesMax: number) {}

  /** The part of a call that begins. `evicted` is told when its message will not be taken after all. */
  begin(evicted: () => void): MessageShare {
    return new Share(this, evicted);
  }

  get view(): BudgetView {
    return {
      bytes: this.#bytes,
      bytesMax: this.bytesMax,
      receivingBytes: this.#receivingBytes,
      peakBytes: this.#peakBytes,
      refused: this.#refused,
    };
  }

  /** Moves what a share takes to a new size. For {@link Share} only. */
  move(share: Share, from: number, to: number, isReceiving: boolean): boolean {
    const change = to - from;
    if (change > 0 && isReceiving) {
      // Half is for what is being received: who sends half a message and stops must not keep whole ones out for long, and an
      // honest message is here in no time. So it is the longest that goes.
      for (const oldest of this.#receiving) {
        if (this.#receivingBytes + change <= this.bytesMax / 2) break;
        if (oldest !== share) this.#evict(oldest);
      }
      if (this.#receivingBytes + change > this.bytesMax / 2) return this.#refuse();
    }
    if (change > 0 && this.#bytes + change > this.bytesMax) return this.#refuse();
    this.#bytes += change;
    if (isReceiving) {
      this.#receivingBytes += change;
      if (to > 0) this.#receiving.add(share);
    }
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return true;
  }

  /** It receives no more. For {@link Share} only. */
  received(share: Share, bytes: number): void {
    if (this.#receiving.delete(share)) this.#receivingBytes -= bytes;
  }

  #refuse(): false {
    this.#refused++;
    return false;
  }

  #evict(share: Share): void {
    this.#refused++;
    share.evict();
  }
}

class Share implements MessageShare {
  #received = 0;
  #charged = 0;
  #state: "receiving" | "kept" | "over" = "receiving";

  constructor(private readonly budget: MessageBudget, private readonly evicted: () => void) {}

  receive(bytes: number): boolean {
    if (this.#state !== "receiving") return false;
    this.#received += bytes;
    return this.#charge(this.#received);
  }

  keep(bytes: number): boolean {
    if (this.#state !== "receiving") return false;
    this.budget.received(this, this.#charged);
    this.#state = "kept";
    // One message alone always fits: half of the budget is the most that one is counted with.
    return this.#charge(Math.min(bytes, this.budget.bytesMax / 2));
  }

  end(): void {
    if (this.#state === "receiving") this.budget.received(this, this.#charged);
    this.#state = "over";
    this.#charge(0);
  }

  evict(): void {
    this.end();
    this.evicted();
  }

  #charge(bytes: number): boolean {
    const charged = Math.max(0, bytes - FREE_BYTES);
    if (!this.budget.move(this, this.#charged, charged, this.#state === "receiving")) return false;
    this.#charged = charged;
    return true;
  }
}
