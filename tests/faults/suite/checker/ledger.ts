/**
 * The ledger, place by place, and whether it is whole by itself: versions 1..n, each step the one before plus its
 * delta, nothing negative, and stock what the last step says.
 */
import { type PlaceKey, placeKey } from "./places.ts";
import type { MovementRow, StockRow, Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** What a goods stood at, at one location, after each of its versions; version 0: it did not exist. */
export interface GoodsLedger {
  readonly place: PlaceKey;
  /** By version, from 1 at index 0. */
  readonly movements: readonly MovementRow[];
  /** Available to sell, by version from 0, with what expired holds have reserved until somebody takes them off. */
  readonly available: readonly number[];
  /** The versions at which so much was available, ascending; without version 0. */
  readonly versionsOf: ReadonlyMap<number, readonly number[]>;
  /** Whether it was no longer sold, by version from 0. */
  readonly closed: readonly boolean[];
  /** Units that sales can't touch, from the version of its policy on; Infinity: it has none. */
  readonly safetyStock: number;
  readonly policyFrom: number;
  /** Units that one buyer may have, from then on. */
  readonly buyerNumMax: number;
}

/** The ledgers of all places that have moved; says what of them is not whole. */
export function readLedgers(tables: Tables, violations: Violations): Map<PlaceKey, GoodsLedger> {
  const ledgers = new Map<PlaceKey, GoodsLedger>();
  const stock = new Map(tables.stock.map((row) => [placeKey(row), row]));
  const byPlace = Map.groupBy(tables.movements, placeKey);
  for (const [place, movements] of byPlace) {
    movements.sort((a, b) => a.version - b.version);
    checkSteps(place, movements, violations);
    ledgers.set(place, ledgerOf(place, movements, stock.get(place)));
  }
  checkStock(tables, ledgers, violations);
  return ledgers;
}

function ledgerOf(place: PlaceKey, movements: readonly MovementRow[], row: StockRow | undefined): GoodsLedger {
  const policyFrom = movements.find(({ kind }) => kind === "policy")?.version ?? Infinity;
  const safetyStock = row?.safetyStock ?? 0;
  const available = [0];
  const closed = [false];
  const versionsOf = new Map<number, number[]>();
  for (const { version, kind, onHandAfter, reservedAfter } of movements) {
    const left = onHandAfter - reservedAfter - (version >= policyFrom ? safetyStock : 0);
    available.push(left);
    const opens = kind === "set" || kind === "restore";
    closed.push(kind === "delete" || (!opens && closed.at(-1) === true));
    const versions = versionsOf.get(left);
    if (versions === undefined) versionsOf.set(left, [version]);
    else versions.push(version);
  }
  const buyerNumMax = row?.buyerNumMax ?? Infinity;
  return { place, movements, available, versionsOf, closed, safetyStock, policyFrom, buyerNumMax };
}

/** What a movement of each kind may do: to what is on hand, and to what is reserved. */
const MAY: Readonly<Record<string, (onHand: number, reserved: number) => boolean>> = {
  set: (_, reserved) => reserved === 0,
  sell: (onHand, reserved) => onHand < 0 && reserved === 0,
  rollback: (onHand, reserved) => onHand > 0 && reserved === 0,
  give_back: (onHand, reserved) => onHand > 0 && reserved === 0,
  reserve: (onHand) => onHand === 0,
  extend: (onHand, reserved) => onHand === 0 && reserved === 0,
  // Of a live hold, of which some may not be sold; or after its time.
  confirm: (onHand, reserved) => onHand <= 0 && reserved <= onHand || (onHand < 0 && reserved === 0),
  release: (onHand, reserved) => onHand === 0 && reserved < 0,
  expire: (onHand, reserved) => onHand === 0 && reserved < 0,
  adjust: (onHand, reserved) => onHand !== 0 && reserved === 0,
  count: (_, reserved) => reserved === 0,
  transfer: (onHand, reserved) => onHand !== 0 && reserved === 0,
  policy: (onHand, reserved) => onHand === 0 && reserved === 0,
  delete: (onHand, reserved) => onHand === 0 && reserved === 0,
  restore: (onHand, reserved) => onHand === 0 && reserved === 0,
};
/** Kinds of movements that take for a buyer: not of what is no longer sold. */
const TAKES = new Set(["sell", "reserve"]);

function checkSteps(place: PlaceKey, movements: readonly MovementRow[], violations: Violations): void {
  let onHand = 0;
  let reserved = 0;
  let isClosed = false;
  for (const [i, movement] of movements.entries()) {
    const where = `goods ${place}, version ${movement.version}`;
    if (movement.version !== i + 1) violations.add(`${where}: expected version ${i + 1} there, none may be missing`);
    onHand += movement.onHandDelta;
    reserved += movement.reservedDelta;
    if (movement.onHandAfter !== onHand || movement.reservedAfter !== reserved) {
      violations.add(
        `${where}: ${movement.onHandAfter} on hand and ${movement.reservedAfter} reserved, ` +
          `its movements add up to ${onHand} and ${reserved}`,
      );
      onHand = movement.onHandAfter;
      reserved = movement.reservedAfter;
    }
    if (reserved < 0 || onHand < reserved) violations.add(`${where}: ${onHand} on hand of which ${reserved} reserved`);
    const { kind, onHandDelta, reservedDelta } = movement;
    if (MAY[kind]?.(onHandDelta, reservedDelta) !== true) {
      const also = reservedDelta === 0 ? "" : `, and ${reservedDelta} reserved`;
      violations.add(`${where}: a ${kind} of ${onHandDelta}${also}`);
    }
    if (isClosed && TAKES.has(kind)) violations.add(`${where}: a ${kind} of a goods that was no longer sold`);
    if (kind === "delete" && reserved > 0) violations.add(`${where}: no longer sold, though ${reserved} are reserved`);
    if (kind === "delete") isClosed = true;
    else if (kind === "restore" || kind === "set") isClosed = false;
  }
}

function checkStock(tables: Tables, ledgers: ReadonlyMap<PlaceKey, GoodsLedger>, violations: Violations): void {
  const seen = new Set<PlaceKey>();
  for (const row of tables.stock) {
    const { onHand, reserved, version, deleted = false } = row;
    const place = placeKey(row);
    seen.add(place);
    if (reserved < 0 || onHand < reserved) {
      violations.add(`goods ${place}: ${onHand} in stock of which ${reserved} reserved`);
    }
    const last = ledgers.get(place)?.movements.at(-1);
    if (last === undefined) violations.add(`goods ${place}: in stock without a movement`);
    else if (last.onHandAfter !== onHand || last.reservedAfter !== reserved || last.version !== version) {
      violations.add(
        `goods ${place}: stock has ${onHand} on hand, ${reserved} reserved, version ${version}; ` +
          `its last movement ${last.onHandAfter}, ${last.reservedAfter}, version ${last.version}`,
      );
    }
    if (deleted !== (ledgers.get(place)?.closed.at(-1) ?? false)) {
      violations.add(`goods ${place}: ${deleted ? "no longer sold" : "sold"}, which its movements do not say`);
    }
  }
  for (const place of ledgers.keys()) {
    if (!seen.has(place)) violations.add(`goods ${place}: movements without a row in stock`);
  }
}
