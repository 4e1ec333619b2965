/**
 * No change is older than the calls that can have made it. What was refused wrote nothing, so a change that was decided
 * before the first call was made that was not refused is one that a refused call has made.
 */
import { type AskedFor, operationKey } from "./asked.ts";
import type { Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Callers and the service read one clock, in whole ms. */
const CLOCK_MS = 5;

/**
 * Says which movements are too old. Those without an id by which to distinguish them, such as sets, are not looked at.
 */
export function checkMoments(tables: Tables, asked: AskedFor, violations: Violations): void {
  const { sells, rollbacks, reserves, extends_, confirms, releases, recorded } = asked;
  const keys = new Map(tables.operations.map((row) => [row.operationId, operationKey(row)]));
  const reported = new Set<string>();
  for (const { kind, orderId, operationId, atMs } of tables.movements) {
    const ofOrder = { sell: sells, reserve: reserves, extend: extends_, confirm: confirms, release: releases }[kind];
    const isSell = ofOrder !== undefined;
    const asked = ofOrder?.get(orderId ?? "") ?? recorded.get(operationId ?? "") ??
      rollbacks.get(keys.get(operationId ?? "") ?? "");
    // None of them: that is reported elsewhere.
    if (asked === undefined || asked.open.length === 0 || atMs >= asked.bornWallMs - CLOCK_MS) continue;
    const what = isSell ? `order ${orderId}` : `${kind === "give_back" ? "rollback" : kind} ${operationId}`;
    if (reported.has(what)) continue;
    reported.add(what);
    violations.add(
      `${what}: made ${Math.round(asked.bornWallMs - atMs)} ms before the first call that was not refused; ` +
        `${asked.calls.length - asked.open.length} calls were`,
    );
  }
}
