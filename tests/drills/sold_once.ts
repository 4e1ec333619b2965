/** Whether a ledger says what callers were answered: every acknowledged order is there, once, and no other. */
import type { TestDatabase } from "../support/database.ts";
import { ownerOf } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import type { Line } from "./rolling/shoppers.ts";

/** Of violations of one kind so many are named. */
const NAMED_MAX = 5;

/** What is wrong, a sentence each; `stock`: units that were there before, in all. */
export async function soldOnce(
  { ownerUrl }: Pick<TestDatabase, "ownerUrl">,
  sold: ReadonlyMap<string, readonly Line[]>,
  stock: number,
): Promise<string[]> {
  await using owner = ownerOf(ownerUrl);
  const rows = await owner.sql<{ order_id: string }[]>`select order_id from orders where state = 'sold'`;
  const written = new Set(rows.map((row) => row.order_id));
  const lost = [...sold.keys()].filter((orderId) => !written.has(orderId));
  const unheardOf = [...written].filter((orderId) => !sold.has(orderId));
  const units = [...sold.values()].flat().reduce((sum, { num }) => sum + num, 0);
  const [left] = await owner.sql<{ num: number }[]>`select sum(on_hand)::int as num from levels`;
  const violations = await ledgerViolations(owner.sql);
  return [
    ...lost.slice(0, NAMED_MAX).map((orderId) => `${orderId} was acknowledged and is lost, of ${lost.length}`),
    ...unheardOf.slice(0, NAMED_MAX).map((orderId) => `${orderId} was sold and not answered, of ${unheardOf.length}`),
    ...(left?.num === stock - units ? [] : [`${left?.num} units are left of ${stock}, and ${units} were sold`]),
    ...violations.slice(0, NAMED_MAX).map((violation) => `${violation}, of ${violations.length}`),
  ];
}
