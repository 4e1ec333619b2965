/**
 * What the messages of all calls together may take, in bytes: those that are being received, and those that are being
 * worked on, each as large as what is made of it. Counts of calls are no bound for memory where one call may be worth
 * megabytes. Half is for what large batches become, which are kept as they came until they have their turn in it.
 *
 * A call is received, then kept, then over:
 *
 *     receiving -> kept       its message is complete, and what becomes of it is within the budget
 *     receiving -> refused    the budget is spent, in all or for its address; or others need it, and this one has been
 *                             receiving for the longest
 *     any       -> over       what it took is free again
 */

import { BatchTurns, TURN_WAIT_MS_MAX } from "./batch_turns.ts";

/**
 * What a call may take that is never refused: small calls go on whatever large ones do. Counts of calls bound these.
 */
export const FREE_BYTES = 4 * 1024;
/**
 * What an entry becomes beyond its bytes: its object in the message, in the operation and in the lanes (measured: 134
 * B).
 */
export const ENTRY_BYTES = 136;

/** The part of the budget that is for batches in their turn, as objects. */
export const TURNS_PART = 0.5;
/** A batch that becomes less than this part of the budget needs no turn: it is counted as what it becomes at once. */
const SMALL_BATCH_PART = 1 / 64;

/** One call's part of the budget. */
export interface MessageShare {
  /** Counts bytes that were received. False: the budget is spent, and the call must be refused. */
  receive(bytes: number): boolean;
  /** Its message is complete, and becomes so many bytes in all. False: the budget has not that much left. */
  keep(bytes: number): boolean;
  /** Frees all of it. It may be called again, and nothing counts after it. */
  end(): void;
}

/** How the budget stands. */
export interface BudgetView {
  /** Taken now, of `bytesMax`; in receiving and kept messages. */
  readonly bytes: number;
  readonly bytesMax: number;
  readonly receivingBytes: number;
  /** Taken now by what batches in their turn become. */
  readonly turnBytes: number;
  readonly turnBytesMax: number;
  /** The most there was at a time, since the start. */
  readonly peakBytes: number;
  /** Calls that were refused since the start. */
  readonly refused: number;
}

/** The budget of one process. */
export class MessageBudget {
  /** Who is receiving, the longest first, and has more than what is free. */
  readonly #receiving = new Set<Share>();
  #receivingBytes = 0;
  #bytes = 0;
  #peakBytes = 0;
  #refused = 0;
  readonly #byAddress = new Map<string, number>();
  /** The turns of large batches. */
  readonly turns: BatchTurns;
  readonly #messagesMax: number;
  readonly #addressMax: number;

  /**
   * @param addressBytesMax what the messages from one address may take, as much as the largest one at least; and as
   *   much again what its large batches become
   * @param turnWaitMsMax longest wait of a large batch for its turn
   */
  constructor(readonly bytesMax: number, addressBytesMax = bytesMax, turnWaitMsMax = TURN_WAIT_MS_MAX) {
    this.turns = new BatchTurns(bytesMax * TURNS_PART, addressBytesMax, turnWaitMsMax);
    this.#messagesMax = bytesMax - this.turns.bytesMax;
    this.#addressMax = Math.min(addressBytesMax, this.#messagesMax);
  }

  /** The part of a call that begins. `evicted` is called when its message will not be taken after all. */
  begin(address: string, evicted: () => void): MessageShare {
    return new Share(this, address, evicted);
  }

  /** Whether a batch that becomes so many bytes has to wait for a turn. */
  needsTurn(becomes: number): boolean {
    return becomes > this.bytesMax * SMALL_BATCH_PART;
  }

  /** One message alone always fits: this is the most that one is counted with. */
  get oneMessageMax(): number {
    return Math.min(this.#messagesMax / 2, this.#addressMax);
  }

  get view(): BudgetView {
    return {
      bytes: this.#bytes,
      bytesMax: this.#messagesMax,
      receivingBytes: this.#receivingBytes,
      turnBytes: this.turns.bytes,
      turnBytesMax: this.turns.bytesMax,
      peakBytes: this.#peakBytes,
      refused: this.#refused,
    };
  }

  /** Moves what a share takes to a new size. For {@link Share} only. */
  move(share: Share, from: number, to: number, isReceiving: boolean): boolean {
    const change = to - from;
    if (change > 0 && this.#ofAddress(share) + change > this.#addressMax) return this.#refuse();
    if (change > 0 && isReceiving) {
      // Half is for what is being received: who sends half a message and stops must not keep whole ones out for long,
      // and an honest message is here in no time. So it is the longest that goes.
      for (const oldest of this.#receiving) {
        if (this.#receivingBytes + change <= this.#messagesMax / 2) break;
        if (oldest !== share) this.#evict(oldest);
      }
      if (this.#receivingBytes + change > this.#messagesMax / 2) return this.#refuse();
    }
    if (change > 0 && this.#bytes + change > this.#messagesMax) return this.#refuse();
    this.#bytes += change;
    const own = this.#ofAddress(share) + change;
    if (own > 0) this.#byAddress.set(share.address, own);
    else this.#byAddress.delete(share.address);
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

  #ofAddress({ address }: Share): number {
    return this.#byAddress.get(address) ?? 0;
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

  constructor(
    private readonly budget: MessageBudget,
    readonly address: string,
    private readonly evicted: () => void,
  ) {}

  receive(bytes: number): boolean {
    if (this.#state !== "receiving") return false;
    this.#received += bytes;
    return this.#charge(this.#received);
  }

  keep(bytes: number): boolean {
    if (this.#state !== "receiving") return false;
    this.budget.received(this, this.#charged);
    this.#state = "kept";
    return this.#charge(Math.min(bytes, this.budget.oneMessageMax));
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
