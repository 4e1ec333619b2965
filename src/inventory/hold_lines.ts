/** Which lines of live holds begin and end with changed orders. Pure. */
import type { HoldLine, Order } from "./model.ts";
import { comparePlaces, keyOf } from "./stock_key.ts";
import { stateAt } from "./states.ts";

/**
 * The lines that are held from now on, and those that are no more, by place and order id; what is held until the same
 * moment as before is only among the first. Of a hold whose time is up nothing is: that is off the levels already.
 */
export function heldLinesOf(
  orders: readonly { readonly before: Order | undefined; readonly after: Order }[],
  atMs: number,
): { readonly held: readonly HoldLine[]; readonly ended: readonly HoldLine[] } {
  const held: HoldLine[] = [];
  const ended: HoldLine[] = [];
  for (const { before, after } of orders) {
    // Most never were a hold.
    if (before?.expiresAtMs === undefined && after.expiresAtMs === undefined) continue;
    const now = linesOf(after, atMs);
    const names = new Set(now.map(nameOf));
    held.push(...now);
    ended.push(...linesOf(before, atMs).filter((line) => !names.has(nameOf(line))));
  }
  return { held: held.sort(compare), ended: ended.sort(compare) };
}

function linesOf(order: Order | undefined, atMs: number): HoldLine[] {
  if (order?.expiresAtMs === undefined || stateAt(order, atMs) !== "held") return [];
  const { orderId, expiresAtMs } = order;
  return order.lines.filter(({ num }) => num > 0).map((line) => ({ ...line, orderId, expiresAtMs }));
}

function nameOf(line: HoldLine): string {
  return `${keyOf(line)} ${line.expiresAtMs}`;
}

function compare(a: HoldLine, b: HoldLine): number {
  return comparePlaces(a, b) || (a.orderId < b.orderId ? -1 : 1);
}
