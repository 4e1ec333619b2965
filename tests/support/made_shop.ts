/**
 * A shop made up at random, as rows of the tables and as plain objects beside them, so that a test of lists can say by
 * itself what a list must have.
 */
import type postgres from "postgres";
import { INT32_MAX, type OperationKind, type OrderState } from "../../src/inventory/model.ts";

/** A level that was made up. Times are ms since 1970. */
export interface MadeLevel {
  readonly goodsId: number;
  readonly locationId: number;
  readonly sku: string | undefined;
  readonly onHand: number;
  readonly safetyStock: number;
  readonly backorderMax: number;
  /** Where it counts as low, until when, and whether it was low when it was written. */
  readonly low: { readonly at: number; readonly until: number; readonly isLow: boolean } | undefined;
  readonly isDeleted: boolean;
  /** Units that holds have: those that are over, and those that live. */
  readonly due: number;
  readonly live: number;
  readonly version: number;
  readonly updatedAtMs: number;
}

/** A movement that was made up. */
export interface MadeMovement {
  readonly goodsId: number;
  readonly locationId: number;
  readonly version: number;
  readonly kind: OperationKind;
  readonly orderId: string | undefined;
  readonly operationId: string | undefined;
  readonly reason: string | undefined;
  readonly actor: string | undefined;
  readonly atMs: number;
}

/** An order that was made up. */
export interface MadeOrder {
  readonly orderId: string;
  /** As it is on record. */
  readonly state: OrderState;
  readonly lines: readonly { readonly goodsId: number; readonly locationId: number }[];
  readonly buyerId: string | undefined;
  readonly atMs: number;
  readonly expiresAtMs: number | undefined;
}

/** All of it. */
export interface MadeShop {
  readonly levels: readonly MadeLevel[];
  readonly movements: readonly MadeMovement[];
  readonly orders: readonly MadeOrder[];
  /** Of goods that have no stock, and never had any. */
  readonly bareSkus: readonly string[];
}

/** The last of them as far as ids go, as is the last of the locations. */
const GOODS_IDS = [...Array.from({ length: 24 }, (_, i) => i + 1), INT32_MAX];
const LOCATIONS = [0, 1, 7, INT32_MAX];
const ORDERS = 120;
/** More than a page of a list by sku looks at. */
const BARE_GOODS = 600;
/** Their ids begin here. */
const BARE_GOODS_ID = 1_000_000_000;
/** When the first movement was. Two in one write have one time. */
const FIRST_MS = Date.UTC(2026, 10, 1);
const STEP_MS = 1000;
const DAY_MS = 86_400_000;
const STATES: readonly OrderState[] = ["held", "sold", "sold", "sold", "released", "expired", "rolled_back", "barred"];

/** The values that filters of a test may ask for, and some that nothing has. */
export const CHOICES = {
  goodsIds: [1, 2, 3, 11, 24, INT32_MAX, 99],
  locationIds: [0, 1, 7, INT32_MAX, 8],
  buyerIds: ["ann", "bob", "nobody"],
  actors: ["clerk", "robot", "nobody"],
  reasons: ["damage", "count", "none"],
  skus: ["SKU-A1", "SKU-B2", "SKU-Ä3", "none"],
  skuPrefixes: ["SKU-A", "SKU-", "S", "Z"],
  timesMs: [0, 30, 100, 400, 2000].map((step) => FIRST_MS + step * STEP_MS),
};

/** A shop out of a sequence of numbers in [0, 1). */
export function madeShop(random: () => number): MadeShop {
  const oneOf = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const isSo = (chance: number) => random() < chance;
  const movements: MadeMovement[] = [];
  const versions = new Map<string, number>();
  let atMs = FIRST_MS;
  const move = (
    place: { readonly goodsId: number; readonly locationId: number },
    kind: OperationKind,
    of: { readonly orderId?: string; readonly operationId?: string },
  ) => {
    const key = `${place.goodsId}@${place.locationId}`;
    const version = (versions.get(key) ?? 0) + 1;
    versions.set(key, version);
    movements.push({
      ...place,
      version,
      kind,
      orderId: of.orderId,
      operationId: of.operationId,
      reason: isSo(0.2) ? oneOf(CHOICES.reasons.slice(0, 2)) : undefined,
      actor: isSo(0.3) ? oneOf(CHOICES.actors.slice(0, 2)) : undefined,
      atMs,
    });
  };
  const places = GOODS_IDS.flatMap((goodsId) =>
    LOCATIONS.filter((locationId) => locationId === 0 ? goodsId % 9 !== 0 : isSo(0.5))
      .map((locationId) => ({ goodsId, locationId }))
  );
  for (const [i, place] of places.entries()) {
    if (isSo(0.7)) atMs += STEP_MS;
    move(place, "set", { operationId: `set-${i}` });
  }
  const orders = Array.from({ length: ORDERS }, (_, i): MadeOrder => {
    if (isSo(0.7)) atMs += STEP_MS;
    const state = oneOf(STATES);
    const isHold = state === "held" || state === "released" || state === "expired";
    const wanted = new Set([oneOf(places), oneOf(places), oneOf(places)].slice(0, Math.ceil(random() * 3)));
    const lines = state === "barred" ? [] : places.filter((place) => wanted.has(place));
    const orderId = `order-${(i * 7919) % 1000}`;
    for (const line of lines) move(line, isHold ? "reserve" : "sell", { orderId });
    const made = {
      orderId,
      state,
      lines,
      buyerId: isSo(0.4) ? oneOf(CHOICES.buyerIds.slice(0, 2)) : undefined,
      atMs,
      expiresAtMs: isHold ? (isSo(0.5) ? Date.now() + DAY_MS : Date.now() - DAY_MS) : undefined,
    };
    if (state === "held" && isSo(0.3)) { for (const line of lines) move(line, "reserve", { orderId }); }
    if (state === "rolled_back") {
      for (const line of lines) move(line, "rollback", { orderId, operationId: `back-${i}` });
    }
    if (isSo(0.2)) {
      atMs += STEP_MS;
      for (const place of [oneOf(places), oneOf(places)]) move(place, "adjust", { operationId: `adjust-${i}` });
    }
    return made;
  });
  const levels = places.map(({ goodsId, locationId }): MadeLevel => {
    const at = Math.floor(random() * 10);
    const own = movements.filter((movement) => movement.goodsId === goodsId && movement.locationId === locationId);
    const due = isSo(0.3) ? 10 : 0;
    const live = isSo(0.3) ? oneOf([10, 20]) : 0;
    return {
      goodsId,
      locationId,
      sku: goodsId % 3 === 0 ? undefined : `SKU-${oneOf(["A", "B", "Ä", "a", "\u{10FFFF}"])}${goodsId}`,
      onHand: due + live + oneOf([0, 0, 3, 8, 30]),
      safetyStock: isSo(0.3) ? 5 : 0,
      backorderMax: isSo(0.2) ? 3 : 0,
      low: isSo(0.5) ? { at, until: at + 8, isLow: isSo(0.5) } : undefined,
      isDeleted: isSo(0.1),
      due,
      live,
      version: own.length,
      updatedAtMs: own.at(-1)!.atMs,
    };
  });
  const skus = new Map(levels.map((level) => [level.goodsId, level.sku]));
  return {
    levels: levels.map((level) => ({ ...level, sku: skus.get(level.goodsId) })),
    movements,
    orders: orders.map((order) => order),
    bareSkus: Array.from({ length: BARE_GOODS }, (_, i) => `SKU-${oneOf(["A", "a"])}0${i}`),
  };
}

