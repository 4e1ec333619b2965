/**
 * How many batches go side by side. No clock, no I/O.
 *
 * A batch costs the process as much again as a good many of its entries do, so where the event loop is what everybody
 * waits for, few large batches get more done than many small ones. Where batches wait for the database and for nodes,
 * more of them beside each other keep nobody waiting. Which of both it is is seen by the turns of the event loop: a
 * batch waits for some, and the longer they are the more of its time is spent waiting for this process alone.
 *
 *     own share of a batch's time    batches beside each other
 *     from 0.5 on                    one fewer, down to one
 *     in between                     as many
 *     below 0.3                      one more, up to the most there may be
 *
 * Whoever comes while as many are under way waits for company, until one of them ends. Nobody waits where
 *
 * - no batch is under way, or
 * - so many wait that more of them would not make a batch much cheaper, or
 * - none has ended for long: what is under way then is stuck, and is no reason for others to wait.
 */

/** Turns of the event loop that a batch waits for: votes, an answer of the database, its own answers. */
const TURNS_A_BATCH = 3;
/** Shares from which on, and below which, there are fewer or more. */
const SHARE = { fewerFrom: 0.5, moreBelow: 0.3 } as const;
/** Batches that are looked at together: one is no measure, as rubbish is collected in some turns. */
const BATCHES_A_LOOK = 16;
/** So many entries are company enough. */
export const COMPANY_ENOUGH = 64;

/** The number of batches beside each other, as it goes up and down. */
export class BatchesAtOnce {
  readonly #max: number;
  #now: number;
  #batches = 0;
  #tookMs = 0;
  #turnsMs = 0;

  /** `max`: the most there may be, and as many as there are at first. */
  constructor(max: number) {
    this.#max = max;
    this.#now = max;
  }

  /** A batch has ended after so long, and the turn of the event loop that it ended in went on for so long. */
  note(tookMs: number, turnMs: number): void {
    this.#batches++;
    this.#tookMs += tookMs + turnMs;
    this.#turnsMs += turnMs;
    if (this.#batches < BATCHES_A_LOOK) return;
    this.#now = batchesAfter(this.#now, TURNS_A_BATCH * this.#turnsMs / this.#tookMs, this.#max);
    this.#batches = this.#tookMs = this.#turnsMs = 0;
  }

  /** What is under way is stuck, and says nothing of what another would cost. */
  forget(): void {
    this.#now = this.#max;
    this.#batches = this.#tookMs = this.#turnsMs = 0;
  }

  /** Whether another may begin beside so many; `ready` counts those who could go, up to {@link COMPANY_ENOUGH}. */
  mayBegin(underWay: number, ready: () => number): boolean {
    if (underWay < this.#now) return true;
    return underWay < this.#max && ready() >= COMPANY_ENOUGH;
  }
}

/** How many go beside each other once `share` of a batch's time was spent waiting for this process. Pure. */
export function batchesAfter(now: number, share: number, max: number): number {
  if (share >= SHARE.fewerFrom) return Math.max(1, now - 1);
  return share < SHARE.moreBelow ? Math.min(max, now + 1) : now;
}
