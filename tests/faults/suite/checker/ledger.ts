/**
 * The ledger, goods by goods, and whether it is whole by itself: versions 1..n, each step the one before plus its
 * delta, nothing negative, and stock what the last step says.
 */
import type { MovementRow, Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** What a goods stood at after each of its versions; version 0: it did not exist. */
export interface GoodsLedger {
  readonly goodsId: number;
  /** By version, from 1 at index 0. */
  readonly movements: readonly MovementRow[];
  /** Available to sell, by version from 0. */
  readonly available: readonly number[];
  /** The versions at which so much was available, ascending; without version 0. */
  readonly versionsOf: ReadonlyMap<number, readonly number[]>;
}

/** The ledgers of all goods that have moved; says what of them is not whole. */
export function readLedgers(tables: Tables, violations: Violations): Map<number, GoodsLedger> {
  const ledgers = new Map<number, GoodsLedger>();
  const byGoods = Map.groupBy(tables.movements, (movement) => movement.goodsId);
  for (const [goodsId, movements] of byGoods) {
    movements.sort((a, b) => a.version - b.version);
    checkSteps(goodsId, movements, violations);
    const available = [0, ...movements.map(({ onHandAfter, reservedAfter }) => onHandAfter - reservedAfter)];
    const versionsOf = new Map<number, number[]>();
    for (let version = 1; version < available.length; version++) {
      const versions = versionsOf.get(available[version]!);
      if (versions === undefined) versionsOf.set(available[version]!, [version]);
      else versions.push(version);
    }
    ledgers.set(goodsId, { goodsId, movements, available, versionsOf });
  }
  checkStock(tables, ledgers, violations);
  return ledgers;
}

function checkSteps(goodsId: number, movements: readonly MovementRow[], violations: Violations): void {
  let onHand = 0;
  let reserved = 0;
  for (const [i, movement] of movements.entries()) {
    const where = `goods ${goodsId}, version ${movement.version}`;
    if (movement.version !== i + 1) violations.add(`${where}: expected version ${i + 1} there, none may be missing`);
    onHand += movement.onHandDelta;
    reserved += movement.reservedDelta;
    if (movement.onHandAfter !== onHand || movement.reservedAfter !== reserved) {
      violations.add(
        `${where}: ${movement.onHandAfter} on hand and ${movement.reservedAfter} reserved, ` +
          `its movements add up to ${onHand} and ${reserved}`,
      );
      onHand = movement.onHandAfter;
      reserved = movement.reservedAfter;
    }
    if (reserved < 0 || onHand < reserved) violations.add(`${where}: ${onHand} on hand of which ${reserved} reserved`);
    const { kind, onHandDelta } = movement;
    const gives = kind === "rollback" || kind === "give_back";
    if ((kind === "sell" && onHandDelta >= 0) || (gives && onHandDelta <= 0)) {
      violations.add(`${where}: a ${kind} of ${onHandDelta}`);
    }
  }
}

function checkStock(tables: Tables, ledgers: ReadonlyMap<number, GoodsLedger>, violations: Violations): void {
  const seen = new Set<number>();
  for (const { goodsId, onHand, reserved, version } of tables.stock) {
    seen.add(goodsId);
    if (reserved < 0 || onHand < reserved) {
      violations.add(`goods ${goodsId}: ${onHand} in stock of which ${reserved} reserved`);
    }
    const last = ledgers.get(goodsId)?.movements.at(-1);
    if (last === undefined) violations.add(`goods ${goodsId}: in stock without a movement`);
    else if (last.onHandAfter !== onHand || last.reservedAfter !== reserved || last.version !== version) {
      violations.add(
        `goods ${goodsId}: stock has ${onHand} on hand, ${reserved} reserved, version ${version}; ` +
          `its last movement ${last.onHandAfter}, ${last.reservedAfter}, version ${last.version}`,
      );
    }
  }
  for (const goodsId of ledgers.keys()) {
    if (!seen.has(goodsId)) violations.add(`goods ${goodsId}: movements without a row in stock`);
  }
}
