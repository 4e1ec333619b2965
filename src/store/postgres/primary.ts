/**
 * Which of several hosts takes writes. No I/O but the looks that it is given.
 *
 *     unknown   --asked, and the pause is over--> searching
 *     unknown   --asked before that--> unknown: refused at once, with what the last search found
 *     searching --asked--> searching: one search serves all who ask
 *     searching --a host takes writes--> known
 *     searching --none does--> unknown
 *     known     --it could not be reached, or takes no writes--> unknown
 */
import { DatabaseUnavailableError, innermost } from "../errors.ts";

/** So many dials a second at most are spent on searches, while no host takes writes. */
export const DIALS_A_SECOND_MAX = 10;

/** What the search is given. */
export interface PrimarySearchOptions {
  /** Names of the hosts, for errors; one or more. */
  readonly hosts: readonly string[];
  /** Dials the host and asks; throws why it can't be asked, or why it takes no writes. */
  readonly look: (index: number) => Promise<void>;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
}

/** Knows the host that takes writes, or finds it. A single host is always the one. */
export class PrimarySearch {
  readonly #options: PrimarySearchOptions;
  #known: number | undefined;
  #searching: Promise<number> | undefined;
  #searchedAtMs = -Infinity;
  #failure: DatabaseUnavailableError | undefined;

  constructor(options: PrimarySearchOptions) {
    this.#options = options;
    if (options.hosts.length === 1) this.#known = 0;
  }

  /** The place of the host that takes writes. Throws DatabaseUnavailableError where none does. */
  async find(): Promise<number> {
    if (this.#known !== undefined) return this.#known;
    if (this.#searching !== undefined) return await this.#searching;
    const { hosts, nowMs } = this.#options;
    // Whole searches: a part of one finds nothing.
    const pauseMs = 1000 / Math.max(1, Math.floor(DIALS_A_SECOND_MAX / hosts.length));
    if (this.#failure !== undefined && nowMs() - this.#searchedAtMs < pauseMs) throw this.#failure;
    this.#searchedAtMs = nowMs();
    this.#searching = this.#search().finally(() => this.#searching = undefined);
    return await this.#searching;
  }

  /** Whether it is known that this one takes writes. */
  isKnown(index: number): boolean {
    return this.#known === index;
  }

  /** It was not so with this host just now. */
  forget(index: number): void {
    if (this.#options.hosts.length > 1 && this.#known === index) this.#known = undefined;
  }

  async #search(): Promise<number> {
    const { hosts, look } = this.#options;
    const reasons: string[] = [];
    const looks = hosts.map(async (host, index) => {
      try {
        await look(index);
        return index;
      } catch (error) {
        reasons[index] = `${host}: ${reasonOf(error)}`;
        throw error;
      }
    });
    try {
      // A host that does not answer delays nobody who looks for another.
      this.#known = await Promise.any(looks);
      this.#failure = undefined;
      return this.#known;
    } catch (error) {
      this.#failure = new DatabaseUnavailableError(`no host takes writes (${reasons.join("; ")})`, { cause: error });
      throw this.#failure;
    }
  }
}

/** The innermost reason, on one line. */
function reasonOf(error: unknown): string {
  const inner = innermost(error);
  const { code, message } = inner as { code?: string; message?: string };
  return String(message || code || inner).replace(/\s+/g, " ").slice(0, 160);
}
