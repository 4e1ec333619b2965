/**
 * Every level that a caller was answered is the ledger's at its version, and was current at some moment of the call.
 */
import type { AskedFor } from "./asked.ts";
import type { GoodsLedger } from "./ledger.ts";
import type { Times } from "./times.ts";
import type { Violations } from "./violations.ts";

/** Says which levels, answered to reads and sets, the ledger does not explain. */
export function checkLevels(
  ledgers: ReadonlyMap<number, GoodsLedger>,
  times: Times,
  asked: AskedFor,
  violations: Violations,
): void {
  for (const { calls } of [...asked.sets.values(), { calls: asked.details }]) {
    for (const { request, answer, invokedMs, answeredMs } of calls) {
      if (answer.outcome !== "ok") continue;
      const { kind, goodsId } = request;
      const { body } = answer;
      const version = Number(body.version);
      const what = `${kind} of goods ${goodsId} at ${invokedMs.toFixed(1)} ms`;
      const ledger = ledgers.get(goodsId);
      const movement = ledger?.movements[version - 1];
      if (ledger === undefined || movement === undefined) {
        violations.add(`${what}: answered version ${body.version}, which the ledger does not have`);
        continue;
      }
      const { onHandAfter, reservedAfter } = movement;
      const levels = [body.goodsId, body.num, body.onHand, body.reserved].map(Number).join(" ");
      const expected = [goodsId, onHandAfter - reservedAfter, onHandAfter, reservedAfter].join(" ");
      if (levels !== expected) {
        violations.add(
          `${what}: answered (goods, num, on hand, reserved) ${levels} at version ${version}, the ledger has ${expected}`,
        );
      }
      const { low, high } = times.window(goodsId, invokedMs, answeredMs);
      if (version < low || version > high) {
        violations.add(`${what}: answered version ${version}, at that time it was one of ${low} to ${high}`);
      } else if (request.kind === "set" && !stoodAt(ledger, request.num, low, version)) {
        violations.add(`${what}: set to ${request.num}, which it was at none of versions ${low} to ${version}`);
      }
    }
  }
}

/** Whether so much was available at a version from `low` to `high`. */
export function stoodAt({ versionsOf }: GoodsLedger, available: number, low: number, high: number): boolean {
  const versions = versionsOf.get(available) ?? [];
  let from = 0;
  let to = versions.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (versions[middle]! < low) from = middle + 1;
    else to = middle;
  }
  return versions[from] !== undefined && versions[from]! <= high;
}
