/** What came of the orders that callers saw acknowledged, by the ledger alone. */
import { check, readTables } from "../../faults/suite/checker/check.ts";
import type { Call } from "../../faults/suite/history.ts";
import { checkLedger } from "../../support/ledger_check.ts";

/** See the file. */
export interface Audit {
  /** Sales that were answered as such. */
  readonly acknowledged: number;
  /** Of these, and of rollbacks that were answered as such, those that the ledger does not have. */
  readonly lost: readonly string[];
  /** Orders that took units twice. */
  readonly doubled: readonly string[];
  /** What the checker of the fault suite finds in all calls and the tables. */
  readonly violations: readonly string[];
  /** What is not whole in the tables by themselves. */
  readonly ledger: readonly string[];
}

/** Reads the database of `ownerUrl`. To be called when no call is under way. */
export async function audit(calls: readonly Call[], ownerUrl: string): Promise<Audit> {
  const tables = await readTables(ownerUrl);
  const states = new Map(tables.orders.map(({ orderId, state }) => [orderId, state]));
  const answered = (kind: "sell" | "rollback") =>
    new Set(
      calls.flatMap(({ request, answer }) => request.kind === kind && answer.outcome === "ok" ? [request.orderId] : []),
    );
  const sold = answered("sell");
  const rolledBack = [...answered("rollback")].filter((orderId) => states.get(orderId) !== "rolled_back");
  const taken = Map.groupBy(
    tables.movements.filter(({ kind }) => kind === "sell"),
    ({ orderId, goodsId }) => `${orderId} of goods ${goodsId}`,
  );
  return {
    acknowledged: sold.size,
    lost: [...new Set([...[...sold].filter((orderId) => !states.has(orderId)), ...rolledBack])],
    doubled: [...taken].filter(([, movements]) => movements.length > 1).map(([words]) => words),
    violations: check({ calls }, tables),
    ledger: await checkLedger(ownerUrl),
  };
}
