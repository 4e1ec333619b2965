/** What is wrong, a sentence each, as many as anybody reads. */

/** Sentences that are kept; further ones are counted. */
export const VIOLATIONS_MAX = 50;

/** Collects sentences. */
export class Violations {
  readonly #kept: string[] = [];
  #more = 0;

  /** Adds a sentence. */
  add(sentence: string): void {
    if (this.#kept.length < VIOLATIONS_MAX) this.#kept.push(sentence);
    else this.#more++;
  }

  /** The sentences that were kept and, where there were more, how many. */
  list(): string[] {
    return this.#more === 0 ? this.#kept : [...this.#kept, `and ${this.#more} more`];
  }
}
