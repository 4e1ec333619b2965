/**
 * The rows of one list: read page by page as far as somebody looks, and kept up to date by changes.
 *
 * ListInv goes on from a token, so whoever jumps far down waits for the pages in between; what has been read stays.
 * Rows keep their places while they change, so that none moves away under a pointer; what is new, or would stand
 * elsewhere now, is counted, and a list that is made anew has it.
 */
import { type Backoff, backoffMs } from "../../base/backoff.ts";
import { fits } from "./fits.ts";
import { comesSorted, lastHasAll, type ListRequest, listRequests } from "./list_requests.ts";
import type { ListState } from "./list_state.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";
import { isMovedBy, sortedSlots } from "./row_order.ts";
import { RowStore } from "./row_store.ts";

/** Rows of the first page, which is to be there soon; of each page then; and of each where many are waited for. */
const PAGE_FIRST = 100;
const PAGE = 500;
const PAGE_FAR = 1000;
/** Rows that are read beyond those that are looked at, and from how many missing on pages are larger. */
const AHEAD = 2000;
const FAR = 5000;
const RETRY: Backoff = { leastMs: 200, firstMs: 1000, growth: 2, maxMs: 30_000 };
/** New rows that are counted. */
const NEWCOMERS_MAX = 1000;

/** One page as ListInv answers it. */
export interface ListPage {
  readonly rows: readonly Row[];
  /** Empty: that was the end. */
  readonly nextPageToken: string;
}

/** Rows that a list has. */
export interface ListTotal {
  readonly count: number;
  readonly isEstimate: boolean;
}

/** What lists are made with; both calls end with their signal. */
export interface ListCalls {
  page(request: ListRequest, page: { size: number; token: string }, signal: AbortSignal): Promise<ListPage>;
  /** How many rows there are; an estimate where they are too many to be counted in time. */
  count(request: ListRequest, signal: AbortSignal): Promise<ListTotal>;
  /** Ends after so many ms, or with the signal. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Whether a failed call may be made again, and is no mistake of ours. */
  mayRetry(error: unknown): boolean;
}

/** How far a list has got: nothing is here yet; there is more; all is here; as much as is kept; a call failed. */
export type ListStatus = "first" | "partly" | "whole" | "full" | "failed";

/** One list, from its first page until it is closed. */
export class GoodsList {
  readonly store: RowStore;
  readonly #ended = new AbortController();
  readonly #newcomers = new Set<RowKey>();
  #status: ListStatus = "first";
  #error: unknown;
  #total: ListTotal | undefined;
  #order: Int32Array | undefined;
  #isMoved = false;
  #wanted = 0;
  #wake: (() => void) | undefined;

  /**
   * `changed` is called after anything that is asked for here is another. `total` is taken for right until the server
   * has said how many rows there are: that of an earlier list of the same.
   */
  constructor(
    readonly state: ListState,
    nowMs: number,
    private readonly calls: ListCalls,
    private readonly changed: () => void,
    total?: ListTotal,
  ) {
    this.store = new RowStore();
    this.#total = total && { ...total, isEstimate: true };
    void this.#walk(listRequests(state, nowMs));
  }

  get status(): ListStatus {
    return this.#status;
  }

  /** Why the latest call failed, while it is tried again, or for good with the status `failed`. */
  get error(): unknown {
    return this.#error;
  }

