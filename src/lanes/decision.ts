/** How the entries of a batch are decided: all that have their goods in the snapshot, together, by one `settle`. */
import { invariant } from "../base/invariant.ts";
import type { Changes, Snapshot, Verdict } from "../inventory/model.ts";
import { changesNothing, type settle } from "../inventory/settle.ts";
import type { OutcomeUnknownError } from "../store/errors.ts";
import { goodsOfAll, learnGoods } from "./batch_keys.ts";
import type { Entry } from "./entry.ts";
import type { Guard } from "./modes/mode.ts";

/** What a decision is made with. */
export interface DecisionParts {
  readonly settle: typeof settle;
  /** Time that a write may take, in ms; nothing is written under a lease that has less left. */
  readonly writeMsMax: number;
}

/** What one attempt decides of the entries of its group, once their snapshot is read. */
export class Decision {
  /** Those that it is about: all at first, and those that were decided in the end, sorted by arrival. */
  entries: readonly Entry[];
  /** To be queued again; as in Requeued of run_batch.ts. */
  moved: readonly Entry[] = [];
  next: readonly Entry[] = [];
  /** Decided, and not to be written as the lease had too little time left. */
  leaseLost: readonly Entry[] = [];
  /** Of the entries, in their sequence. */
  #verdicts: readonly Verdict[] = [];
  readonly #guard: Guard;
  readonly #parts: DecisionParts;

  constructor(entries: readonly Entry[], guard: Guard, parts: DecisionParts) {
    this.entries = entries;
    this.#guard = guard;
    this.#parts = parts;
  }

  /** Decides them; answers what is to be written, or undefined for nothing. */
  async make(snapshot: Snapshot): Promise<Changes | undefined> {
    const { settle, writeMsMax } = this.#parts;
    const moved = this.entries.filter((entry) => learnGoods(entry, snapshot));
    const ahead = moved[0] === undefined ? this.entries : this.entries.slice(0, this.entries.indexOf(moved[0]));
    // Whoever stands behind one of them may want its goods, and must not go before it.
    const behind = this.entries.slice(ahead.length).filter((entry) => !moved.includes(entry));
    const begun = ahead.filter((entry) => entry.begin());
    [this.moved, this.next, this.entries] = [moved, behind, begun];
    const { verdicts, changes } = settle(snapshot, begun.map((entry) => entry.operation));
    const undecided = begun.slice(verdicts.length);
    for (const entry of undecided) entry.pause();
    this.next = [...behind, ...undecided];
    this.entries = begun.slice(0, verdicts.length);
    this.#verdicts = verdicts;
    if (changesNothing(changes)) return undefined;
    if (await this.#guard.extend(goodsOfAll(this.entries), writeMsMax)) return changes;
    [this.leaseLost, this.entries] = [this.entries, []];
    return undefined;
  }

  /** A write of them was lost. Who was refused has no part in it. */
  noteLostWrite(error: OutcomeUnknownError): void {
    this.entries.forEach((entry, i) => this.#verdicts[i]?.ok === true && (entry.lostWrite = error));
  }

  /** What was decided stands. */
  answer(): void {
    this.entries.forEach((entry, i) => {
      const verdict = this.#verdicts[i];
      invariant(verdict !== undefined, "settle gave no verdict for an operation");
      entry.answer(verdict);
    });
  }
}
