/** A store whose statements are observed; what it does is the other's. */
import type { Ended, StockObserver } from "../telemetry/observer.ts";
import type { Store } from "./store.ts";

/** Wraps all but `ping`, which is nobody's work, and `close`. */
export function observedStore(store: Store, observer: StockObserver): Store {
  const observed = <A extends unknown[], R>(operation: string, run: (...given: A) => Promise<R>) => (...given: A) =>
    endOf(observer.statement(operation), run(...given));
  const { lists } = store;
  return {
    readSnapshot: observed("read_snapshot", (keys, signal) => store.readSnapshot(keys, signal)),
    writeChanges: observed("write_changes", (changes, signal) => store.writeChanges(changes, signal)),
    changeUnderRowLocks: (keys, decide, signal) => changeUnderRowLocks(store, observer, keys, decide, signal),
    readLevels: observed("read_levels", (stockKeys, signal) => store.readLevels(stockKeys, signal)),
    readLocations: observed("read_locations", (goodsIds, signal) => store.readLocations(goodsIds, signal)),
    readLocked: observed("read_locked", (stockKeys, signal) => store.readLocked(stockKeys, signal)),
    readLockedOrders: observed("read_locked_orders", (orderIds, signal) => store.readLockedOrders(orderIds, signal)),
    listHolds: observed("list_holds", (filter, page, signal) => store.listHolds(filter, page, signal)),
    listShortfalls: observed("list_shortfalls", (page, signal) => store.listShortfalls(page, signal)),
    resolveShortfall: observed(
      "resolve_shortfall",
      (asked, signal, dryRun) => store.resolveShortfall(asked, signal, dryRun),
    ),
    readDueOrders: observed("read_due_orders", (after, limit, signal) => store.readDueOrders(after, limit, signal)),
    readSkus: observed("read_skus", (skus, signal) => store.readSkus(skus, signal)),
    readGoods: observed("read_goods", (goodsIds, signal) => store.readGoods(goodsIds, signal)),
    nameGoods: observed("name_goods", (naming, signal) => store.nameGoods(naming, signal)),
    readReasons: observed("read_reasons", (max, signal) => store.readReasons(max, signal)),
    addReason: observed("add_reason", (reason, max, signal) => store.addReason(reason, max, signal)),
    readKeys: observed("read_keys", (known, signal) => store.readKeys(known, signal)),
    lists: {
      levels: observed("list_levels", (query, page, signal) => lists.levels(query, page, signal)),
      countLevels: observed("count_levels", (query, isExact, signal) => lists.countLevels(query, isExact, signal)),
      movements: observed("list_movements", (query, page, signal) => lists.movements(query, page, signal)),
      orders: observed("list_orders", (query, page, signal) => lists.orders(query, page, signal)),
      turnover: observed("read_turnover", (query, page, signal) => lists.turnover(query, page, signal)),
      totals: observed("read_totals", (query, signal) => lists.totals(query, signal)),
      explain: observed("explain_place", (place, limits, signal) => lists.explain(place, limits, signal)),
    },
    ping: (signal) => store.ping(signal),
    close: () => store.close(),
  };
}

/** Two statements: the read under the locks, and, where there is anything to write, the write with the commit. */
async function changeUnderRowLocks(
  store: Store,
  observer: StockObserver,
  ...[keys, decide, signal]: Parameters<Store["changeUnderRowLocks"]>
): Promise<void> {
  let ended: Ended | undefined = observer.statement("read_under_row_locks");
  const end = (error?: unknown) => {
    ended?.(error);
    ended = undefined;
  };
  const decideBetween: typeof decide = async (snapshot) => {
    end();
    const changes = await decide(snapshot);
    if (changes !== undefined) ended = observer.statement("write_changes");
    return changes;
  };
  try {
    await store.changeUnderRowLocks(keys, decideBetween, signal);
    end();
  } catch (error) {
    end(error);
    throw error;
  }
}

async function endOf<R>(ended: Ended, running: Promise<R>): Promise<R> {
  try {
    const answer = await running;
    ended();
    return answer;
  } catch (error) {
    ended(error);
    throw error;
  }
}
