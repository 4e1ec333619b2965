/**
 * Whether the tables came to have what callers were answered: as many orders, operations, units and movements as were
 * acknowledged. Checked after every measurement; the whole ledger of every database is checked at the end of a run.
 * Pure.
 */
import type { StockOperation } from "./load/protocol.ts";

/** What is in a database. */
export interface StockTotals {
  readonly orders: number;
  /** What has a record of its own beside orders. */
  readonly operations: number;
  /** Units on hand, of all goods. */
  readonly units: number;
  /** Units that holds have, of all goods: live ones, and those that are over and that nobody has met since. */
  readonly reserved: number;
  /** Versions of all goods, which is their movements. */
  readonly movements: number;
}

/** What callers know of their calls; each line is of one unit. */
export interface Acknowledged {
  readonly orders: number;
  readonly operations: number;
  readonly units: number;
  /** Units that were reserved and not confirmed. */
  readonly reserved: number;
  /** Orders, or operations, that may have been applied, and the units of each at most. */
  readonly unknown: number;
  readonly unitsPerOrderMax: number;
}

/** What was done to the stock. */
export interface Done {
  /** Undefined: the article's sales, which leave neither orders nor movements. */
  readonly operation: StockOperation | undefined;
  /** Holds of a unit each whose time was up meanwhile, and that are gone. */
  readonly ended: number;
}

/** What does not add up between two countings, a sentence each; none if everything does. */
export function stockViolations(
  before: StockTotals,
  after: StockTotals,
  { orders, operations, units, reserved, unknown, unitsPerOrderMax }: Acknowledged,
  { operation, ended }: Done,
): string[] {
  const left = before.units - after.units;
  const kept = after.reserved - before.reserved;
  const moved = after.movements - before.movements;
  const [unknownOrders, unknownOperations] = operation === "adjust" ? [0, unknown] : [unknown, 0];
  const unknownUnits = unknown * unitsPerOrderMax;
  // A reserve that was lost may have come, and a confirmation that was lost has taken off what its reserve put there.
  const unknownKept = operation === "reserve_confirm" ? unknownUnits : 0;
  return [
    ...outside(left, units, units + unknownUnits, "units left the stock", "sold"),
    ...outside(after.orders - before.orders, orders, orders + unknownOrders, "orders came", "acknowledged"),
    ...outside(
      after.operations - before.operations,
      operations,
      operations + unknownOperations,
      "operations came",
      "acknowledged",
    ),
    ...outside(
      kept,
      reserved - ended - unknownKept,
      reserved - ended + unknownKept,
      "more units are reserved",
      "expected",
    ),
    ...(operation === undefined || moved === movementsOf(operation, { left, kept })
      ? []
      : [`${moved} movements for ${left} units${kept === 0 ? "" : `, and ${kept} more reserved`}`]),
  ];
}

function outside(value: number, min: number, max: number, what: string, expected: string): string[] {
  return min <= value && value <= max ? [] : [`${value} ${what}, ${min} to ${max} were ${expected}`];
}

/** Movements of so many units that left, with so many more reserved than before. */
function movementsOf(
  operation: StockOperation,
  { left, kept }: { readonly left: number; readonly kept: number },
): number {
  switch (operation) {
    // One a unit, and one a hold that ended and took a unit off what is reserved.
    case "sell":
      return left - kept;
    // Two a unit, and one a unit that is reserved still.
    case "reserve_confirm":
      return 2 * left + kept;
    case "adjust":
      return left;
  }
}
