/** Each order at most once, and exactly as it was asked for and acknowledged; what was refused is not there. */
import type { Asked, AskedFor, CallOf } from "./asked.ts";
import { answeredLines, mergedLines, spelled } from "./lines.ts";
import { placeKey } from "./places.ts";
import { type MovementRow, type OrderRow, type Tables, wasHold } from "./tables.ts";
import type { Violations } from "./violations.ts";

/** Says which orders break a rule of sells. */
export function checkSells(
  tables: Tables,
  orders: ReadonlyMap<string, OrderRow>,
  { sells, rollbacksOfOrder, releases }: AskedFor,
  violations: Violations,
): void {
  const sold = Map.groupBy(tables.movements.filter(({ kind }) => kind === "sell"), ({ orderId }) => orderId ?? "");
  for (const order of tables.orders) {
    const { orderId, state } = order;
    const movements = sold.get(orderId) ?? [];
    if (state === "barred") {
      const rollbacks = [...rollbacksOfOrder.get(orderId) ?? [], ...orNone(releases.get(orderId))];
      if (rollbacks.length === 0) violations.add(`order ${orderId}: barred, but nobody rolled it back`);
      else if (rollbacks.every(({ open }) => open.length === 0)) {
        violations.add(`order ${orderId}: barred, though every rollback of it was refused`);
      }
      if (order.lines.length + movements.length > 0) violations.add(`order ${orderId}: barred, and yet sold`);
    } else if (wasHold(order)) {
      if (movements.length > 0) violations.add(`order ${orderId}: a hold, and yet sold without it`);
    } else if (state === "sold" || state === "rolled_back") {
      checkAsked(order, sells.get(orderId), violations);
      checkMovements(order, movements, violations);
    } else violations.add(`order ${orderId}: ${state}, a state that nothing leads to`);
  }
  for (const [orderId, movements] of sold) {
    if (!orders.has(orderId)) violations.add(`order ${orderId}: ${movements.length} sell movements without an order`);
  }
  for (const [orderId, asked] of sells) checkAnswers(orderId, orders.get(orderId), asked, violations);
}

function orNone<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function checkAsked(order: OrderRow, asked: Asked<"sell"> | undefined, violations: Violations): void {
  const { orderId, lines } = order;
  if (asked === undefined) violations.add(`order ${orderId}: sold, but nobody asked for it`);
  else if (asked.open.length === 0) {
    violations.add(`order ${orderId}: sold, though every call that asked for it was refused`);
  } else if (asked.open.every(({ request }) => spelled(request.lines) !== spelled(lines))) {
    violations.add(`order ${orderId}: has ${spelled(lines)}, asked for was ${spelled(asked.open[0]!.request.lines)}`);
  }
}

function checkMovements({ orderId, lines }: OrderRow, movements: readonly MovementRow[], violations: Violations): void {
  const byPlace = Map.groupBy(movements, placeKey);
  for (const { place, num } of mergedLines(lines)) {
    const [only, ...more] = byPlace.get(place) ?? [];
    byPlace.delete(place);
    if (only === undefined) violations.add(`order ${orderId}, goods ${place}: sold ${num} without a movement`);
    else if (more.length > 0) {
      violations.add(`order ${orderId}, goods ${place}: sold in ${1 + more.length} movements`);
    } else if (only.onHandDelta !== -num) {
      violations.add(`order ${orderId}, goods ${place}: sold ${num}, its movement has ${only.onHandDelta}`);
    }
  }
  for (const place of byPlace.keys()) {
    violations.add(`order ${orderId}, goods ${place}: a sell movement of a goods that the order does not have`);
  }
}

/** What acknowledged calls were answered is what is there, and the same each time. */
function checkAnswers(
  orderId: string,
  order: OrderRow | undefined,
  { oks }: Asked<"sell">,
  violations: Violations,
): void {
  const [first] = oks;
  if (first === undefined) return;
  for (const ok of oks) {
    if (saidTo(ok) !== saidTo(first)) {
      violations.add(`order ${orderId}: one call was answered ${saidTo(first)}, another ${saidTo(ok)}`);
    }
  }
  const said = answerOf(first);
  const lines = answeredLines(said.goodsInfo) ?? [];
  if (order === undefined || order.state === "barred") {
    violations.add(`order ${orderId}: acknowledged, but ${order === undefined ? "not there" : "barred"}`);
  } else if (spelled(lines) !== spelled(order.lines) || Date.parse(String(said.soldAt)) !== order.atMs) {
    violations.add(
      `order ${orderId}: acknowledged as ${spelled(lines)} at ${said.soldAt}, ` +
        `there is ${spelled(order.lines)} at ${new Date(order.atMs).toISOString()}`,
    );
  }
  const other = oks.find(({ request }) => spelled(request.lines) !== spelled(lines));
  if (other !== undefined) {
    violations.add(`order ${orderId}: asked for ${spelled(other.request.lines)}, answered ${spelled(lines)}`);
  }
  if (said.orderId !== orderId) violations.add(`order ${orderId}: answered as order ${said.orderId}`);
}

function answerOf({ answer }: CallOf<"sell">): Readonly<Record<string, unknown>> {
  return answer.outcome === "ok" ? answer.body : {};
}

function saidTo(call: CallOf<"sell">): string {
  const { goodsInfo, orderId, soldAt } = answerOf(call);
  return `${orderId}: ${spelled(answeredLines(goodsInfo) ?? [])} at ${soldAt}`;
}
