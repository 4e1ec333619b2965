/** What the plain model answers to operations on orders. */
import type { Operation } from "../../../src/inventory/operations/operation.ts";
import { type Quantities, quantities, type SeenVerdict } from "../seen_verdict.ts";
import { LIMIT, only, type Purchase, stateOf, taken, text, type World } from "./world.ts";

type Of<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** How long a hold lasts where a goods says nothing of it. */
const QUARTER_HOUR_MS = 900_000;

/** How long a hold of these lasts where nobody says so. */
function usualMs(world: World, nums: Quantities): number {
  const each = Object.keys(nums).map((name) => world.shelves.get(name)!.policy.holdTtlMs ?? QUARTER_HOUR_MS);
  return Math.min(...each);
}

/** Takes units at once. */
export function sell(world: World, { orderId, lines, fill = "all", buyerId: buyer }: Of<"sell">): SeenVerdict {
  const asked = quantities(lines);
  const known = world.orders.get(orderId);
  if (known !== undefined) {
    const state = stateOf(known);
    if (state === "barred") return { no: "order_state", state };
    if (known.held !== undefined && state !== "sold") return { no: "order_state", state };
    const wasShort = known.held === undefined && text(known.asked) !== text(known.has);
    const isSame = text(known.asked) === text(asked) && known.buyer === buyer && !(wasShort && fill === "all");
    if (!isSame) return { no: "content_differs", id: orderId };
    return state === "sold" ? { ok: "sell", took: known.has, replayed: true } : { no: "order_state", state };
  }
  const took = take(world, asked, fill, buyer);
  if ("refused" in took) return took.refused;
  for (const name of taken(took.nums)) world.move(name, -took.nums[name]!);
  world.orders.set(orderId, {
    buyer,
    state: "sold",
    has: took.nums,
    asked,
    back: {},
    sinceMs: world.nowMs,
  });
  return { ok: "sell", took: took.nums };
}

/** Promises units for a time. */
export function reserve(
  world: World,
  { orderId, lines, ttlMs, fill = "all", buyerId: buyer }: Of<"reserve">,
): SeenVerdict {
  const known = world.orders.get(orderId);
  if (known !== undefined && known.state !== "held" && known.state !== "expired") {
    return { no: "order_state", state: stateOf(known) };
  }
  const asked = quantities(lines);
  const took = take(world, asked, fill, buyer, orderId);
  if ("refused" in took) return took.refused;
  const over = taken(took.nums).filter((name) => world.reserved(name, orderId) + took.nums[name]! > LIMIT);
  if (over.length > 0) return { no: "out_of_range", of: "reserved", places: over };
  const own = known?.state === "held" ? taken(known.has) : [];
  for (const name of new Set([...own, ...taken(took.nums)])) world.move(name, 0);
  const order: Purchase = {
    buyer,
    state: "held",
    has: took.nums,
    asked,
    back: {},
    sinceMs: world.nowMs,
    held: took.nums,
    untilMs: world.nowMs + (ttlMs ?? usualMs(world, asked)),
  };
  world.orders.set(orderId, order);
  return holdOf(order);
}

/** Gives a hold more time. */
export function extend(world: World, orderId: string, ttlMs: number | undefined): SeenVerdict {
  const known = world.orders.get(orderId);
  if (known === undefined) return { no: "unknown_order", order: orderId };
  if (known.state !== "held") return { no: "order_state", state: stateOf(known) };
  const untilMs = world.nowMs + (ttlMs ?? usualMs(world, known.has));
  if (untilMs <= known.untilMs!) return { ...holdOf(known), replayed: true };
  for (const name of taken(known.has)) world.move(name, 0);
  world.orders.set(orderId, { ...known, untilMs });
  return holdOf({ ...known, untilMs });
}

/** Sells what is held. */
export function confirm(world: World, orderId: string, asked: Quantities, records: boolean): SeenVerdict {
  const known = world.orders.get(orderId);
  if (known === undefined) return { no: "unknown_order", order: orderId };
  const state = stateOf(known);
  if (known.held === undefined || state === "released" || state === "rolled_back") {
    return { no: "order_state", state };
  }
  const none = Object.keys(asked).length === 0;
  if (state === "sold") {
    const wanted = none ? known.held : asked;
    return text(wanted) === text(known.has)
      ? { ...holdOf(known), replayed: true }
      : { no: "content_differs", id: orderId };
  }
  const exceeding = Object.entries(asked).filter(([name, num]) => num > (known.has[name] ?? 0));
  if (exceeding.length > 0) {
    return { no: "exceeds_held", lines: exceeding.map(([name, num]) => [name, num, known.has[name] ?? 0]) };
  }
  const sold: Quantities = {};
  for (const name of Object.keys(known.has)) sold[name] = none ? known.has[name]! : asked[name] ?? 0;
  let sinceMs = known.sinceMs;
  if (state === "held") {
    for (const name of taken(known.has)) world.move(name, -sold[name]!);
    const windows = Object.keys(known.has).map((name) => world.shelves.get(name)?.policy.buyerWindowMs ?? Infinity);
    if (known.buyer !== undefined && windows.some((window) => sinceMs + window <= world.nowMs)) sinceMs = world.nowMs;
    world.shortfalls.delete(orderId);
  } else {
    const took = take(world, only(sold), "all", known.buyer);
    if ("refused" in took && took.refused.no === "short_stock") {
      const { lines } = took.refused;
      if (!records) return { no: "shortfall", lines };
      world.shortfalls.add(orderId);
      return { ok: "shortfall", lines };
    }
    if ("refused" in took) return took.refused;
    for (const name of taken(sold)) world.move(name, -sold[name]!);
    sinceMs = world.nowMs;
    world.shortfalls.delete(orderId);
  }
  const order: Purchase = { ...known, state: "sold", has: sold, asked: only(sold), sinceMs };
  world.orders.set(orderId, order);
  return holdOf(order);
}

