/**
 * One sequence of all changes that agrees with every goods' own: a change of several goods comes at one place among the
 * changes of each of them, so following the ledgers from change to change must never lead back.
 */
import type { GoodsLedger } from "./ledger.ts";
import { type PlaceKey, placeKey } from "./places.ts";
import type { MovementRow } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Says so if there is none. */
export function checkOneSequence(ledgers: ReadonlyMap<PlaceKey, GoodsLedger>, violations: Violations): void {
  const next = new Map<string, Set<string>>();
  const before = new Map<string, number>();
  for (const { movements } of ledgers.values()) {
    let last: string | undefined;
    const times = new Map<string, number>();
    for (const movement of movements) {
      const change = changeOf(movement, times);
      if (!next.has(change)) next.set(change, new Set());
      if (last !== undefined && last !== change && !next.get(last)!.has(change)) {
        next.get(last)!.add(change);
        before.set(change, (before.get(change) ?? 0) + 1);
      }
      last = change;
    }
  }
  const ready = [...next.keys()].filter((change) => !before.has(change));
  let placed = 0;
  for (let change = ready.pop(); change !== undefined; change = ready.pop()) {
    placed++;
    for (const follower of next.get(change)!) {
      const left = before.get(follower)! - 1;
      before.set(follower, left);
      if (left === 0) ready.push(follower);
    }
  }
  if (placed === next.size) return;
  const circling = [...before].filter(([, left]) => left > 0).slice(0, 5).map(([change]) => change);
  violations.add(
    `no one sequence explains all goods: ${next.size - placed} changes come before themselves, ${circling}`,
  );
}

/** `times`: how often a place has seen each, for those that an order may see several times at one moment. */
function changeOf(movement: MovementRow, times: Map<string, number>): string {
  const { kind, orderId, operationId, atMs } = movement;
  if (kind === "sell") return `sell ${orderId}`;
  if (operationId !== null) return `${kind} ${operationId}`;
  // Lines of a hold expire one by one, when somebody looks.
  if (kind === "expire") return `expire ${orderId} ${placeKey(movement)} ${movement.version}`;
  const change = `${kind} ${orderId} ${atMs}`;
  const time = (times.get(change) ?? 0) + 1;
  times.set(change, time);
  return `${change} ${time}`;
}
