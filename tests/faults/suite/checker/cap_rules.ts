/** What one buyer may have of a goods: never more, at whatever version, with what live holds have. */
import type { Call } from "../history.ts";
import { spanOf } from "./availability.ts";
import type { Detail, Explanations } from "./explanations.ts";
import type { HoldSpan } from "./hold_spans.ts";
import type { GoodsLedger } from "./ledger.ts";
import { placeKey } from "./places.ts";
import type { OrderRow } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Says which buyers ever had more of a goods than its policy allows one of them. */
export function checkCaps({ ledgers, spans, orders }: Explanations, violations: Violations): void {
  for (const ledger of ledgers.values()) {
    if (ledger.buyerNumMax === Infinity) continue;
    const { place, movements, policyFrom, buyerNumMax } = ledger;
    const bought = new Map<string, number>();
    for (const movement of movements) {
      const { version, kind, orderId, onHandDelta, atMs } = movement;
      const buyer = orders.get(orderId ?? "")?.buyerId ?? undefined;
      if (buyer === undefined) continue;
      if (SALES.has(kind)) bought.set(buyer, (bought.get(buyer) ?? 0) - onHandDelta);
      if (version <= policyFrom || !TAKES.has(kind)) continue;
      const has = (bought.get(buyer) ?? 0) + heldBy(buyer, spans.get(place)?.[version] ?? [], atMs, orders);
      if (has > buyerNumMax) {
        violations.add(
          `goods ${place}, version ${version}: buyer ${buyer} has ${has}, one buyer may have ${buyerNumMax}`,
        );
      }
    }
  }
}

const SALES = new Set(["sell", "confirm", "rollback"]);
const TAKES = new Set(["sell", "confirm", "reserve"]);

/** Why a refusal for a buyer's limit can't be explained; undefined: it can. */
export function limitProblem(call: Call, details: readonly Detail[], explanations: Explanations): string | undefined {
  const { request } = call;
  const { ledgers, spans, orders, asked } = explanations;
  if (request.kind !== "sell" && request.kind !== "reserve" && request.kind !== "confirm") return "as over a limit";
  const buyer = request.kind === "confirm"
    ? asked.reserves.get(request.orderId)?.calls[0]?.request.buyerId
    : request.buyerId;
  for (const { debug } of details) {
    const place = placeKey({ goodsId: Number(debug?.goodsId), locationId: Number(debug?.locationId ?? 0) });
    const ledger = ledgers.get(place);
    const taken = Number(debug?.taken ?? 0);
    const max = Number(debug?.max);
    if (
      ledger === undefined || buyer === undefined || max !== ledger.buyerNumMax || taken + Number(debug?.asked) <= max
    ) {
      return `over the limit of ${max} for goods ${place}, with ${taken} of buyer ${buyer}`;
    }
    const { low, high, fromMs, toMs } = spanOf(call, place, explanations);
    const had = new Set<number>();
    for (const { version, sold } of soldTo(buyer, ledger, orders, low, high)) {
      const live = (spans.get(place)?.[version] ?? []).filter(({ orderId }) => orderId !== request.orderId);
      for (const atMs of [fromMs, toMs, ...live.map(({ expiresAtMs }) => expiresAtMs)]) {
        had.add(sold + heldBy(buyer, live, atMs, orders));
      }
    }
    if (!had.has(taken)) return `as buyer ${buyer} has ${taken} of goods ${place}, which had ${[...had].join(" or ")}`;
  }
  return undefined;
}

/** What the buyer had bought, at each version of a span. */
function* soldTo(
  buyer: string,
  { movements }: GoodsLedger,
  orders: ReadonlyMap<string, OrderRow>,
  low: number,
  high: number,
): Generator<{ readonly version: number; readonly sold: number }> {
  let sold = 0;
  if (low <= 0) yield { version: 0, sold };
  for (const { version, kind, orderId, onHandDelta } of movements) {
    if (version > high) return;
    if (SALES.has(kind) && orders.get(orderId ?? "")?.buyerId === buyer) sold -= onHandDelta;
    if (version >= low) yield { version, sold };
  }
}

function heldBy(
  buyer: string,
  reserved: readonly HoldSpan[],
  atMs: number,
  orders: ReadonlyMap<string, OrderRow>,
): number {
  let num = 0;
  for (const span of reserved) {
    if (span.expiresAtMs > atMs && orders.get(span.orderId)?.buyerId === buyer) num += span.num;
  }
  return num;
}
