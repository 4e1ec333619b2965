/**
 * What a watcher saw is what the ledger says: of each place every version once and in sequence, folded ones counted,
 * with what stood after it, across all its streams; and in the end it has seen all that there was before it stopped.
 */
import type { SeenLevel, Watched } from "../history.ts";
import type { GoodsLedger } from "./ledger.ts";
import { type PlaceKey, placeKey } from "./places.ts";
import type { Violations } from "./violations.ts";

/** Says where what was watched is not the ledger. */
export function checkWatched(
  watched: readonly Watched[],
  ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
  violations: Violations,
): void {
  for (const each of watched) checkOne(each, ledgers, violations);
}

function checkOne(
  { name, isOfLedger, sights, due }: Watched,
  ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
  violations: Violations,
): void {
  /** The latest version of each place: that was seen, and that need not be seen again. */
  let versions = new Map<PlaceKey, number>();
  let kept = new Map<PlaceKey, number>();
  const look = (level: SeenLevel, isNow: boolean) => {
    const place = placeKey(level);
    const movement = ledgers.get(place)?.movements[level.version - 1];
    if (movement === undefined) {
      violations.add(`${name}: saw version ${level.version} of goods ${place}, which the ledger does not have`);
    } else if (movement.onHandAfter !== level.onHand || !isReserved(level.reserved, movement.reservedAfter, isNow)) {
      violations.add(
        `${name}: saw ${level.onHand} on hand and ${level.reserved} reserved at version ${level.version} of goods ` +
          `${place}, the ledger has ${movement.onHandAfter} and ${movement.reservedAfter}`,
      );
    }
    return place;
  };
  for (const sight of sights) {
    if (sight.sight === "token") kept = new Map(versions);
    else if (sight.sight === "begun") {
      if (sight.anew) kept = new Map();
      versions = new Map(kept);
    } else if (sight.sight === "snapshot") {
      for (const level of sight.levels) {
        const place = look(level, true);
        const before = versions.get(place) ?? 0;
        if (level.version < before) {
          violations.add(`${name}: a snapshot has version ${level.version} of goods ${place} after version ${before}`);
        }
        versions.set(place, level.version);
      }
    } else {
      for (const change of sight.changes) {
        const place = look(change, false);
        const before = versions.get(place) ?? 0;
        if (change.version !== before + 1 + change.folded) {
          violations.add(
            `${name}: version ${change.version} of goods ${place}, ${change.folded} folded, came after ${before}`,
          );
        }
        if (isOfLedger && change.folded > 0) {
          violations.add(`${name}: rows of the ledger of goods ${place} were folded`);
        }
        versions.set(place, change.version);
      }
    }
  }
  for (const { version, ...place } of due) {
    const last = versions.get(placeKey(place)) ?? 0;
    if (last < version) violations.add(`${name}: saw goods ${placeKey(place)} up to version ${last} of ${version}`);
  }
}

/** Of where a place stands now, what expired holds have is reserved no more, whether or not that is written down. */
function isReserved(seen: number, written: number, isNow: boolean): boolean {
  return isNow ? seen <= written : seen === written;
}
