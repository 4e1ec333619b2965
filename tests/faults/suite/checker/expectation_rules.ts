/** Compare and set: what was set as expected came right behind what was expected, and so only once. */
import type { AskedFor, CallOf } from "./asked.ts";
import type { GoodsLedger } from "./ledger.ts";
import type { PlaceKey } from "./places.ts";
import type { Violations } from "./violations.ts";

/** Says which sets found something else than they expected, and were made all the same. */
export function checkExpectations(
  ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
  { sets }: AskedFor,
  violations: Violations,
): void {
  const made = new Map<string, number>();
  for (const { oks } of sets.values()) {
    for (const call of oks) checkOne(call, ledgers, made, violations);
  }
}

function checkOne(
  { request, answer, operation, invokedMs }: CallOf<"set">,
  ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
  made: Map<string, number>,
  violations: Violations,
): void {
  const { goodsId, num, expectedVersion } = request;
  if (answer.outcome !== "ok" || expectedVersion === undefined) return;
  const version = Number(answer.body.version);
  const what = `set of goods ${goodsId} at ${invokedMs.toFixed(1)} ms`;
  const before = ledgers.get(goodsId)?.movements[expectedVersion - 1];
  const stood = before !== undefined && before.onHandAfter - before.reservedAfter === num;
  if (version === expectedVersion && stood) return;
  if (version !== expectedVersion + 1) {
    return violations.add(`${what}: expected version ${expectedVersion}, made version ${version}`);
  }
  const key = `${goodsId} ${expectedVersion}`;
  const other = made.get(key);
  made.set(key, operation);
  if (other !== undefined && other !== operation) {
    violations.add(`${what}: a second one that expected version ${expectedVersion}`);
  }
}
