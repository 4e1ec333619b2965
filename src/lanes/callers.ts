/** Whose operations are whose: when a caller leaves, those of his that have not begun end. */
import type { Entry } from "./entry.ts";

/** The operations under way by their callers' signals. */
export class Callers {
  readonly #entries = new WeakMap<AbortSignal, Set<Entry>>();
  readonly #left: (ended: readonly Entry[]) => void;

  /** `left` is told which operations ended with their caller. */
  constructor(left: (ended: readonly Entry[]) => void) {
    this.#left = left;
  }

  /** Those of one caller; whoever adds an operation takes it out when it has ended. */
  of(signal: AbortSignal): Set<Entry> {
    const known = this.#entries.get(signal);
    if (known !== undefined) return known;
    const entries = new Set<Entry>();
    this.#entries.set(signal, entries);
    // One listener for all: adding one for each of many operations took a seventh of the time.
    signal.addEventListener("abort", () => this.#left([...entries].filter((entry) => entry.leave())), { once: true });
    return entries;
  }
}
