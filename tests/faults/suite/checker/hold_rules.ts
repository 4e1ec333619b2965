/** Holds end as they were asked to, and what was answered of them is there; what was refused is not. */
import type { AskedFor, CallOf } from "./asked.ts";
import type { HoldSpans } from "./hold_spans.ts";
import { answeredLines, mergedLines, spelled } from "./lines.ts";
import { type PlaceKey, placeKey } from "./places.ts";
import { type MovementRow, type OrderRow, type Tables, wasHold } from "./tables.ts";
import type { Violations } from "./violations.ts";

const HOLD_KINDS = new Set(["reserve", "extend", "confirm", "release", "expire"]);

/** Says which holds break a rule. */
export function checkHolds(
  tables: Tables,
  orders: ReadonlyMap<string, OrderRow>,
  spans: HoldSpans,
  asked: AskedFor,
  violations: Violations,
): void {
  const movements = Map.groupBy(
    tables.movements.filter(({ kind }) => HOLD_KINDS.has(kind)),
    ({ orderId }) => orderId ?? "",
  );
  for (const order of tables.orders) {
    if (!wasHold(order)) continue;
    const { orderId, state } = order;
    wants(asked.reserves.get(orderId), `order ${orderId}: reserved`, violations);
    if (state === "released") wants(asked.releases.get(orderId), `order ${orderId}: released`, violations);
    if (state === "sold" || state === "rolled_back") {
      wants(asked.confirms.get(orderId), `order ${orderId}: confirmed`, violations);
    }
    checkSold(order, movements.get(orderId) ?? [], violations);
  }
  for (const orderId of movements.keys()) {
    const order = orders.get(orderId);
    if (order === undefined || !wasHold(order)) {
      violations.add(`order ${orderId}: movements of a hold that is not there`);
    }
  }
  checkRows(tables, orders, spans, violations);
  for (const [orderId, { oks }] of asked.reserves) {
    for (const call of oks) checkMade(call, orderId, movements.get(orderId) ?? [], violations);
  }
  for (const [orderId, { oks }] of asked.confirms) checkConfirmed(orders.get(orderId), orderId, oks, violations);
  for (const [orderId, { oks }] of asked.releases) {
    const state = orders.get(orderId)?.state;
    if (oks.length > 0 && state !== "released" && state !== "barred") {
      violations.add(`order ${orderId}: acknowledged as released, it is ${state ?? "not there"}`);
    }
  }
}

function wants(asked: { readonly open: readonly unknown[] } | undefined, what: string, violations: Violations): void {
  if (asked === undefined) violations.add(`${what}, but nobody asked for it`);
  else if (asked.open.length === 0) violations.add(`${what}, though every call that asked for it was refused`);
}

/** What confirmations took is what the order says, once; nothing is taken of what was not confirmed. */
function checkSold(
  { orderId, state, lines }: OrderRow,
  movements: readonly MovementRow[],
  violations: Violations,
): void {
  const isSold = state === "sold" || state === "rolled_back";
  const taken = new Map<PlaceKey, number[]>();
  for (const movement of movements) {
    if (movement.kind !== "confirm" || movement.onHandDelta === 0) continue;
    taken.set(placeKey(movement), [...taken.get(placeKey(movement)) ?? [], -movement.onHandDelta]);
  }
  for (const { place, num } of mergedLines(lines)) {
    const expected = isSold && num > 0 ? [num] : [];
    const actual = taken.get(place) ?? [];
    taken.delete(place);
    if (actual.join() !== expected.join()) {
      violations.add(
        `order ${orderId}, goods ${place}: ${state}, with ${num}; confirmations took ${actual.join() || "none"}`,
      );
    }
  }
  for (const place of taken.keys()) violations.add(`order ${orderId}, goods ${place}: confirmed, and not in the order`);
}

/** Rows of holds are what the ledger has reserved, of orders that are held. */
function checkRows(
  { holds, stock }: Tables,
  orders: ReadonlyMap<string, OrderRow>,
  spans: HoldSpans,
  violations: Violations,
): void {
  const rows = Map.groupBy(holds, placeKey);
  for (const row of stock) {
    const place = placeKey(row);
    const text = (each: { orderId: string; num: number; expiresAtMs: number }) =>
      `${each.orderId}: ${each.num} until ${each.expiresAtMs}`;
    const here = (rows.get(place) ?? []).map(text).sort().join(", ");
    const expected = (spans.get(place)?.at(-1) ?? []).map(text).sort().join(", ");
    rows.delete(place);
    if (here !== expected) violations.add(`goods ${place}: holds have "${here}", the ledger "${expected}"`);
  }
  for (const place of rows.keys()) violations.add(`goods ${place}: held, and not in stock`);
  for (const { orderId, expiresAtMs } of holds) {
    const order = orders.get(orderId);
    if (order?.state !== "held" || order.expiresAtMs !== expiresAtMs) {
      violations.add(
        `order ${orderId}: lines are held until ${expiresAtMs}, it is ${order?.state} until ${order?.expiresAtMs}`,
      );
    }
  }
}

/** A hold that was acknowledged was made at the time that its answer implies, of all its lines. */
function checkMade(
  call: CallOf<"reserve">,
  orderId: string,
  movements: readonly MovementRow[],
  violations: Violations,
) {
  if (call.answer.outcome !== "ok") return;
  const order = (call.answer.body.order ?? {}) as Readonly<Record<string, unknown>>;
  const untilMs = Date.parse(String(order.expiresAt));
  const made = movements.filter(({ kind, atMs }) => kind === "reserve" && atMs === untilMs - call.request.ttlMs);
  const places = new Set(made.map(placeKey));
  for (const { place } of mergedLines(call.request.lines)) {
    if (!places.has(place)) {
      violations.add(`order ${orderId}, goods ${place}: acknowledged as held until ${order.expiresAt}, it never was`);
    }
  }
}

/** What acknowledged confirmations were answered is what is there, and the same each time. */
function checkConfirmed(
  order: OrderRow | undefined,
  orderId: string,
  oks: readonly CallOf<"confirm">[],
  violations: Violations,
): void {
  for (const { answer, request } of oks) {
    if (answer.outcome !== "ok") continue;
    const said = spelled(answeredLines((answer.body.order as { lines?: unknown } | undefined)?.lines) ?? []);
    const there = order === undefined || (order.state !== "sold" && order.state !== "rolled_back")
      ? undefined
      : spelled(order.lines);
    if (said !== there) {
      violations.add(
        `order ${orderId}: acknowledged as confirmed with ${said}, there is ${there ?? order?.state ?? "nothing"}`,
      );
    }
    if (request.lines.length > 0 && spelled(request.lines) !== said) {
      violations.add(`order ${orderId}: confirmed of ${spelled(request.lines)}, answered ${said}`);
    }
  }
}
