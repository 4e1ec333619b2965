/**
 * No change is older than the calls that can have made it. What was refused wrote nothing, so a change that was decided
 * before the first call was made that was not refused is one that a refused call has made.
 */
import { type AskedFor, operationKey } from "./asked.ts";
import type { Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Callers and the service read one clock, in whole ms. */
const CLOCK_MS = 5;

/** Says which movements are too old. Sets are not looked at: they have no id by which to distinguish them. */
export function checkMoments(tables: Tables, { sells, rollbacks }: AskedFor, violations: Violations): void {
  const keys = new Map(tables.operations.map((row) => [row.operationId, operationKey(row)]));
  const reported = new Set<string>();
  for (const { kind, orderId, operationId, atMs } of tables.movements) {
    if (kind === "set") continue;
    const isSell = kind === "sell";
    const asked = isSell ? sells.get(orderId ?? "") : rollbacks.get(keys.get(operationId ?? "") ?? "");
    // None of them: that is reported elsewhere.
    if (asked === undefined || asked.open.length === 0 || atMs >= asked.bornWallMs - CLOCK_MS) continue;
    const what = isSell ? `order ${orderId}` : `rollback ${operationId}`;
    if (reported.has(what)) continue;
    reported.add(what);
    violations.add(
      `${what}: made ${Math.round(asked.bornWallMs - atMs)} ms before the first call that was not refused; ` +
        `${asked.calls.length - asked.open.length} calls were`,
    );
  }
}
