/** What an order may take of stock, under the policies: shared by all that take for a buyer. Pure. */
import { buyerUnits } from "../buyer_units.ts";
import { takeable, unknownPlaces } from "../levels.ts";
import { withNums } from "../lines.ts";
import { type Level, type Line, type Order, type Refusal, type Snapshot, takenKey } from "../model.ts";
import { keyOf, type Place, type StockKey } from "../stock_key.ts";

/** ALL: every line whole, or nothing. AVAILABLE: of each line what is there, as long as it is anything at all. */
export type Fill = "all" | "available";

/** What is wanted. */
export interface Wanted {
  readonly lines: readonly Line[];
  readonly fill: Fill;
  readonly buyerId: string | undefined;
  /** The live hold that this one replaces: what it has counts as free. */
  readonly own: Order | undefined;
}

/** Why nothing can be taken; or what is: one for each line. */
export type Taken =
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: true; readonly lines: readonly Line[]; readonly asked?: readonly number[] };

/** Decides it. Refusals in this sequence: unknown goods, no buyer, short stock, an order's and a buyer's limit. */
export function take(snapshot: Snapshot, wanted: Wanted): Taken {
  if (isPlain(snapshot, wanted)) return { ok: true, lines: wanted.lines };
  const { lines, fill, buyerId, own } = wanted;
  const unknown = unknownPlaces(snapshot, lines);
  if (unknown.length > 0) return { ok: false, refusal: { reason: "unknown_goods", places: unknown } };
  const levelOf = (place: Place) => snapshot.levels.get(keyOf(place)) as Level;
  const ownLines = new Map(own?.lines.map((line, i): [StockKey, number] => [keyOf(line), i]));
  const ownNumOf = (place: Place) => own?.lines[ownLines.get(keyOf(place)) ?? -1]?.num ?? 0;

  const capped = lines.filter((line) => levelOf(line).policy?.buyerNumMax !== undefined);
  if (capped.length > 0 && buyerId === undefined) {
    const places = capped.map(({ goodsId, locationId }) => ({ goodsId, locationId }));
    return { ok: false, refusal: { reason: "buyer_required", places } };
  }
  const asked = lines.map(({ num, ...place }) => ({
    ...place,
    asked: num,
    available: takeable(withoutOwn(levelOf(place), ownNumOf(place))),
  }));
  const short = asked.filter(({ asked, available }) => asked > available);
  const isNothing = asked.every(({ available }) => available === 0);
  if (short.length > 0 && (fill === "all" || isNothing)) {
    return { ok: false, refusal: { reason: "short_stock", lines: short } };
  }
  const nums = asked.map(({ asked, available }) => Math.min(asked, available));
  const taken = short.length === 0 ? lines : withNums(lines, nums);

  const overOrder = taken.flatMap(({ num, ...place }) => {
    const max = levelOf(place).policy?.orderNumMax;
    return max !== undefined && num > max ? [{ ...place, asked: num, taken: 0, max }] : [];
  });
  if (overOrder.length > 0) return { ok: false, refusal: { reason: "over_limit", limit: "order", lines: overOrder } };
  const overBuyer = taken.flatMap(({ num, ...place }) => {
    const { policy } = levelOf(place);
    const max = policy?.buyerNumMax;
    if (policy === undefined || max === undefined || buyerId === undefined) return [];
    const ownLine = own?.buyerId === buyerId ? ownLines.get(keyOf(place)) : undefined;
    const has = (snapshot.taken?.get(takenKey(keyOf(place), buyerId)) ?? 0) -
      (own === undefined || ownLine === undefined ? 0 : buyerUnits(own, ownLine, policy, snapshot.atMs));
    return num > 0 && has + num > max ? [{ ...place, asked: num, taken: has, max }] : [];
  });
  if (overBuyer.length > 0) return { ok: false, refusal: { reason: "over_limit", limit: "buyer", lines: overBuyer } };
  return short.length === 0
    ? { ok: true, lines: taken }
    : { ok: true, lines: taken, asked: lines.map(({ num }) => num) };
}

/** Whether all is there and nothing is limited, as for most sales: at a third of the time. */
function isPlain({ levels }: Snapshot, { lines, own }: Wanted): boolean {
  return own === undefined && lines.every((line) => {
    const level = levels.get(keyOf(line));
    return level !== undefined && !level.deleted && level.policy === undefined &&
      line.num <= level.onHand - level.reserved;
  });
}

function withoutOwn(level: Level, ownNum: number): Level {
  return ownNum === 0 ? level : { ...level, reserved: level.reserved - ownNum };
}