  /** Rows that the table has to have, those that are not read yet included. */
  get count(): number {
    if (this.#status === "first") return 0;
    if (this.#status !== "partly") return this.store.count;
    return Math.min(this.store.rowsMax, Math.max(this.#total?.count ?? 0, this.store.count + 1));
  }

  /** Rows that the filters fit, as far as it is known. */
  get total(): ListTotal | undefined {
    return this.#status === "whole" ? { count: this.store.count, isEstimate: false } : this.#total;
  }

  /** Places that have come into being, or come to fit, since their page was read; {@link NEWCOMERS_MAX} at most. */
  get newcomers(): number {
    return this.#newcomers.size;
  }

  /** The quantity that the list is sorted by has changed somewhere since. */
  get isMoved(): boolean {
    return this.#isMoved;
  }

  /** The row that is shown at an index from 0 on; undefined: it is not read yet. */
  at(index: number): Row | undefined {
    return this.store.at(this.#order?.[index] ?? index);
  }

  /** Whether rows up to this index are here, or there are no more. */
  has(index: number): boolean {
    return this.#status === "partly" ? this.store.count >= index : this.#status !== "first";
  }

  /** Rows up to this index are looked at. */
  want(index: number): void {
    if (index <= this.#wanted) return;
    this.#wanted = index;
    this.#wake?.();
  }

  /** Rows as they stand since changes; answers the keys of those that are here and are newer. */
  apply(rows: Iterable<Row>): readonly RowKey[] {
    const changed: RowKey[] = [];
    for (const row of rows) {
      const key = keyOf(row);
      const before = this.store.at(this.store.slotOf(key) ?? -1);
      const merged = this.store.merge(row);
      if (merged === "changed" && this.#order !== undefined) this.#isMoved ||= isMovedBy(this.state.sort, before!, row);
      if (merged === "changed") changed.push(key);
      // Before its end is read nobody knows whether a place is new or yet to come.
      else if (merged === "unknown" && this.#status === "whole") this.#noteNewcomer(key, row);
    }
    return changed;
  }

  /** Nothing is read any more. */
  close(): void {
    this.#ended.abort();
    this.#wake?.();
  }

  #noteNewcomer(key: RowKey, row: Row): void {
    if (!fits(row, this.state)) this.#newcomers.delete(key);
    else if (this.#newcomers.size < NEWCOMERS_MAX) this.#newcomers.add(key);
  }

  async #walk(requests: readonly ListRequest[]): Promise<void> {
    try {
      const counted = this.#countTotal(requests.at(-1)!);
      for (const [i, request] of requests.entries()) {
        if (i > 0 && this.#isAllThere(await counted)) break;
        await this.#walkOne(request);
        if (this.store.isFull) break;
      }
      if (!comesSorted(this.state)) this.#order = sortedSlots(this.store, this.state.sort, this.state.isDescending);
      this.#status = this.store.isFull ? "full" : "whole";
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#error = error;
      this.#status = "failed";
    }
    this.changed();
  }

  async #walkOne(request: ListRequest): Promise<void> {
    let token = "";
    do {
      await this.#isWanted();
      const missing = this.#wanted - this.store.count;
      const size = this.store.count === 0 ? PAGE_FIRST : missing > FAR ? PAGE_FAR : PAGE;
      this.store.expectPage();
      const page = await this.#retried((signal) => this.calls.page(request, { size, token }, signal));
      if (!this.store.takePage(page.rows)) continue;
      token = page.nextPageToken;
      // A list that is sorted here is not shown in another sequence before.
      if (this.store.count > 0 && comesSorted(this.state)) this.#status = "partly";
      this.changed();
      if (token === "") return;
    } while (!this.store.isFull);
  }

  /** Waits until rows are looked at that are not here. What is sorted here is wanted whole. */
  async #isWanted(): Promise<void> {
    this.#ended.signal.throwIfAborted();
    while (comesSorted(this.state) && this.store.count > 0 && this.#wanted + AHEAD <= this.store.count) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#ended.signal.throwIfAborted();
    }
  }

  async #countTotal(request: ListRequest): Promise<ListTotal | undefined> {
    try {
      this.#total = await this.calls.count(request, this.#ended.signal);
      this.changed();
      return this.#total;
    } catch {
      // The table goes without: it grows as rows are read.
      return undefined;
    }
  }

  #isAllThere(total: ListTotal | undefined): boolean {
    return lastHasAll(this.state) && total?.isEstimate === false && total.count === this.store.count;
  }

  async #retried<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#ended;
    for (let failures = 1;; failures++) {
      try {
        const answer = await call(signal);
        this.#error = undefined;
        return answer;
      } catch (error) {
        if (signal.aborted || !this.calls.mayRetry(error)) throw error;
        this.#error = error;
        this.changed();
      }
      await this.calls.wait(backoffMs(RETRY, failures, Math.random()), signal);
    }
  }
}
