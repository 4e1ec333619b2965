/** An order takes its lines from stock, at once. */
import { invariant } from "../../base/invariant.ts";
import { keysOfLines, lineDifferences, sameLines, takenLines, withNums } from "../lines.ts";
import type { Line, Order } from "../model.ts";
import { REFUSED, REPEATED, stateAt, stateRule } from "../states.ts";
import { type Decision, NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";
import { type Fill, take } from "./take.ts";

/** The operation. */
export interface SellOperation extends Operated {
  readonly kind: "sell";
  readonly orderId: string;
  /** At least one. */
  readonly lines: readonly Line[];
  /** Absent: all. */
  readonly fill?: Fill;
  readonly buyerId?: string;
}

/** Its rules. */
export const SELL: OperationRules<SellOperation> = {
  takesOnly: true,
  mayGoUnread: true,
  keysNeedOrder: false,

  lineCount: ({ lines }) => lines.length,

  changedOrder: () => undefined,

  keysOf: ({ lines }) => keysOfLines(lines),

  records: ({ orderId, lines, buyerId }) =>
    buyerId === undefined ? { orderIds: [orderId] } : { orderIds: [orderId], ...buyersOf(lines, buyerId) },

  decide(snapshot, { orderId, lines, fill = "all", buyerId }) {
    const known = snapshot.orders.get(orderId);
    if (known !== undefined) return decideKnown(known, { lines, fill, buyerId }, snapshot.atMs);
    const taken = take(snapshot, { lines, fill, buyerId, own: undefined });
    if (!taken.ok) return taken;
    const plain: Order = {
      orderId,
      state: "sold",
      lines: taken.lines,
      returned: taken.lines.map(() => 0),
      atMs: snapshot.atMs,
    };
    const { asked } = taken;
    // Most have neither, and spreading nothing takes its time all the same.
    const order = asked === undefined && buyerId === undefined ? plain : {
      ...plain,
      ...(asked === undefined ? {} : { asked }),
      ...(buyerId === undefined ? {} : { buyerId }),
    };
    return {
      ok: true,
      effect: {
        steps: taken.lines.filter(({ num }) => num > 0)
          .map(({ goodsId, locationId, num }) => ({ goodsId, locationId, onHandDelta: -num, reservedDelta: 0 })),
        order,
      },
      answer: { ok: true, kind: "sell", order },
    };
  },
};

/** The buyer at the places of the lines, as far as there is one. */
export function buyersOf(lines: readonly Line[], buyerId: string | undefined) {
  if (buyerId === undefined) return {};
  return { buyers: lines.map(({ goodsId, locationId }) => ({ goodsId, locationId, buyerId })) };
}

/** The order is on record: its first answer again, or why there is none. */
function decideKnown(known: Order, asked: Asked, atMs: number): Decision {
  const { orderId } = known;
  const state = stateAt(known, atMs);
  const rule = stateRule("sell", state);
  // A barred order was never sold, so there is no content to compare with; a hold's state says more than its content.
  if (state !== "barred" && !(rule === REFUSED && known.held !== undefined)) {
    const differences = contentDifferences(known, asked);
    if (differences.length > 0) {
      return refused({ reason: "content_differs", field: "order_id", id: orderId, differences });
    }
  }
  if (rule === REFUSED) return refused({ reason: "order_state", orderId, state });
  invariant(rule === REPEATED, "an order that is on record is not sold anew");
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "sell", order: known, replayed: true } };
}

/** What makes one order another, beside its id. */
interface Asked {
  readonly lines: readonly Line[];
  readonly fill: Fill;
  readonly buyerId: string | undefined;
}

/** How an order was to be filled is on record only where it could not be filled. */
function contentDifferences(known: Order, { lines, fill, buyerId }: Asked): string[] {
  // What was a hold is known by what was confirmed of it.
  const filled = known.held === undefined ? known.asked : undefined;
  const before = filled === undefined ? takenLines(known.lines) : withNums(known.lines, filled);
  const differences = sameLines(before, lines) ? [] : lineDifferences(before, lines);
  if (known.buyerId !== buyerId) {
    differences.push(`buyer_id was ${known.buyerId ?? "not given"}, now ${buyerId ?? "not given"}`);
  }
  if (filled !== undefined && fill === "all") differences.push("it took what was available, now all is asked for");
  return differences;
}
