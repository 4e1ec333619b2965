/** Verdicts in a form that both src/inventory and the plain model can be brought to: what callers can see. */
import type { Level, Verdict } from "../../src/inventory/model.ts";

/** Units by place. */
export type Quantities = Record<string, number>;

/** A verdict, reduced. */
export type SeenVerdict = Record<string, unknown>;

/** A place in a few letters: the goods alone at location 0. */
export function placeText({ goodsId, locationId }: { readonly goodsId: number; readonly locationId: number }): string {
  return locationId === 0 ? `${goodsId}` : `${goodsId}@${locationId}`;
}

/** Lines by place. */
export function quantities(
  lines: readonly { readonly goodsId: number; readonly locationId: number; readonly num: number }[],
): Quantities {
  return Object.fromEntries(lines.map((line) => [placeText(line), line.num]));
}

/** The same with its lists by place. */
export function sortedVerdict(seen: SeenVerdict): SeenVerdict {
  const byPlace = (a: unknown, b: unknown) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [name, Array.isArray(value) ? value.toSorted(byPlace) : value]),
  );
}

/** A verdict of src/inventory, reduced. */
export function seenVerdict(verdict: Verdict): SeenVerdict {
  return sortedVerdict(seen(verdict));
}

/** The same without whether it was answered before: of a write whose outcome was found out, that is so. */
export function seenAnswer(verdict: Verdict): SeenVerdict {
  const { replayed: _, ...answer } = seenVerdict(verdict);
  return answer;
}

function seen(verdict: Verdict): SeenVerdict {
  if (!verdict.ok) return seenRefusal(verdict.refusal);
  const replayed = verdict.replayed === undefined ? {} : { replayed: true };
  switch (verdict.kind) {
    case "set": {
      const { onHand, reserved, version, policy } = verdict.level;
      return {
        ok: "set",
        place: placeText(verdict.level),
        available: onHand - reserved - (policy?.safetyStock ?? 0),
        version,
      };
    }
    case "sell":
      return { ok: "sell", took: quantities(verdict.order.lines), ...replayed };
    case "rollback":
      return { ok: "rollback", gave: quantities(verdict.given), ...replayed };
    case "hold": {
      const { state, lines, expiresAtMs } = verdict.order;
      return { ok: "hold", state, has: quantities(lines), until: expiresAtMs, ...replayed };
    }
    case "shortfall":
      return { ok: "shortfall", lines: linesOf(verdict.shortfall.lines, "asked", "available") };
    case "stock": {
      return { ok: "stock", levels: verdict.levels.map(seenLevel), ...replayed };
    }
    case "expired":
      return { ok: "expired" };
  }
}

function seenLevel(level: Level): unknown[] {
  const { onHand, reserved, version, deleted } = level;
  return [placeText(level), onHand, reserved, version, deleted];
}

function seenRefusal(refusal: Extract<Verdict, { ok: false }>["refusal"]): SeenVerdict {
  const { reason: no } = refusal;
  switch (refusal.reason) {
    case "unknown_goods":
    case "buyer_required":
      return { no, places: refusal.places.map(placeText) };
    case "out_of_range":
      return { no, of: refusal.of, places: refusal.places.map(placeText) };
    case "short_stock":
      return { no, lines: linesOf(refusal.lines, "asked", "available") };
    case "exceeds_sold":
      return { no, lines: linesOf(refusal.lines, "asked", "returnable") };
    case "exceeds_held":
      return { no, lines: linesOf(refusal.lines, "asked", "held") };
    case "over_limit":
      return { no, limit: refusal.limit, lines: linesOf(refusal.lines, "asked", "taken", "max") };
    case "shortfall":
      return { no, lines: linesOf(refusal.shortfall.lines, "asked", "available") };
    case "unknown_order":
      return { no, order: refusal.orderId };
    case "order_state":
      return { no, state: refusal.state };
    case "content_differs":
      return { no, id: refusal.id };
    case "not_as_expected":
      return { no, place: placeText(refusal.place), version: refusal.level?.version ?? 0 };
    case "has_holds":
      return { no, place: placeText(refusal.place), reserved: refusal.reserved };
    case "below_floor":
      return { no, place: placeText(refusal.place), available: refusal.available };
  }
}

function linesOf<K extends string>(
  lines: readonly ({ readonly goodsId: number; readonly locationId: number } & Readonly<Record<K, number>>)[],
  ...names: K[]
): unknown[] {
  return lines.map((line) => [placeText(line), ...names.map((name) => line[name])]);
}
