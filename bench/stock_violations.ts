/**
 * Whether the tables came to have what callers were answered: as many orders, units and movements as were acknowledged.
 * Checked after every measurement; the whole ledger of every database is checked at the end of a run. Pure.
 */

/** What is in a database. */
export interface StockTotals {
  readonly orders: number;
  /** Units on hand, of all goods. */
  readonly units: number;
  /** Versions of all goods, which is their movements. */
  readonly movements: number;
}

/** What callers know of their sales; each line is of one unit. */
export interface Acknowledged {
  readonly orders: number;
  readonly units: number;
  /** Orders that may have been sold, and the units of each at most. */
  readonly unknownOrders: number;
  readonly unitsPerOrderMax: number;
}

/**
 * What does not add up between two countings, a sentence each; none if everything does.
 *
 * `hasMovements`: each unit that leaves is one movement.
 */
export function stockViolations(
  before: StockTotals,
  after: StockTotals,
  { orders, units, unknownOrders, unitsPerOrderMax }: Acknowledged,
  hasMovements: boolean,
): string[] {
  const left = before.units - after.units;
  const came = after.orders - before.orders;
  const moved = after.movements - before.movements;
  const unitsMax = units + unknownOrders * unitsPerOrderMax;
  return [
    ...(left < units || left > unitsMax ? [`${left} units left the stock, ${units} to ${unitsMax} were sold`] : []),
    ...(came < orders || came > orders + unknownOrders
      ? [`${came} orders came, ${orders} to ${orders + unknownOrders} were acknowledged`]
      : []),
    ...(hasMovements && moved !== left ? [`${moved} movements for ${left} units`] : []),
  ];
}
