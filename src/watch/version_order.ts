/** Movements in the sequence in which watchers get them. Pure. */
import { keyOf, type Place, type StockKey } from "../inventory/stock_key.ts";

/**
 * As they are, but those of each place by version: of the places that a row has had in the list, the first goes to the
 * lowest version. Times may run backwards from one version to the next where servers' clocks differ.
 */
export function inVersionOrder<R extends Place & { readonly version: number }>(rows: readonly R[]): readonly R[] {
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
