/** Pages of movements in the sequence in which watchers get them: by version for each place, and none left out. */
import { keyOf, type StockKey } from "../inventory/stock_key.ts";
import type { TailLevel, TailRead, TailRow } from "../store/statements/tail_rows.ts";
import type { VersionRange } from "../store/statements/tail_versions.ts";
import { inVersionOrder, type VersionSequence } from "./version_sequence.ts";

/** Rows that one read of missing versions answers at most. */
const ROWS_MAX = 2000;
/** Reads that look for what is missing before one page. */
const READS_MAX = 20;

/** What pages are sorted with. */
export interface OrderingParts {
  /** What was given before. */
  readonly sequence: VersionSequence;
  readonly versions: (ranges: readonly VersionRange[], limit: number, signal: AbortSignal) => Promise<TailRead>;
  /** Whether a movement of a place that is not remembered, before the first one that came, is to be given as well. */
  readonly isDue: (row: TailRow) => boolean;
}

/** Rows of a page, with what was missing before them, and where all of their places stand. */
export interface OrderedPage {
  readonly rows: readonly TailRow[];
  readonly levels: readonly TailLevel[];
}

/**
 * What of a page was not given yet, with levels of the moment of the page: what is missing is read later, when levels
 * may be those of changes that come with the next page. Throws the errors of the reads; then nothing counts as given.
 */
export async function inOrder(
  page: Pick<TailRead, "rows" | "levels">,
  { sequence, versions, isDue }: OrderingParts,
  signal: AbortSignal,
): Promise<OrderedPage> {
  let rows = sequence.newOf(page.rows);
  /** Places before whose first row nothing is due; and those where something was, so that more may be. */
  const looked = new Set<StockKey>();
  const late = new Set<StockKey>();
  for (let reads = 0; reads < READS_MAX; reads++) {
    const { between, before } = sequence.missingOf(rows, looked, late);
    if (between.length + before.length === 0) break;
    const found = await versions([...between, ...before], ROWS_MAX, signal);
    const asked = new Set(before.map(keyOf));
    const due = found.rows.filter((row) => !asked.has(keyOf(row)) || isDue(row));
    const dueKeys = new Set(due.map(keyOf));
    for (const key of dueKeys) late.add(key);
    for (const key of answeredOf(before, found.rows)) if (!dueKeys.has(key)) looked.add(key);
    const countBefore = rows.length;
    rows = sequence.newOf([...due, ...rows]);
    // Somebody has taken rows out of the ledger: there is nothing to wait for.
    if (rows.length === countBefore && before.length === 0) break;
  }
  const sorted = inVersionOrder(rows);
  sequence.note(sorted);
  return { rows: sorted, levels: page.levels };
}

/** Places of whose range all came that is there. */
function answeredOf(ranges: readonly VersionRange[], rows: readonly TailRow[]): StockKey[] {
  if (rows.length < ROWS_MAX) return ranges.map(keyOf);
  const byPlace = Map.groupBy(rows, keyOf);
  const isWhole = (range: VersionRange) => {
    const came = byPlace.get(keyOf(range))?.filter(({ version }) => version >= range.from && version <= range.to);
    return came?.length === range.to - range.from + 1;
  };
  return ranges.filter(isWhole).map(keyOf);
}
