/** A row of the console's goods page. */
import type { Row } from "../../src/console/goods/row.ts";

/** Five units of a goods without a SKU, and what else is given. */
export function consoleRow(goodsId: number, rest: Partial<Row> = {}): Row {
  return {
    ...{ goodsId, locationId: 0, sku: "", num: 5, onHand: 5, reserved: 0, version: 1 },
    ...{ isLow: false, isSoldOut: false, updatedAtMs: 1_600_000_000_000, deletedAtMs: undefined },
    ...rest,
  };
}
