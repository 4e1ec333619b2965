/** What can be read of stock, movements and orders for people and their pages, as functions over plain data. */
import type { Explained, ExplainLimits } from "./explained.ts";
import type { Order } from "./model.ts";
import type {
  LevelKey,
  LevelQuery,
  ListedLevel,
  ListedMovement,
  MovementKey,
  MovementQuery,
  OrderKey,
  OrderQuery,
  Page,
  PageOf,
} from "./queries.ts";
import type { StockTotals, TurnoverPage, TurnoverQuery, TurnoverRows } from "./stats.ts";
import type { Place } from "./stock_key.ts";

/** Everything that lists are read with; each ends with its signal, and throws the errors of the store. */
export interface Lists {
  levels(
    query: LevelQuery,
    page: PageOf<LevelKey>,
    signal: AbortSignal,
  ): Promise<Page<ListedLevel, LevelKey> & { readonly atUs: number }>;
  /** With `isExact`, counted one by one, which a list of millions can't be within the time of a statement. */
  countLevels(query: LevelQuery, isExact: boolean, signal: AbortSignal): Promise<number>;
  movements(
    query: MovementQuery,
    page: PageOf<MovementKey>,
    signal: AbortSignal,
  ): Promise<Page<ListedMovement, MovementKey>>;
  /** In the states of the moment of the read: what is held and over has expired. */
  orders(query: OrderQuery, page: PageOf<OrderKey>, signal: AbortSignal): Promise<Page<Order, OrderKey>>;
  /** What was turned over in some days: the latest first, then by goods. */
  turnover(query: TurnoverQuery, page: TurnoverPage, signal: AbortSignal): Promise<TurnoverRows>;
  /** What all levels come to that a query fits; it counts by the filters of goods, locations and deletion alone. */
  totals(query: LevelQuery, signal: AbortSignal): Promise<StockTotals>;
  /** Why a place stands where it does; undefined: it never was set. */
  explain(place: Place, limits: ExplainLimits, signal: AbortSignal): Promise<Explained | undefined>;
}
