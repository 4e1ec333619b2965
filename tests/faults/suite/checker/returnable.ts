/** What of an order's line could still come back, version by version of its goods. */
import type { CallOf } from "./asked.ts";
import { mergedLines } from "./lines.ts";
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
  const asked = new Map(mergedLines(request.lines).map(({ goodsId, num }) => [goodsId, num]));
  for (const { debug } of details) {
    const goodsId = Number(debug?.goodsId);
    const returnable = Number(debug?.returnable ?? 0);
    const num = asked.get(goodsId);
    if (num === undefined || num !== Number(debug?.asked) || num <= returnable) {
      return `goods ${goodsId} as ${returnable} to give back for ${debug?.asked}; asked for were ${num ?? "none"}`;
    }
    const line = order.lines.find((line) => line.goodsId === goodsId);
    const { low, high } = times.window(goodsId, invokedMs, answeredMs);
    let left = 0;
    let explained = line === undefined && returnable === 0;
    for (const { kind, version, orderId: of, onHandDelta } of ledgers.get(goodsId)?.movements ?? []) {
      if (version > high) break;
      if (of === orderId && (kind === "sell" || kind === "rollback")) left -= onHandDelta;
      explained ||= line !== undefined && version >= low && left === returnable;
    }
    if (!explained) return `goods ${goodsId} had ${returnable} to give back at none of versions ${low} to ${high}`;
  }
  return undefined;
}