/** Gives a hold up. */
export function release(world: World, orderId: string): SeenVerdict {
  const known = world.orders.get(orderId);
  if (known === undefined) {
    const barred: Purchase = {
      buyer: undefined,
      state: "barred",
      has: {},
      asked: {},
      back: {},
      sinceMs: world.nowMs,
    };
    world.orders.set(orderId, barred);
    return holdOf(barred);
  }
  const state = stateOf(known);
  if (state === "barred" || state === "released") return { ...holdOf(known), replayed: true };
  if (state !== "held" && state !== "expired") return { no: "order_state", state };
  if (state === "held") { for (const name of taken(known.has)) world.move(name, 0); }
  const order: Purchase = { ...known, state: "released" };
  world.orders.set(orderId, order);
  return holdOf(order);
}

/** Takes an order, or a part of it, back. */
export function rollback(world: World, givenId: string | undefined, orderId: string, asked: Quantities): SeenVerdict {
  const known = world.orders.get(orderId);
  const sold = known?.state === "barred" ? undefined : known;
  const none = Object.keys(asked).length === 0;
  const whole = none || (sold !== undefined && text(sold.has) === text(asked));
  const id = givenId ?? (whole ? `all of ${orderId}` : `${text(asked)} of ${orderId}`);
  const content = whole ? "whole" : text(asked);
  const before = world.records.get(id);
  if (before !== undefined) {
    const same = before.what === "rollback" && before.order === orderId && before.content === content;
    return same ? { ...before.answer, replayed: true } : { no: "content_differs", id };
  }
  const nothing: SeenVerdict = { ok: "rollback", gave: {} };
  if (sold === undefined) {
    if (givenId !== undefined || known === undefined) world.record(id, "rollback", content, nothing, orderId);
    if (known === undefined) release(world, orderId);
    return nothing;
  }
  const state = stateOf(sold);
  if (state !== "sold" && state !== "rolled_back") return { no: "order_state", state };
  const left: Quantities = {};
  for (const name of Object.keys(sold.has)) left[name] = sold.has[name]! - (sold.back[name] ?? 0);
  const gave = whole ? only(left) : asked;
  const exceeding = Object.entries(gave).filter(([name, num]) => num > (left[name] ?? 0));
  if (exceeding.length > 0) {
    return { no: "exceeds_sold", lines: exceeding.map(([name, num]) => [name, num, left[name] ?? 0]) };
  }
  const over = world.over(gave);
  if (over.length > 0) return { no: "out_of_range", of: "on_hand", places: over };
  for (const name of Object.keys(gave)) {
    world.move(name, gave[name]!);
    sold.back[name] = (sold.back[name] ?? 0) + gave[name]!;
  }
  const answer: SeenVerdict = { ok: "rollback", gave };
  if (Object.keys(gave).length > 0 || givenId !== undefined) world.record(id, "rollback", content, answer, orderId);
  return answer;
}

/** What can be taken of it, and is then taken. */
function take(
  world: World,
  asked: Quantities,
  fill: "all" | "available",
  buyer: string | undefined,
  own?: string,
): { readonly nums: Quantities } | { readonly refused: SeenVerdict } {
  const names = Object.keys(asked);
  const unknown = world.unknown(asked);
  if (unknown.length > 0) return { refused: { no: "unknown_goods", places: unknown } };
  const policy = (name: string) => world.shelves.get(name)!.policy;
  const capped = names.filter((name) => policy(name).buyerNumMax !== undefined);
  if (capped.length > 0 && buyer === undefined) return { refused: { no: "buyer_required", places: capped } };
  const nums: Quantities = {};
  const short: unknown[] = [];
  for (const name of names) {
    const { units, policy: { safetyStock, backorderMax } } = world.shelves.get(name)!;
    const there = Math.max(0, units - world.reserved(name, own) - safetyStock + backorderMax);
    nums[name] = Math.min(asked[name]!, there);
    if (there < asked[name]!) short.push([name, asked[name]!, there]);
  }
  const nothing = taken(nums).length === 0;
  if (short.length > 0 && (fill === "all" || nothing)) return { refused: { no: "short_stock", lines: short } };
  const overOrder = names.filter((name) => nums[name]! > (policy(name).orderNumMax ?? Infinity));
  if (overOrder.length > 0) {
    const lines = overOrder.map((name) => [name, nums[name]!, 0, policy(name).orderNumMax]);
    return { refused: { no: "over_limit", limit: "order", lines } };
  }
  const has = (name: string) => buyer === undefined ? 0 : world.bought(buyer, name, own);
  const overBuyer = taken(nums).filter((name) => has(name) + nums[name]! > (policy(name).buyerNumMax ?? Infinity));
  if (overBuyer.length > 0) {
    const lines = overBuyer.map((name) => [name, nums[name]!, has(name), policy(name).buyerNumMax]);
    return { refused: { no: "over_limit", limit: "buyer", lines } };
  }
  return { nums };
}

function holdOf(order: Purchase): SeenVerdict {
  return { ok: "hold", state: stateOf(order), has: order.has, until: order.untilMs };
}
