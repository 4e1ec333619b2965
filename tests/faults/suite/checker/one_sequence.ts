/**
 * One sequence of all changes that agrees with every goods' own: a change of several goods comes at one place among the
 * changes of each of them, so following the ledgers from change to change must never lead back.
 */
import type { GoodsLedger } from "./ledger.ts";
import type { MovementRow } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Says so if there is none. */
export function checkOneSequence(ledgers: ReadonlyMap<number, GoodsLedger>, violations: Violations): void {
  const next = new Map<string, Set<string>>();
  const before = new Map<string, number>();
  for (const { movements } of ledgers.values()) {
    let last: string | undefined;
    for (const movement of movements) {
      const change = changeOf(movement);
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

function changeOf({ kind, orderId, operationId }: MovementRow): string {
  return kind === "sell" ? `sell ${orderId}` : `${kind} ${operationId}`;
}
