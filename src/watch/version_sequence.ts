/**
 * Movements in the sequence in which watchers get them: those of each place by version, each once and none left out.
 * Versions of a place run without a gap, so what is missing is seen by the first that stands behind it. Pure.
 *
 * Remembers up to which version each place was given, of the places that moved last.
 */
import { Recent } from "../base/recent.ts";
import { keyOf, type Place, type StockKey } from "../inventory/stock_key.ts";
import type { VersionRange } from "../store/statements/tail_versions.ts";

/** Places that are remembered: some 10 MB. */
const PLACES_MAX = 100_000;
/** Versions that are looked at, at a time, before a row of a place that is not remembered which came late itself. */
const LOOK_BACK = 100;

/** A movement, by what it is sorted. */
type Versioned = Place & { readonly version: number };

/** What is missing before rows that came. */
export interface Missing {
  /** Versions between what was given and what came. */
  readonly between: readonly VersionRange[];
  /** Versions before the first that came of a place that is not remembered: they may have been given, or are old. */
  readonly before: readonly VersionRange[];
}

/** Of one tailer. */
export class VersionSequence {
  readonly #last: Recent<StockKey, number>;
  readonly #max: number;
  #hasForgotten = false;

  /** @param max places that are remembered */
  constructor(max = PLACES_MAX) {
    this.#max = max;
    this.#last = new Recent(max);
  }

  /** Whether places that were given may be remembered no more. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  /** Up to which version the place was given; undefined: that is not remembered. */
  given(place: Place): number | undefined {
    return this.#last.get(keyOf(place));
  }

  /** What of it was not given yet, each once. */
  newOf<R extends Versioned>(rows: readonly R[]): R[] {
    const seen = new Map<StockKey, Set<number>>();
    return rows.filter((row) => {
      if (row.version <= (this.given(row) ?? 0)) return false;
      const key = keyOf(row);
      const versions = seen.get(key) ?? new Set();
      seen.set(key, versions);
      const isFirst = !versions.has(row.version);
      versions.add(row.version);
      return isFirst;
    });
  }

  /**
   * What is missing before these rows. `looked`: places before whose first row nothing is missing; `late`: those whose
   * first row was missing itself.
   */
  missingOf(rows: readonly Versioned[], looked: ReadonlySet<StockKey>, late: ReadonlySet<StockKey>): Missing {
    const between: VersionRange[] = [];
    const before: VersionRange[] = [];
    for (const [key, ofPlace] of Map.groupBy(rows, keyOf)) {
      const { goodsId, locationId } = ofPlace[0]!;
      const versions = ofPlace.map(({ version }) => version).sort((a, b) => a - b);
      const first = versions[0]!;
      const given = this.given(ofPlace[0]!);
      let last = given ?? first - 1;
      for (const version of versions) {
        if (version > last + 1) between.push({ goodsId, locationId, from: last + 1, to: version - 1 });
        last = version;
      }
      if (given !== undefined || first === 1 || looked.has(key)) continue;
      before.push({
        goodsId,
        locationId,
        from: Math.max(1, first - (late.has(key) ? LOOK_BACK : 1)),
        to: first - 1,
      });
    }
    return { between, before };
  }

  /** These are given. */
  note(rows: readonly Versioned[]): void {
    for (const row of rows) {
      const key = keyOf(row);
      if (this.#last.size === this.#max && this.#last.get(key) === undefined) this.#hasForgotten = true;
      this.#last.set(key, row.version);
    }
  }
}

/**
 * The rows as they are, but those of each place by version: of the places in the list that these have, the first goes
 * to the lowest version. Times may run backwards from one version to the next where servers' clocks differ.
 */
export function inVersionOrder<R extends Versioned>(rows: readonly R[]): readonly R[] {
  const last = new Map<StockKey, number>();
  const isInOrder = rows.every((row) => {
    const key = keyOf(row);
    const isNext = row.version > (last.get(key) ?? 0);
    last.set(key, row.version);
    return isNext;
  });
  if (isInOrder) return rows;
  const byPlace = Map.groupBy(rows, keyOf);
  for (const ofPlace of byPlace.values()) ofPlace.sort((a, b) => b.version - a.version);
  return rows.map((row) => byPlace.get(keyOf(row))!.pop()!);
}
