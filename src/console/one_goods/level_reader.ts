/** Reads as much of a place's ledger as a chart needs, newest first and page by page, up to a bound. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { type QueryService, TimeSort } from "../../gen/inventory/v1/query_pb.ts";
import { type LevelStep, STEPS_MAX, withRows } from "./level_over_time.ts";

const PAGE_ROWS = 1000;

/** What is read by. */
export type Ledger = Pick<Client<typeof QueryService>, "listMovements">;

/** What was read so far. Steps are kept from reading to reading, and only what is missing is read. */
export class LevelReader {
  readonly #ledger: Ledger;
  readonly #place: { readonly goodsId: number; readonly locationId: number };
  /** Oldest first, by version without a gap. */
  steps: readonly LevelStep[] = [];
  /** Where older rows go on; empty: there are none, undefined: nothing was read. */
  #older: string | undefined;

  constructor(ledger: Ledger, place: { readonly goodsId: number; readonly locationId: number }) {
    this.#ledger = ledger;
    this.#place = place;
  }

  /** Rows beyond the oldest step are there, and were not read. */
  get hasOlder(): boolean {
    return this.#older !== "";
  }

  /**
   * Reads what is new, and then what is older back to `fromMs` (ms since 1970), or to the bound.
   *
   * @param onPage is called after each page, to draw what there is
   * @throws ConnectError
   */
  async read(fromMs: number, signal: AbortSignal, onPage: () => void): Promise<void> {
    await this.#readNew(signal);
    onPage();
    while (this.hasOlder && this.steps.length < STEPS_MAX && (this.steps[0]?.atMs ?? Infinity) > fromMs) {
      const { movements, nextPageToken } = await this.#page(this.#older ?? "", signal);
      this.#older = nextPageToken;
      this.steps = withRows(this.steps, movements);
      onPage();
    }
  }

  /** From the newest on down to what is known; where that is too far away, all begins anew. */
  async #readNew(signal: AbortSignal): Promise<void> {
    const known = this.steps.at(-1)?.version ?? 0;
    const { movements, nextPageToken } = await this.#page("", signal);
    const oldest = Number(movements.at(-1)?.version ?? 0);
    const meets = known > 0 && oldest <= known + 1;
    this.steps = withRows(meets ? this.steps : [], movements);
    if (!meets) this.#older = nextPageToken;
  }

  #page(pageToken: string, signal: AbortSignal) {
    const request = { ...this.#place, sort: TimeSort.NEWEST_FIRST, pageSize: PAGE_ROWS, pageToken };
    return this.#ledger.listMovements(request, { signal });
  }
}

/** When a row was written down, in ms since 1970. */
export function writtenMs({ at }: { readonly at?: Parameters<typeof timestampMs>[0] | undefined }): number {
  return at === undefined ? 0 : timestampMs(at);
}
