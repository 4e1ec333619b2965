/** A hold is paid: it becomes a sale, whole or of fewer lines. */
import { isBeforeWindow } from "../buyer_units.ts";
import { keysOfLines, lineDifferences, sameLines, withNums } from "../lines.ts";
import type { Line, Order, Shortfall, Snapshot } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { REFUSED, REPEATED, stateAt, stateRule } from "../states.ts";
import { type Decision, NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";
import { buyersOf } from "./sell.ts";
import { take } from "./take.ts";

/** The operation. */
export interface ConfirmOperation extends Operated {
  readonly kind: "confirm";
  readonly orderId: string;
  /** What is sold of it, the rest goes back; none: all of it. */
  readonly lines: readonly Line[];
  /** Where the hold has expired and its stock is gone, that goes on record. */
  readonly recordsShortfall: boolean;
}

/** Its rules. After its time a confirmation is a sale like any other, if there is stock. */
export const CONFIRM: OperationRules<ConfirmOperation> = {
  takesOnly: false,
  keysNeedOrder: true,

  lineCount: ({ lines }) => Math.max(1, lines.length),

  changedOrder: ({ orderId }) => orderId,

  keysOf: (_, order) => order === undefined ? [] : keysOfLines(order.lines),

  records: ({ orderId }, order) => ({ orderIds: [orderId], ...buyersOf(order?.lines ?? [], order?.buyerId) }),

  decide(snapshot, operation) {
    const { orderId, lines } = operation;
    const known = snapshot.orders.get(orderId);
    const state = stateAt(known, snapshot.atMs);
    if (known === undefined || state === undefined) return refused({ reason: "unknown_order", orderId });
    const rule = stateRule("confirm", state);
    if (rule === REFUSED || known.held === undefined) return refused({ reason: "order_state", orderId, state });
    if (rule === REPEATED) return decideConfirmed(known, lines);

    const held = new Map(known.lines.map((line) => [keyOf(line), line.num]));
    const exceeding = lines
      .map(({ num, ...place }) => ({ ...place, asked: num, held: held.get(keyOf(place)) ?? 0 }))
      .filter(({ asked, held }) => asked > held);
    if (exceeding.length > 0) return refused({ reason: "exceeds_held", orderId, lines: exceeding });
    const asked = new Map(lines.map((line) => [keyOf(line), line.num]));
    const nums = known.lines.map((line) => lines.length === 0 ? line.num : asked.get(keyOf(line)) ?? 0);
    const sold: Order = {
      ...known,
      state: "sold",
      lines: withNums(known.lines, nums),
      ...(isOfOld(snapshot, known) ? { atMs: snapshot.atMs } : {}),
    };
    if (state === "expired") return sellLate(snapshot, operation, known, sold);
    const steps = known.lines.flatMap(({ goodsId, locationId, num }, i) =>
      num === 0 ? [] : [{ goodsId, locationId, onHandDelta: -(nums[i] ?? 0), reservedDelta: -num }]
    );
    // A hold that was reserved anew may have fallen short before.
    const effect = { steps, order: sold, endsShortfall: true } as const;
    return { ok: true, effect, answer: { ok: true, kind: "hold", order: sold } };
  },
};

/**
 * Whether the hold is older than the window within which its buyer's units count. It counted all the same as long as it
 * lived, and goes on as a sale of now: else who pays for it could take as much again at once.
 */
function isOfOld({ levels, atMs }: Snapshot, hold: Order): boolean {
  return hold.buyerId !== undefined &&
    hold.lines.some((line) => isBeforeWindow(hold, levels.get(keyOf(line))?.policy?.buyerWindowMs, atMs));
}

/**
 * The hold's time is up, and what it had is anybody's. Whether it is sold now or its shortfall goes on record, the
 * order changes: so of two confirmations only one is written, and no shortfall stands beside a sale.
 */
function sellLate(
  snapshot: Snapshot,
  { orderId, recordsShortfall }: ConfirmOperation,
  known: Order,
  sold: Order,
): Decision {
  const lines = sold.lines.filter(({ num }) => num > 0);
  const taken = take(snapshot, { lines, fill: "all", buyerId: sold.buyerId, own: undefined });
  if (!taken.ok) {
    if (taken.refusal.reason !== "short_stock") return taken;
    const shortfall: Shortfall = {
      orderId,
      lines: taken.refusal.lines,
      ...(sold.buyerId === undefined ? {} : { buyerId: sold.buyerId }),
    };
    if (!recordsShortfall) return refused({ reason: "shortfall", shortfall });
    const expired: Order = { ...known, state: "expired" };
    return {
      ok: true,
      effect: { steps: [], order: expired, shortfall },
      answer: { ok: true, kind: "shortfall", shortfall },
    };
  }
  const steps = lines.map(({ goodsId, locationId, num }) => ({
    goodsId,
    locationId,
    onHandDelta: -num,
    reservedDelta: 0,
  }));
  const order: Order = { ...sold, atMs: snapshot.atMs };
  const answer = { ok: true, kind: "hold", order } as const;
  return { ok: true, effect: { steps, order, endsShortfall: true }, answer };
}

/** It was confirmed before: the same again, or what differs. */
function decideConfirmed(known: Order, lines: readonly Line[]): Decision {
  const held = withNums(known.lines, known.held ?? []).filter(({ num }) => num > 0);
  const sold = known.lines.filter(({ num }) => num > 0);
  const asked = lines.length === 0 ? held : lines;
  if (sameLines(sold, asked)) {
    return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "hold", order: known, replayed: true } };
  }
  const differences = lineDifferences(sold, asked);
  return refused({ reason: "content_differs", field: "order_id", id: known.orderId, differences });
}
