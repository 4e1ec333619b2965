/** The names of goods and the reasons as one process has them: with a store and a cache of its own. */
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { GoodsNames } from "../../src/goods/goods_names.ts";
import { Reasons } from "../../src/goods/reasons.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import type { TestDatabase } from "./database.ts";
import { TEST_LIMITS } from "./pool_probe.ts";

/** One process's view of them. */
export interface GoodsProcess extends AsyncDisposable {
  readonly store: Store;
  readonly names: GoodsNames;
  readonly reasons: Reasons;
}

/** One on this database. */
export function goodsProcess({ serverUrl }: TestDatabase): GoodsProcess {
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(serverUrl) });
  return {
    store,
    names: new GoodsNames(store, { waitingMax: 100_000 }),
    reasons: new Reasons(store, { waitingMax: 100 }),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
