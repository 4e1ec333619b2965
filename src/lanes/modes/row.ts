/**
 * Mode `row`, the article's pessimistic one: PostgreSQL locks the rows of a batch, from before its read to its commit.
 */
import { type Guard, GuardsWithoutLeases } from "./mode.ts";

/**
 * Rows are locked. It may go beside whoever has leases on the goods, as batches of mode `redlock` do that can't have
 * them: the fence of the writes keeps all of them right.
 */
export const ROW_LOCKS: Guard = {
  rowLocks: true,
  extend: () => Promise.resolve(true),
  remainingMs: () => Infinity,
};

/** Guards of a process in mode `row`. */
export class RowGuards extends GuardsWithoutLeases {
  constructor() {
    super(ROW_LOCKS);
  }
}
