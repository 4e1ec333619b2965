/**
 * What the lanes read beside their batches: levels and orders for those who ask, and the orders whose goods are moved.
 */
import { NEVER } from "../base/never.ts";
import type { Level, Order } from "../inventory/model.ts";
import type { GoodsLevels, NamedLevel } from "../inventory/levels.ts";
import type { StockKey } from "../inventory/stock_key.ts";
import type { Store } from "../store/store.ts";
import { readAgain } from "./again.ts";
import { CoalescedReads } from "./coalesced_reads.ts";
import type { LanesLimits } from "./lanes_limits.ts";

/** Reads of one kind at a time. */
const READS_MAX = 2;
/** Goods, or orders, in one read. */
const READ_KEYS_MAX = 1000;
/** Goods in one read of all their locations, each of which may have a thousand. */
const READ_LOCATIONS_MAX = 10;

/** An order as it was at a moment, by the database's clock, in ms since 1970. */
export interface OrderAt {
  readonly order: Order;
  readonly atMs: number;
}

/** Levels by goods and location, or by goods, and orders by order id, as of the moment of the question or later. */
export interface Reads {
  readonly levels: CoalescedReads<StockKey, NamedLevel>;
  readonly locations: CoalescedReads<number, GoodsLevels>;
  /** With their policies, and also of goods that are no longer sold. */
  readonly policies: CoalescedReads<StockKey, Level>;
  readonly orders: CoalescedReads<string, OrderAt>;
}

/** Reads from the store; as many keys of a kind may wait for a read as operations may be under way. */
export function createReads(
  store: Store,
  { operationsMax: waitingMax, operationsPerAddressMax: waitingPerAddressMax }: LanesLimits,
): Reads {
  const limits = { readsMax: READS_MAX, keysMax: READ_KEYS_MAX, waitingMax, waitingPerAddressMax };
  return {
    levels: new CoalescedReads((stockKeys) => readAgain(() => store.readLevels(stockKeys, NEVER)), limits),
    locations: new CoalescedReads((goodsIds) => readAgain(() => store.readLocations(goodsIds, NEVER)), {
      ...limits,
      keysMax: READ_LOCATIONS_MAX,
    }),
    policies: new CoalescedReads(
      async (stockKeys) =>
        (await readAgain(() => store.readSnapshot({ stockKeys, orderIds: [], operationIds: [] }, NEVER))).levels,
      limits,
    ),
    orders: new CoalescedReads(async (orderIds) => {
      const keys = { stockKeys: [], orderIds, operationIds: [] };
      const { atMs, orders } = await readAgain(() => store.readSnapshot(keys, NEVER));
      return new Map([...orders].map(([orderId, order]) => [orderId, { order, atMs }]));
    }, limits),
  };
}
