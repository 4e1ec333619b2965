/**
 * Which lines of holds were reserved at each version, and when their time was up, as the ledger and the calls say. An
 * expired hold blocks nobody: whatever moves after its time finds it off the ledger, but for a sale that gets all the
 * same what it asks for, and only for a moment.
 */
import type { AskedFor } from "./asked.ts";
import type { GoodsLedger } from "./ledger.ts";
import type { PlaceKey } from "./places.ts";
import type { MovementRow } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** A sale may leave units reserved whose hold ended so long ago, in ms. */
const LEFT_BY_SALES_MS_MAX = 2_000;

/** A line of a hold for as long as its time stayed the same. */
export interface HoldSpan {
  readonly orderId: string;
  readonly num: number;
  readonly expiresAtMs: number;
  /** When it was reserved, or extended. */
  readonly atMs: number;
}

/** By place, by version from 0: what is reserved then, of holds that are over too. */
export type HoldSpans = ReadonlyMap<PlaceKey, readonly (readonly HoldSpan[])[]>;

/** Finds them; says what of them no hold explains. */
export function readHoldSpans(
  ledgers: ReadonlyMap<PlaceKey, GoodsLedger>,
  asked: AskedFor,
  violations: Violations,
): HoldSpans {
  return new Map([...ledgers].map(([place, ledger]) => [place, spansOf(ledger, asked, violations)]));
}

function spansOf({ place, movements }: GoodsLedger, { reserves, extends_ }: AskedFor, violations: Violations) {
  const live = new Map<string, HoldSpan>();
  const byVersion: HoldSpan[][] = [[]];
  for (const movement of movements) {
    const { kind, version, atMs, reservedDelta } = movement;
    const orderId = movement.orderId ?? "";
    const where = `goods ${place}, version ${version}`;
    const span = live.get(orderId);
    if (kind === "expire") checkExpiry(movement, span, where, violations);
    else {
      for (const { orderId, expiresAtMs } of live.values()) {
        if (expiresAtMs > atMs || (kind === "sell" && atMs - expiresAtMs <= LEFT_BY_SALES_MS_MAX)) continue;
        violations.add(
          `${where}: a ${kind} ${atMs - expiresAtMs} ms after hold ${orderId} was over, and still reserved`,
        );
      }
    }
    const ttlMs = (kind === "extend" ? extends_ : reserves).get(orderId)?.calls[0]?.request.ttlMs;
    if (kind === "reserve" || kind === "extend") {
      const num = (span?.num ?? 0) + reservedDelta;
      live.delete(orderId);
      if (num < 0 || (kind === "extend" && span === undefined)) {
        violations.add(`${where}: a ${kind} of order ${orderId}, which has ${num} reserved then`);
      }
      if (num > 0) live.set(orderId, { orderId, num, expiresAtMs: atMs + (ttlMs ?? Infinity), atMs });
    } else if (reservedDelta !== 0) {
      if (span?.num !== -reservedDelta) {
        violations.add(
          `${where}: ${-reservedDelta} of order ${orderId} are free, which had ${span?.num ?? 0} reserved`,
        );
      }
      live.delete(orderId);
    } else if (kind === "confirm" && span !== undefined) {
      violations.add(`${where}: order ${orderId} is confirmed beside its own hold, which had ${span.num}`);
    }
    byVersion.push([...live.values()]);
  }
  return byVersion;
}

function checkExpiry(
  { atMs, occurredAtMs, orderId }: MovementRow,
  span: HoldSpan | undefined,
  where: string,
  violations: Violations,
): void {
  if (span === undefined) return;
  if (occurredAtMs !== span.expiresAtMs) {
    violations.add(`${where}: hold ${orderId} expired at ${occurredAtMs}, its time was up at ${span.expiresAtMs}`);
  }
  if (atMs < span.expiresAtMs) violations.add(`${where}: hold ${orderId} expired ${span.expiresAtMs - atMs} ms early`);
}

/**
 * How much more than the ledger says may have been available beside what is reserved, at some moment of a span of wall
 * time: what holds had reserved whose time was up by then, each of the sums that were possible.
 */
export function freedAt(reserved: readonly HoldSpan[], fromMs: number, toMs: number): Set<number> {
  const live = reserved.toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
  let freed = 0;
  const sums: number[] = [];
  for (const { expiresAtMs, num } of live) {
    if (expiresAtMs > toMs) break;
    if (expiresAtMs > fromMs) sums.push(freed);
    freed += num;
  }
  return new Set([...sums, freed]);
}
