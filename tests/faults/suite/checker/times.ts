/**
 * When each version of a goods can have come to be, and from when on it was known to be, by the clock of the callers.
 * The ledger is the order that must explain every answer, so both only grow with the version.
 */
import type { AskedFor } from "./asked.ts";
import { operationKey, restrictedKey, setKey } from "./asked.ts";
import type { GoodsLedger } from "./ledger.ts";
import { type PlaceKey, placeKey } from "./places.ts";
import type { MovementRow, Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Versions that a caller may have heard of. */
export interface Window {
  /** Known before the call was made. */
  readonly low: number;
  /** May have come to be before it was answered. */
  readonly high: number;
}

/** The times of all goods. */
export class Times {
  /** By goods; each by version from 0. */
  readonly #born = new Map<PlaceKey, Float64Array>();
  readonly #known = new Map<PlaceKey, Float64Array>();

  /** Says where what was known came before what had not been asked for. */
  constructor(
    tables: Tables,
    ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
    asked: AskedFor,
    violations: Violations,
  ) {
    const span = spans(tables, asked);
    for (const { place, movements } of ledgers.values()) {
      const born = new Float64Array(movements.length + 1).fill(-Infinity);
      const known = new Float64Array(movements.length + 1).fill(Infinity);
      known[0] = -Infinity;
      for (const [i, movement] of movements.entries()) {
        const { bornMs, knownMs } = span(movement);
        born[i + 1] = Math.max(born[i]!, bornMs);
        known[i + 1] = knownMs;
      }
      this.#born.set(place, born);
      this.#known.set(place, known);
    }
    for (const { place, version, atMs } of levelsAnswered(asked)) {
      const known = this.#known.get(place);
      if (known?.[version] !== undefined && version > 0) known[version] = Math.min(known[version]!, atMs);
    }
    for (const [place, known] of this.#known) {
      for (let version = known.length - 2; version > 0; version--) {
        known[version] = Math.min(known[version]!, known[version + 1]!);
      }
      const born = this.#born.get(place)!;
      const early = known.findIndex((knownMs, version) => born[version]! > knownMs);
      if (early > 0) {
        violations.add(
          `goods ${place}, version ${early}: known ${shown(known[early]!)}, ` +
            `but a version up to it was asked for only ${shown(born[early]!)}`,
        );
      }
    }
  }

  /** The versions of a goods that a call may have heard of. */
  window(place: PlaceKey, invokedMs: number, answeredMs: number | undefined): Window {
    const known = this.#known.get(place);
    const born = this.#born.get(place);
    if (known === undefined || born === undefined) return { low: 0, high: 0 };
    return {
      low: countWhile(known, (knownMs) => knownMs < invokedMs) - 1,
      high: countWhile(born, (bornMs) => bornMs <= (answeredMs ?? Infinity)) - 1,
    };
  }
}

/** How many stand at the front of a sorted list for which it is true. */
function countWhile(sorted: Float64Array, isTrue: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Span {
  readonly bornMs: number;
  readonly knownMs: number;
}

/** Of a movement that nobody asked for, which is reported elsewhere. */
const ANY_TIME: Span = { bornMs: -Infinity, knownMs: Infinity };

/** When a movement can have been made. Of several sets to the same quantity it can't be known which one it was. */
function spans(tables: Tables, asked: AskedFor): (movement: MovementRow) => Span {
  const keys = new Map(tables.operations.map((row) => [row.operationId, operationKey(row)]));
  const orAny = (span: Span | undefined) => span === undefined || span.bornMs === Infinity ? ANY_TIME : span;
  return (movement) => {
    const { kind, goodsId, orderId, operationId, onHandAfter, reservedAfter } = movement;
    if (kind === "sell") return orAny(asked.sells.get(orderId ?? ""));
    if (kind === "rollback" || kind === "give_back") {
      return orAny(asked.rollbacks.get(keys.get(operationId ?? "") ?? ""));
    }
    if (kind === "adjust" || kind === "count" || kind === "transfer") {
      return orAny(asked.recorded.get(operationId ?? ""));
    }
    if (kind === "confirm") return orAny(asked.confirms.get(orderId ?? ""));
    if (kind === "release") return orAny(asked.releases.get(orderId ?? ""));
    // Of several of one order it can't be known which one an answer was for.
    if (kind === "reserve") return { ...orAny(asked.reserves.get(orderId ?? "")), knownMs: Infinity };
    if (kind === "extend") return { ...orAny(asked.extends_.get(orderId ?? "")), knownMs: Infinity };
    if (kind === "policy" || kind === "delete" || kind === "restore") {
      return { ...orAny(asked.restricted.get(restrictedKey(kind, goodsId))), knownMs: Infinity };
    }
    if (kind !== "set") return ANY_TIME;
    const sets = asked.sets.get(setKey({ goodsId, num: onHandAfter - reservedAfter }));
    return { ...orAny(sets), knownMs: Infinity };
  };
}

/** Every version that a caller was answered, and when. */
function* levelsAnswered(asked: AskedFor): Generator<{ place: PlaceKey; version: number; atMs: number }> {
  for (const { calls } of [...asked.sets.values(), { calls: asked.details }]) {
    for (const { request, answer, answeredMs } of calls) {
      if (answer.outcome !== "ok" || answeredMs === undefined) continue;
      yield { place: placeKey(request), version: Number(answer.body.version), atMs: answeredMs };
    }
  }
}

function shown(ms: number): string {
  return `at ${ms.toFixed(1)} ms`;
}
