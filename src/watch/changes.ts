/** Changes of levels, made of the movements of one read of the tail. Pure. */
import { keyOf, type StockKey } from "../inventory/stock_key.ts";
import { available } from "../inventory/levels.ts";
import type { ListedLevel } from "../inventory/queries.ts";
import type { TailLevel, TailRow } from "../store/statements/tail_rows.ts";

/** One change: the movement, and where its place stands since. */
export interface InvChange {
  readonly key: StockKey;
  readonly movement: TailRow;
  readonly level: ListedLevel;
}

/**
 * A change for each of the rows, in their sequence; `levels` are of the moment of the read, or of a later one where it
 * takes several reads.
 *
 * Of the newest movement of a place the level is exactly the row of levels. Of an earlier one the numbers are the
 * ledger's, which does not say what the policy was: it is taken as it stands at the read, and whether the place is
 * deleted as its movements say it.
 */
export function changesOf(rows: readonly TailRow[], levels: readonly TailLevel[]): InvChange[] {
  const byKey = new Map(levels.map((level) => [keyOf(level), level]));
  const deletedAt = new Map<StockKey, number | undefined>();
  const changes: InvChange[] = [];
  // From the last one back: what the row of levels says is true of the newest movement.
  for (let i = rows.length - 1; i >= 0; i--) {
    const movement = rows[i]!;
    const key = keyOf(movement);
    const stands = byKey.get(key);
    if (!deletedAt.has(key)) deletedAt.set(key, deletedAtOf(movement, stands));
    const deletedAtMs = movement.kind === "delete" ? deletedAt.get(key) ?? movement.atMs : deletedAt.get(key);
    changes.push({ key, movement, level: levelAfter(movement, stands, deletedAtMs) });
    if (movement.kind === "delete") deletedAt.set(key, undefined);
  }
  return changes.reverse();
}

/** Whether the place was deleted after its newest row: not if that was done by a change which comes later. */
function deletedAtOf({ version, atMs }: TailRow, stands: TailLevel | undefined): number | undefined {
  if (stands?.deletedAtMs === undefined) return undefined;
  return stands.version === version || stands.deletedAtMs < atMs ? stands.deletedAtMs : undefined;
}

function levelAfter(movement: TailRow, stands: TailLevel | undefined, deletedAtMs: number | undefined): ListedLevel {
  const { goodsId, locationId, version, onHandAfter: onHand, reservedAfter: reserved, atMs } = movement;
  const { safetyStock = 0, backorderMax = 0, sku } = stands ?? {};
  const level = {
    goodsId,
    locationId,
    onHand,
    reserved,
    version,
    deleted: deletedAtMs !== undefined,
    ...(safetyStock === 0 ? {} : { policy: { safetyStock, backorderMax } }),
  };
  const num = available(level);
  return {
    ...level,
    ...(sku === undefined ? {} : { sku }),
    isLow: isLowAt(num, version, stands),
    isSoldOut: num + backorderMax <= 0,
    updatedAtMs: atMs,
    ...(deletedAtMs === undefined ? {} : { deletedAtMs }),
  };
}

/** Between the two numbers of its policy a place is as low as it was. */
function isLowAt(num: number, version: number, stands: TailLevel | undefined): boolean {
  if (stands === undefined) return false;
  const { isLow, lowStockAt, lowStockUntil } = stands;
  if (version === stands.version || lowStockAt === undefined || lowStockUntil === undefined) return isLow;
  return num <= lowStockAt || (num < lowStockUntil && isLow);
}
