/**
 * Every set that is there was asked for and not refused, and says what its movement says. Sets have no id of a
 * caller's.
 */
import { type AskedFor, setKey } from "./asked.ts";
import type { Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Says which sets break a rule. */
export function checkSets(tables: Tables, { sets }: AskedFor, violations: Violations): void {
  const records = new Map(tables.operations.filter(({ kind }) => kind === "set").map((row) => [row.operationId, row]));
  const counts = new Map<string, number>();
  for (const { goodsId, version, kind, operationId, onHandAfter, reservedAfter } of tables.movements) {
    const where = `goods ${goodsId}, version ${version}`;
    if (kind !== "set") continue;
    const num = onHandAfter - reservedAfter;
    const [line, ...more] = records.get(operationId ?? "")?.lines ?? [];
    if (line?.goodsId !== goodsId || line.num !== num || more.length > 0) {
      violations.add(`${where}: set to ${num}, recorded as ${line?.num ?? "nothing"}`);
    }
    records.delete(operationId ?? "");
    const key = setKey({ goodsId, num });
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const asked = sets.get(key);
    if (asked === undefined) violations.add(`${where}: set to ${num}, which nobody asked for`);
    else if (count > asked.open.length) {
      violations.add(
        `${where}: set to ${num} for the ${count}. time, ${asked.open.length} such calls were not refused`,
      );
    }
  }
  for (const operationId of records.keys()) violations.add(`set ${operationId}: recorded without a movement`);
}
