/**
 * Every level that a caller was answered is the ledger's at its version, and was current at some moment of the call.
 */
import { momentsOf } from "./availability.ts";
import type { Explanations } from "./explanations.ts";
import { freedAt } from "./hold_spans.ts";
import type { GoodsLedger } from "./ledger.ts";
import { placeKey } from "./places.ts";
import type { Violations } from "./violations.ts";

/** Says which levels, answered to reads and sets, the ledger does not explain. */
export function checkLevels(
  { ledgers, spans, times, asked }: Explanations,
  violations: Violations,
): void {
  for (const { calls } of [...asked.sets.values(), { calls: asked.details }]) {
    for (const call of calls) {
      const { request, answer, invokedMs, answeredMs } = call;
      if (answer.outcome !== "ok") continue;
      const { kind } = request;
      const place = placeKey(request);
      const { body } = answer;
      const version = Number(body.version);
      const what = `${kind} of goods ${place} at ${invokedMs.toFixed(1)} ms`;
      const ledger = ledgers.get(place);
      const movement = ledger?.movements[version - 1];
      if (ledger === undefined || movement === undefined) {
        violations.add(`${what}: answered version ${body.version}, which the ledger does not have`);
        continue;
      }
      const { onHandAfter, reservedAfter } = movement;
      const levels = [body.goodsId, body.num, body.onHand, body.reserved].map(Number).join(" ");
      const { fromMs, toMs } = momentsOf(call);
      const expected = [...freedAt(spans.get(place)?.[version] ?? [], fromMs, toMs)].map((freed) =>
        [request.goodsId, ledger.available[version]! + freed, onHandAfter, reservedAfter - freed].join(" ")
      );
      if (!expected.includes(levels)) {
        violations.add(
          `${what}: answered (goods, num, on hand, reserved) ${levels} at version ${version}, ` +
            `the ledger has ${expected.join(" or ")}`,
        );
      }
      const { low, high } = times.window(place, invokedMs, answeredMs);
      if (version < low || version > high) {
        violations.add(`${what}: answered version ${version}, at that time it was one of ${low} to ${high}`);
      } else if (request.kind === "set" && !stoodAt(ledger, request.num, low, version)) {
        violations.add(`${what}: set to ${request.num}, which it was at none of versions ${low} to ${version}`);
      }
    }
  }
}

/** Whether so much was available at a version from `low` to `high`. */
function stoodAt({ versionsOf }: GoodsLedger, available: number, low: number, high: number): boolean {
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
