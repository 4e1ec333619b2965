/**
 * Which of several hosts takes writes, or whether the only one does. No I/O but the looks that it is given.
 *
 *     unknown   --asked, and the pause is over--> searching
 *     unknown   --asked before that--> unknown: refused at once, with what the last search found
 *     searching --asked--> searching: one search serves all who ask, each for a bounded time; where the one before it
 *                          failed, they are refused at once with what that one found
 *     searching --a host takes writes--> known
 *     searching --none does--> unknown
 *     known     --it could not be reached, or takes no writes--> unknown
 *     known     --a connection to it ended--> doubted: as known for connections that are there, as unknown for new ones
 *     doubted   --asked--> searching
 *
 * The only host is dialled whatever is known of it, so of that one nothing but doubt is left where another would be
 * unknown.
 */
import { settled } from "../../base/bounded_wait.ts";
import { DatabaseUnavailableError, innermost, ReadOnlyServerError } from "../errors.ts";

/** So many dials a second at most, while no host takes writes. */
export const DIALS_A_SECOND_MAX = 10;
/** Of these searches have so many. The others are left to connections that were just being made. */
const SEARCH_DIALS_A_SECOND_MAX = 8;
/**
 * Longest that one who asks waits for a search, in ms, but for the first of all; and that a search waits for one of
 * several hosts, as another may take its place meanwhile. Who answers later is heard all the same.
 */
const ANSWER_MS_MAX = 750;

/** What the search is given. */
export interface PrimarySearchOptions {
  /** Names of the hosts, for errors; one or more. */
  readonly hosts: readonly string[];
  /** Dials the host and asks; throws why it can't be asked, or why it takes no writes. */
  readonly look: (index: number) => Promise<void>;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
  /** Instead of ANSWER_MS_MAX; for tests. */
  readonly answerMsMax?: number;
}

/** Knows the host that takes writes, or finds it. */
export class PrimarySearch {
  readonly #options: PrimarySearchOptions;
  readonly #answerMsMax: number;
  #known: number | undefined;
  #isDoubted = false;
  #searching: Promise<number> | undefined;
  #searchedAtMs = -Infinity;
  #failure: DatabaseUnavailableError | undefined;
  #wasKnown = false;
  /** Looks under way, by host: none is dialled twice at a time. */
  readonly #looks = new Map<number, Promise<void>>();

  constructor(options: PrimarySearchOptions) {
    this.#options = options;
    this.#answerMsMax = options.answerMsMax ?? ANSWER_MS_MAX;
    if (options.hosts.length > 1) return;
    this.#known = 0;
    this.#isDoubted = true;
  }

  /** The place of the host that takes writes. Throws DatabaseUnavailableError where none does. */
  async find(): Promise<number> {
    if (this.#searching !== undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      return await this.#bounded(this.#searching);
    }
    if (this.#known !== undefined && !this.#isDoubted) return this.#known;
    const { hosts, nowMs } = this.#options;
    // Whole searches: a part of one finds nothing.
    const pauseMs = 1000 / Math.max(1, Math.floor(SEARCH_DIALS_A_SECOND_MAX / hosts.length));
    if (this.#failure !== undefined && nowMs() - this.#searchedAtMs < pauseMs) throw this.#failure;
    this.#searchedAtMs = nowMs();
    this.#searching = this.#search().finally(() => this.#searching = undefined);
    return await this.#bounded(this.#searching);
  }

  /** Whether it is known that this one takes writes. */
  isKnown(index: number): boolean {
    return this.#known === index;
  }

  /** A connection to this host ended: what was true of it may not be so any more. */
  doubt(index: number): void {
    if (this.#known === index) this.#isDoubted = true;
  }

  /** This host could not be worked with just now. */
  forget(index: number): void {
    this.doubt(index);
    if (this.#options.hosts.length > 1 && this.#known === index) this.#known = undefined;
  }

  async #bounded(search: Promise<number>): Promise<number> {
    if (!this.#wasKnown || await settled(search, this.#answerMsMax)) return await search;
    throw this.#failure ?? this.#noAnswer();
  }

  #noAnswer(): DatabaseUnavailableError {
    return new DatabaseUnavailableError(`no answer within ${this.#answerMsMax} ms`);
  }

  #lookAt(index: number): Promise<void> {
    const underWay = this.#looks.get(index);
    if (underWay !== undefined) return underWay;
    const look = this.#options.look(index).then(() => {
      this.#wasKnown = true;
      // One that was not waited for so long.
      if (this.#known !== undefined) return;
      this.#known = index;
      this.#isDoubted = false;
      this.#failure = undefined;
    }).finally(() => this.#looks.delete(index));
    this.#looks.set(index, look);
    return look;
  }

  async #search(): Promise<number> {
    const { hosts } = this.#options;
    const failures: unknown[] = [];
    const looks = hosts.map(async (_, index) => {
      try {
        const looking = this.#lookAt(index);
        if (hosts.length > 1 && !await settled(looking, this.#answerMsMax)) throw this.#noAnswer();
        await looking;
        return index;
      } catch (error) {
        failures[index] = error;
        throw error;
      }
    });
    // What ends from here on is not what is looked at.
    this.#isDoubted = false;
    try {
      // A host that does not answer delays nobody who looks for another.
      const index = await Promise.any(looks);
      this.#known = index;
      this.#failure = undefined;
      return index;
    } catch (error) {
      this.#known = hosts.length > 1 ? undefined : 0;
      this.#isDoubted = true;
      this.#failure = this.#failureOf(failures, error);
      throw this.#failure;
    }
  }

  #failureOf(failures: readonly unknown[], error: unknown): DatabaseUnavailableError {
    const { hosts } = this.#options;
    const [only] = failures;
    if (hosts.length === 1 && only instanceof DatabaseUnavailableError) return only;
    const reasons = hosts.map((host, index) => `${host}: ${reasonOf(failures[index])}`);
    // Where one can't be asked, it may be that one which takes writes.
    const kind = failures.every((failure) => failure instanceof ReadOnlyServerError)
      ? ReadOnlyServerError
      : DatabaseUnavailableError;
    return new kind(`no host takes writes (${reasons.join("; ")})`, { cause: error });
  }
}

/** The innermost reason, on one line. */
function reasonOf(error: unknown): string {
  const inner = innermost(error);
  const { code, message } = inner as { code?: string; message?: string };
  return String(message || code || inner).replace(/\s+/g, " ").slice(0, 160);
}
