/** What of an order's line could still come back, version by version of its goods. */
import type { CallOf } from "./asked.ts";
import { mergedLines } from "./lines.ts";
import { placeKey } from "./places.ts";
import type { Detail, Explanations } from "./explanations.ts";

/** Why a refusal as more than was sold can't be explained; undefined: it can. */
export function checkExceeds(
  { request, invokedMs, answeredMs }: CallOf<"rollback">,
  details: readonly Detail[],
  { orders, ledgers, times }: Explanations,
): string | undefined {
  const { orderId } = request;
  const order = orders.get(orderId);
  if (order === undefined || order.state === "barred") return "as more than was sold of an order that was never sold";
  const asked = new Map(mergedLines(request.lines).map(({ place, num }) => [place, num]));
  for (const { debug } of details) {
    const place = placeKey({ goodsId: Number(debug?.goodsId), locationId: Number(debug?.locationId ?? 0) });
    const returnable = Number(debug?.returnable ?? 0);
    const num = asked.get(place);
    if (num === undefined || num !== Number(debug?.asked) || num <= returnable) {
      return `goods ${place} as ${returnable} to give back for ${debug?.asked}; asked for were ${num ?? "none"}`;
    }
    const line = order.lines.find((line) => placeKey(line) === place);
    const { low, high } = times.window(place, invokedMs, answeredMs);
    let left = 0;
    let explained = line === undefined && returnable === 0;
    for (const { kind, version, orderId: of, onHandDelta } of ledgers.get(place)?.movements ?? []) {
      if (version > high) break;
      if (of === orderId && (kind === "sell" || kind === "confirm" || kind === "rollback")) left -= onHandDelta;
      explained ||= line !== undefined && version >= low && left === returnable;
    }
    if (!explained) return `goods ${place} had ${returnable} to give back at none of versions ${low} to ${high}`;
  }
  return undefined;
}