/** Writes it down, as the owner of the tables. */
export async function insertShop(
  owner: postgres.Sql,
  { levels, movements, orders, bareSkus }: MadeShop,
): Promise<void> {
  const time = (ms: number | undefined) => ms === undefined ? null : new Date(ms);
  const past = new Date(Date.now() - DAY_MS);
  const future = new Date(Date.now() + DAY_MS);
  await owner`insert into levels ${
    owner(levels.map((level) => ({
      goods_id: level.goodsId,
      location_id: level.locationId,
      on_hand: level.onHand,
      reserved: level.due + level.live,
      version: level.version,
      safety_stock: level.safetyStock,
      backorder_max: level.backorderMax,
      low_stock_at: level.low?.at ?? null,
      low_stock_until: level.low?.until ?? null,
      is_low: level.low?.isLow ?? false,
      holds_from: level.due + level.live > 0 ? past : null,
      updated_at: time(level.updatedAtMs),
      deleted_at: level.isDeleted ? past : null,
    })))
  }`;
  const named = new Map(levels.flatMap(({ goodsId, sku }) => sku === undefined ? [] : [[goodsId, sku]]));
  const goods = [...named, ...bareSkus.map((sku, i) => [BARE_GOODS_ID + i, sku])];
  await owner`insert into goods ${owner(goods.map(([goods_id, sku]) => ({ goods_id, sku })))}`;
  const holds = levels.flatMap(({ goodsId: goods_id, locationId: location_id, due, live }) => [
    ...(due > 0 ? [{ goods_id, location_id, expires_at: past, order_id: "due", num: due }] : []),
    ...(live > 0 ? [{ goods_id, location_id, expires_at: future, order_id: "live", num: live }] : []),
  ]);
  await owner`insert into holds ${owner(holds)}`;
  await owner`insert into movements ${
    owner(movements.map((movement) => ({
      goods_id: movement.goodsId,
      location_id: movement.locationId,
      version: movement.version,
      kind: movement.kind,
      order_id: movement.orderId ?? null,
      operation_id: movement.operationId ?? null,
      on_hand_delta: 1,
      reserved_delta: 0,
      on_hand_after: movement.version,
      reserved_after: 0,
      reason: movement.reason ?? null,
      actor: movement.actor ?? null,
      at: time(movement.atMs),
    })))
  }`;
  const operations = new Map(movements.flatMap((m) => m.operationId === undefined ? [] : [[m.operationId, m]]));
  await owner`insert into operations ${
    owner([...operations].map(([operation_id, { kind, orderId, atMs }]) => ({
      operation_id,
      kind: kind === "rollback" ? "rollback_whole" : kind,
      order_id: orderId ?? null,
      goods_ids: "{}",
      nums: "{}",
      created_at: time(atMs),
    })))
  }`;
  await owner`insert into orders ${
    owner(orders.map((order) => ({
      order_id: order.orderId,
      state: order.state,
      goods_ids: `{${order.lines.map((line) => line.goodsId)}}`,
      location_ids: `{${order.lines.map((line) => line.locationId)}}`,
      nums: `{${order.lines.map(() => 1)}}`,
      returned: `{${order.lines.map(() => order.state === "rolled_back" ? 1 : 0)}}`,
      located_returned: `{${order.lines.map(() => order.state === "rolled_back" ? 1 : 0)}}`,
      buyer_id: order.buyerId ?? null,
      expires_at: time(order.expiresAtMs),
      created_at: time(order.atMs),
    })))
  }`;
}
