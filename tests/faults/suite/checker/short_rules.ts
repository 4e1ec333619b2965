/** Refusals for want of stock: it was short at some moment of the call, for every line that is named. */
import type { AskedLine, Call } from "../history.ts";
import type { Asked, AskedFor } from "./asked.ts";
import { availableIn, spanOf } from "./availability.ts";
import type { Detail, Explanations } from "./explanations.ts";
import { mergedLines } from "./lines.ts";
import { placeKey } from "./places.ts";

/** How the refused request takes. */
export interface Taking {
  readonly lines: readonly AskedLine[];
  /** The order that it is for. */
  readonly orderId?: string;
  /** It need not spare the safety stock. */
  readonly safety: boolean;
  /** What its order has is no obstacle to it. */
  readonly own: boolean;
}

/** Why the refusal can't be explained; undefined: it can. `takenVersions`: when the order did take it, by place. */
export function shortProblem(
  call: Call,
  { lines, orderId, safety, own }: Taking,
  details: readonly Detail["debug"][],
  explanations: Explanations,
  takenVersions: ReadonlyMap<string, number>,
): string | undefined {
  const { orders, asked } = explanations;
  if (orderId !== undefined && orders.get(orderId)?.state === "barred") {
    if (barred(asked, orderId).knownMs < call.invokedMs) return "as short of stock, when the order was barred";
  }
  const short = new Map(details.map((debug) => [placeOf(debug), debug]));
  for (const { place, num } of mergedLines(lines)) {
    const span = spanOf(call, place, explanations);
    const last = Math.min(span.high, (takenVersions.get(`${orderId} ${place}`) ?? Infinity) - 1);
    const detail = short.get(place);
    short.delete(place);
    const how = own && orderId !== undefined ? { safety, own: orderId } : { safety };
    // At version 0 it is unknown, and not short.
    const possible = availableIn(explanations, place, { ...span, low: Math.max(1, span.low), high: last }, how);
    if (detail === undefined) {
      if (!possible.some((available) => available >= num)) {
        return `but not for goods ${place}, which had less than ${num} all the time`;
      }
      continue;
    }
    const available = Number(detail.available ?? 0);
    if (Number(detail.asked) !== num || available >= num) {
      return `goods ${place} as ${available} available for ${detail.asked}; asked for were ${num}`;
    }
    if (!possible.some((possible) => possible === available)) {
      return `goods ${place} had ${available} available at none of versions ${span.low} to ${last}`;
    }
  }
  const [strange] = short.keys();
  return strange === undefined ? undefined : `for goods ${strange}, which it did not ask for`;
}

/** When an order can first have been barred or rolled back, and from when it was known that somebody did. */
export function barred(
  { rollbacksOfOrder, releases }: AskedFor,
  orderId: string,
): Pick<Asked<"rollback">, "bornMs" | "knownMs"> {
  const all = [...rollbacksOfOrder.get(orderId) ?? [], releases.get(orderId)].filter((asked) => asked !== undefined);
  return {
    bornMs: Math.min(...all.map(({ bornMs }) => bornMs)),
    knownMs: Math.min(...all.map(({ knownMs }) => knownMs)),
  };
}

function placeOf(debug: Detail["debug"]) {
  return placeKey({ goodsId: Number(debug?.goodsId), locationId: Number(debug?.locationId ?? 0) });
}
