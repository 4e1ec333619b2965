/** A buyer's hold: units are promised to an order for a time, and are not available to others. */
import { keysOfLines } from "../lines.ts";
import { INT32_MAX, type Line, type Order, type Snapshot } from "../model.ts";
import { compareKeys, comparePlaces, keyOf, type StockKey } from "../stock_key.ts";
import { REFUSED, stateAt, stateRule } from "../states.ts";
import { type Operated, type OperationRules, refused, type Step } from "./rules.ts";
import { buyersOf } from "./sell.ts";
import { type Fill, take } from "./take.ts";

/** The operation. */
export interface ReserveOperation extends Operated {
  readonly kind: "reserve";
  readonly orderId: string;
  /** At least one. */
  readonly lines: readonly Line[];
  /** In ms; absent: what the goods' policies say, and without one {@link HOLD_TTL_MS}. */
  readonly ttlMs?: number;
  /** Absent: all. */
  readonly fill?: Fill;
  readonly buyerId?: string;
}

/** How long a hold lasts where nobody says otherwise, in ms. */
const HOLD_TTL_MS = 15 * 60_000;
/** The longest hold, in ms: 31 days. */
export const HOLD_TTL_MS_MAX = 31 * 24 * 3_600_000;

/**
 * Its rules. Reserving anew under the same id replaces lines and time in one step, and what the order has already
 * counts as free for it.
 */
export const RESERVE: OperationRules<ReserveOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: ({ lines }) => lines.length,

  changedOrder: ({ orderId }) => orderId,

  keysOf: ({ lines }, order) => {
    const keys = keysOfLines(lines);
    if (order?.state !== "held") return keys;
    return [...new Set([...keys, ...keysOfLines(order.lines)])].sort(compareKeys);
  },

  records: ({ orderId, lines, buyerId }) => ({ orderIds: [orderId], ...buyersOf(lines, buyerId) }),

  decide(snapshot, { orderId, lines, ttlMs, fill = "all", buyerId }) {
    const known = snapshot.orders.get(orderId);
    const state = stateAt(known, snapshot.atMs);
    if (state !== undefined && stateRule("reserve", state) === REFUSED) {
      return refused({ reason: "order_state", orderId, state });
    }
    const own = state === "held" ? known : undefined;
    const taken = take(snapshot, { lines, fill, buyerId, own });
    if (!taken.ok) return taken;
    const over = taken.lines.filter((line) => reservedAfter(snapshot, line, own) > INT32_MAX);
    if (over.length > 0) {
      const places = over.map(({ goodsId, locationId }) => ({ goodsId, locationId }));
      return refused({ reason: "out_of_range", of: "reserved", places });
    }
    const order: Order = {
      orderId,
      state: "held",
      lines: taken.lines,
      returned: taken.lines.map(() => 0),
      // Anew with each reserving: what one buyer takes within a time counts from here.
      atMs: snapshot.atMs,
      held: taken.lines.map(({ num }) => num),
      expiresAtMs: snapshot.atMs + (ttlMs ?? defaultTtlMs(snapshot, lines)),
      ...(taken.asked === undefined ? {} : { asked: taken.asked }),
      ...(buyerId === undefined ? {} : { buyerId }),
    };
    return { ok: true, effect: { steps: replacing(own, order), order }, answer: { ok: true, kind: "hold", order } };
  },
};

/** The shortest of those of the goods, so that none is held for longer than its shop wants; in ms. */
export function defaultTtlMs({ levels }: Snapshot, lines: readonly Line[]): number {
  return lines.reduce((least, line) => {
    const ttlMs = levels.get(keyOf(line))?.policy?.holdTtlMs ?? HOLD_TTL_MS;
    return Math.min(least, ttlMs);
  }, HOLD_TTL_MS_MAX);
}

/** Where much may be backordered, more could be reserved than an int32 can say. */
function reservedAfter({ levels }: Snapshot, line: Line, own: Order | undefined): number {
  const key = keyOf(line);
  const before = own?.lines.find((each) => keyOf(each) === key)?.num ?? 0;
  return (levels.get(key)?.reserved ?? 0) - before + line.num;
}

/** A step for each place of either, so that whatever changes of a hold meets the fence, if only its time. */
function replacing(before: Order | undefined, after: Order): Step[] {
  const deltas = new Map<StockKey, Step>();
  const add = (lines: readonly Line[], sign: number) => {
    for (const { goodsId, locationId, num } of lines) {
      if (num === 0) continue;
      const key = keyOf({ goodsId, locationId });
      const reservedDelta = (deltas.get(key)?.reservedDelta ?? 0) + sign * num;
      deltas.set(key, { goodsId, locationId, onHandDelta: 0, reservedDelta });
    }
  };
  add(before?.lines ?? [], -1);
  add(after.lines, 1);
  return [...deltas.values()].sort(comparePlaces);
}
