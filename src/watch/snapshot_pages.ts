/**
 * The snapshot that a stream of levels begins with: read page by page while changes go on, which are distinguished from
 * what the pages have.
 *
 * A change of a place that no page has had yet is left out, as the page that will have it is read later, and has it. A
 * change of a place that a page has had is left out where the page has that version or a later one. What a page had is
 * remembered until a read of the tail has begun after the page was answered: whatever comes with later ones is newer.
 */
import { keyOf, type StockKey } from "../inventory/stock_key.ts";
import type { LevelKey, LevelQuery, ListedLevel, Page } from "../inventory/queries.ts";
import type { InvChange } from "./changes.ts";
import type { FoldedChange } from "./events.ts";
import type { InvFilter } from "./filter.ts";

/** The pages of one snapshot, and which changes are newer. */
export class SnapshotPages {
  readonly query: LevelQuery;
  readonly #versions = new Map<StockKey, { readonly version: number; readonly readAt: number }>();
  /** Pages have had the places up to this one; undefined: none, or, once the end was read, all. */
  #upTo: LevelKey | undefined;
  #isBegun = false;
  #readAt = 0;
  #isComplete = false;

  constructor(filter: InvFilter) {
    this.query = {
      ...filter,
      deleted: "included",
      sort: filter.skuPrefix === undefined ? "goods" : "sku",
      isDescending: false,
    };
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Behind which key the next page begins. */
  get after(): LevelKey | undefined {
    return this.#upTo;
  }

  /** Places that are remembered. */
  get size(): number {
    return this.#versions.size;
  }

  /** Takes a page in that was answered when so many reads of the tail had begun. */
  add({ rows, next }: Page<ListedLevel, LevelKey>, readAt: number): void {
    for (const level of rows) this.#versions.set(keyOf(level), { version: level.version, readAt });
    this.#isBegun = true;
    this.#readAt = readAt;
    this.#upTo = next;
    this.#isComplete = next === undefined;
  }

  /** Whether the client is to get this change: it has the place, and as it was before. */
  isNewer(change: InvChange): boolean {
    return this.covers(change) && change.level.version > (this.#versions.get(change.key)?.version ?? 0);
  }

  /** The same change, standing only for those that the page did not have. */
  withoutHad({ change, folded }: FoldedChange): FoldedChange {
    const had = this.#versions.get(change.key)?.version ?? 0;
    return { change, folded: Math.min(folded, change.level.version - had - 1) };
  }

  /**
   * All that a read of the tail, the so many-th to begin, or one before it saw was taken in: what comes next is newer.
   */
  forgetBefore(begun: number): void {
    if (this.#versions.size === 0) return;
    for (const [key, { readAt }] of this.#versions) if (readAt < begun) this.#versions.delete(key);
  }

  /** Whether all of the pages were answered before that read began, so that whatever comes with later ones is newer. */
  isPassedBy(begun: number): boolean {
    return this.#isComplete && this.#readAt < begun;
  }

  /** Whether a page has had the place of this change. */
  covers({ level }: InvChange): boolean {
    if (this.#isComplete) return true;
    if (!this.#isBegun || this.#upTo === undefined) return false;
    const [first, locationId] = this.#upTo as [number | string, number];
    const behind = this.query.sort === "goods"
      ? compareKeys([level.goodsId, level.locationId], [first as number, locationId])
      : compareSkus(level.sku ?? "", first as string) || level.locationId - locationId;
    return behind <= 0;
  }
}

function compareKeys(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** As PostgreSQL's collation "C": by code points. JavaScript compares UTF-16, where those beyond U+FFFF are lower. */
export function compareSkus(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
