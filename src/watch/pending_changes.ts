/**
 * Changes that one watcher has not taken yet. Up to {@link CHANGES_MAX} they are kept one by one; beyond, those of one
 * place are folded into the latest, and beyond {@link PLACES_MAX} places its stream has to end: it is taken up again
 * with the position that it has, whenever its client reads again.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import type { InvChange } from "./changes.ts";
import type { FoldedChange } from "./events.ts";
import type { LivePosition } from "./position.ts";

/** Changes that wait one by one. */
export const CHANGES_MAX = 2000;
/** Places that wait. */
export const PLACES_MAX = 5000;
/** Changes that are taken at a time, some 300 KB as a message: as many as come with one part of a read. */
const TAKEN_MAX = 2000;

/** What was taken. */
export interface Taken {
  readonly changes: readonly FoldedChange[];
  /** Where the watcher stands with them; undefined: more follow. */
  readonly position: LivePosition | undefined;
}

/**
 * A change that waits. The next one of its place is written into it: where each was made anew, those before were old
 * and garbage until V8 collected all. With 720 streams that nobody read the process was 924 MiB large, and so 748.
 */
type WaitingChange = { -readonly [K in keyof FoldedChange]: FoldedChange[K] };

/** The buffer of one watcher. */
export class PendingChanges {
  /** By arrival. */
  #changes: WaitingChange[] = [];
  /** Where the change of each place stands among them, once they are folded. */
  #places: Map<StockKey, number> | undefined;
  #position: LivePosition | undefined;
  /** The position was not taken yet. */
  #isMoved = false;
  #isOver = false;

  /** More places changed than may wait. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there is anything to take. */
  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  /** Where the watcher stands once it has taken everything; undefined: nowhere yet. */
  get position(): LivePosition | undefined {
    return this.#position;
  }

  /** Adds what came next; `position` is where it leads, where that is known. */
  add(changes: readonly InvChange[], position: LivePosition | undefined): void {
    this.#position = position;
    this.#isMoved = true;
    if (this.#isOver) return;
    for (const change of changes) this.#addOne(change);
    if ((this.#places?.size ?? 0) > PLACES_MAX) this.overflow();
  }

  /** Forgets everything: its stream has to end. */
  overflow(): void {
    this.#isOver = true;
    this.#changes = [];
    this.#places = undefined;
  }

  #addOne(change: InvChange): void {
    if (this.#places === undefined && this.#changes.length >= CHANGES_MAX) this.#fold();
    const at = this.#places?.get(change.key);
    const before = at === undefined ? undefined : this.#changes[at];
    if (before !== undefined) {
      before.change = change;
      before.folded++;
      return;
    }
    this.#places?.set(change.key, this.#changes.length);
    this.#changes.push({ change, folded: 0 });
  }

  #fold(): void {
    const latest = new Map<StockKey, WaitingChange>();
    for (const each of this.#changes) {
      const before = latest.get(each.change.key);
      if (before !== undefined) each.folded += before.folded + 1;
      latest.set(each.change.key, each);
    }
    this.#changes = [...latest.values()];
    this.#places = new Map(this.#changes.map(({ change }, i) => [change.key, i]));
  }

  /** Takes what is next, at most {@link TAKEN_MAX}; undefined: nothing is new. */
  take(): Taken | undefined {
    if (this.#changes.length === 0) return undefined;
    if (this.#changes.length <= TAKEN_MAX) {
      const changes = this.#changes;
      this.#changes = [];
      this.#places = undefined;
      return { changes, position: this.takePosition() };
    }
    const changes = this.#changes.slice(0, TAKEN_MAX);
    this.#changes = this.#changes.slice(TAKEN_MAX);
    if (this.#places !== undefined) this.#places = new Map(this.#changes.map(({ change }, i) => [change.key, i]));
    return { changes, position: undefined };
  }

  /** Takes everything, however much it is. */
  takeAll(): FoldedChange[] {
    const changes = this.#changes;
    this.#changes = [];
    this.#places = undefined;
    return changes;
  }

  /** The position, where it has moved since it was taken last and nothing waits. */
  takePosition(): LivePosition | undefined {
    if (!this.#isMoved || this.#changes.length > 0 || this.#isOver) return undefined;
    this.#isMoved = false;
    return this.#position;
  }
}
